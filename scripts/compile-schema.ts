/**
 * Compiles schemas/compose.schema.json to build/compose-validator.cjs: a plain function without run-time dependencies.
 * Run by the build and by the tests; does nothing while the result is newer than its sources.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const source = join(root, 'schemas/compose.schema.json')
const target = join(root, 'build/compose-validator.cjs')

const isFresh = (): boolean =>
  existsSync(target) &&
  [source, fileURLToPath(import.meta.url)].every((file) => statSync(file).mtimeMs < statSync(target).mtimeMs)

/** The two helpers of ajv that generated code asks for, so that nothing of ajv is loaded at run time. */
const HELPERS = `const caissonHelpers = {
  'ajv/dist/runtime/ucs2length': { default: (text) => { let length = 0; for (const _ of text) length++; return length } },
  'ajv/dist/runtime/equal': { default: (one, other) => {
    if (one === other) return true
    if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return false
    return JSON.stringify(one) === JSON.stringify(other)
  } },
};
`

const compile = async (): Promise<void> => {
  const { Ajv2020 } = await import('ajv/dist/2020.js')
  const { default: standalone } = await import('ajv/dist/standalone/index.js')
  const ajv = new Ajv2020({
    allErrors: true,
    allowUnionTypes: true,
    strictTypes: false,
    inlineRefs: false,
    code: { source: true, optimize: 2 },
  })
  const schema = JSON.parse(readFileSync(source, 'utf8')) as { $id: string }
  ajv.addSchema(schema)
  const generate = (
    typeof standalone === 'function' ? standalone : (standalone as { default: typeof standalone }).default
  ) as (ajv: unknown, validate: unknown) => string
  const code = generate(ajv, { validate: schema.$id }).replaceAll(
    /require\("(ajv\/dist\/runtime\/[a-z0-9]+)"\)/g,
    "caissonHelpers['$1']",
  )
  if (code.includes('require(')) throw new Error('the generated validator needs a module')
  mkdirSync(dirname(target), { recursive: true })
  const temporary = `${target}.${process.pid}`
  writeFileSync(temporary, code.replace('"use strict";', `"use strict";\n${HELPERS}`))
  renameSync(temporary, target)
}

if (!isFresh()) await compile()
