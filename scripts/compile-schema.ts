/**
 * Compiles schemas/compose.schema.json to build/compose-validator.cjs: a plain function without run-time dependencies; and to
 * build/compose-schema.json, the part of it that words of mistakes are made of. What only editors show is in neither.
 * Run by the build and by the tests; does nothing while the results are newer than their sources.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const source = join(root, 'schemas/compose.schema.json')
const validator = join(root, 'build/compose-validator.cjs')
const words = join(root, 'build/compose-schema.json')

const isFresh = (): boolean =>
  [validator, words].every(
    (target) =>
      existsSync(target) &&
      [source, fileURLToPath(import.meta.url)].every((file) => statSync(file).mtimeMs < statSync(target).mtimeMs),
  )

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type Schema = { readonly [key: string]: Json }

/** Keywords whose members are named by the format, not by JSON Schema. */
const NAMING = new Set(['properties', 'patternProperties', '$defs'])

/** What is for editors alone. */
const ANNOTATIONS = new Set(['title', 'description', 'examples', 'deprecated', 'doNotSuggest'])

/** What stands for a value while it is written: the loader has put the value in its place. */
const VARIABLE = '#/$defs/variable'

const isVariable = (schema: Json): boolean => JSON.stringify(schema) === JSON.stringify({ $ref: VARIABLE })

/** `anyOf` with a variable is what the other says. */
const withoutVariable = ([key, value]: readonly [string, Json]): readonly (readonly [string, Json])[] => {
  if (key !== 'anyOf' || !Array.isArray(value) || !value.some(isVariable)) return [[key, value]]
  return value.filter((each) => !isVariable(each)).flatMap((each: Json) => Object.entries(each ?? {}))
}

/** The schema and all below it without annotations. `named`: keys are names, not keywords. */
const bare = (schema: Json, named = false): Json => {
  if (Array.isArray(schema)) return schema.map((item: Json) => bare(item))
  if (typeof schema !== 'object' || schema === null) return schema
  const kept = Object.entries(schema)
    .filter(([key]) => named || !ANNOTATIONS.has(key))
    .flatMap((entry) => (named ? [entry] : withoutVariable(entry)))
  return Object.fromEntries(kept.map(([key, value]) => [key, bare(value, !named && NAMING.has(key))]))
}

/** At once, so that whoever reads it meanwhile sees the old one or the new one. */
const write = (target: string, text: string): void => {
  mkdirSync(dirname(target), { recursive: true })
  const temporary = `${target}.${process.pid}`
  writeFileSync(temporary, text)
  renameSync(temporary, target)
}

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

interface Whole {
  readonly $id: string
  readonly $defs: Schema
}

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
  const { $defs, ...rest } = bare(JSON.parse(readFileSync(source, 'utf8')) as Schema) as unknown as Whole
  const { variable: _, ...definitions } = $defs
  const schema = { ...rest, $defs: definitions }
  ajv.addSchema(schema)
  const generate = (
    typeof standalone === 'function' ? standalone : (standalone as { default: typeof standalone }).default
  ) as (ajv: unknown, validate: unknown) => string
  const code = generate(ajv, { validate: schema.$id }).replaceAll(
    /require\("(ajv\/dist\/runtime\/[a-z0-9]+)"\)/g,
    "caissonHelpers['$1']",
  )
  if (code.includes('require(')) throw new Error('the generated validator needs a module')
  write(validator, code.replace('"use strict";', `"use strict";\n${HELPERS}`))
  write(words, JSON.stringify(schema))
}

if (!isFresh()) await compile()
