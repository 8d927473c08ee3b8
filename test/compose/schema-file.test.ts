/** schemas/compose.schema.json as editors read it, and in step with the model, the table of support and the corpus. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseAllDocuments } from 'yaml'
import schema from '../../schemas/compose.schema.json' with { type: 'json' }
import { SERVICE_MODELLED } from '../../src/compose/others.ts'
import { PROJECT, type Shape } from '../../src/compose/shape.ts'
import { SERVICE_KEYS } from '../../src/plan/support.ts'
import { fixtures } from './cases.ts'

interface Schema {
  readonly $ref?: string
  readonly description?: string
  readonly examples?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
}

const root = schema as unknown as Schema
const definitions = schema.$defs as unknown as Readonly<Record<string, Schema>>

/** A key by its JSON Pointer in the schema; definitions once each. */
interface Key {
  readonly pointer: string
  readonly name: string
  readonly schema: Schema
}

const escapePointer = (step: string): string => step.replaceAll('~', '~0').replaceAll('/', '~1')

const keysOf = (holder: Schema, pointer: string): readonly Key[] => [
  ...Object.entries(holder.properties ?? {}).flatMap(([name, inner]) => {
    const own = `${pointer}/properties/${escapePointer(name)}`
    return [{ pointer: own, name, schema: inner }, ...keysOf(inner, own)]
  }),
  ...Object.entries(holder.patternProperties ?? {}).flatMap(([pattern, inner]) =>
    keysOf(inner, `${pointer}/patternProperties/${escapePointer(pattern)}`),
  ),
  ...(holder.items ? keysOf(holder.items, `${pointer}/items`) : []),
]

const allKeys: readonly Key[] = [
  ...keysOf(root, ''),
  ...Object.entries(definitions).flatMap(([name, inner]) => keysOf(inner, `/$defs/${name}`)),
]

test('the schema is one itself', () => {
  assert.is(new Ajv2020({ strict: false }).validateSchema(schema), true)
})

test('the schema has every key of the specification', () => {
  const { service, build, deploy } = schema.$defs
  const counts = [service, build, deploy].map(({ properties }) => Object.keys(properties).length)
  // A service: 93 of Compose and x-caisson-probe.
  assert.equal(counts, [94, 25, 9])
})

test('every key says in one sentence what it is for', () => {
  const silent = allKeys.filter(({ schema: { description = '' } }) => !/^\S.{8,}\.$/.test(description))
  assert.equal(
    silent.map(({ pointer }) => pointer),
    [],
  )
  const nameless = Object.entries(definitions).filter(([, { description }]) => description === undefined)
  assert.equal(
    nameless.map(([name]) => name),
    [],
  )
})

test('every example fits the key that it stands beside', () => {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictTypes: false })
  // Of the YAML language server.
  ajv.addKeyword('doNotSuggest')
  ajv.addSchema(schema)
  const wrong = allKeys.flatMap(({ pointer, schema: { examples = [] } }) => {
    const validate = ajv.compile({ $ref: encodeURI(`compose.schema.json#${pointer}`) })
    return examples.filter((example) => !validate(example)).map((example) => `${pointer}: ${JSON.stringify(example)}`)
  })
  assert.equal(wrong, [])
  assert.ok(allKeys.filter(({ schema: { examples } }) => examples !== undefined).length > 250)
})

test('a variable may stand wherever one of some words does, but where it would hide what else is wrong', () => {
  const words = (holder: unknown, pointer: string): readonly string[] => {
    if (typeof holder !== 'object' || holder === null) return []
    const own = 'enum' in holder && !/\/anyOf\/\d+$/.test(pointer) ? [pointer] : []
    return [...own, ...Object.entries(holder).flatMap(([key, inner]) => words(inner, `${pointer}/${key}`))]
  }
  assert.equal(words(schema, ''), ['/$defs/service/properties/gpus/then'])
  const validate = new Ajv2020({ strict: false }).compile(schema)
  const fits = (service: object): boolean => validate({ services: { web: service } })
  for (const value of ['$POLICY', '${POLICY:-missing}', 'missing'])
    assert.ok(fits({ pull_policy: value, cgroup: '$C' }))
  for (const service of [{ pull_policy: 'newer' }, { cgroup: 'hst' }]) assert.not(fits(service))
})

const serviceKeys = Object.keys(schema.$defs.service.properties).filter((key) => !key.startsWith('x-'))

/** Gone before there is a model: they become other keys. */
const RESOLVED = new Set(['env_file', 'extends', 'label_file'])

test('every key of a service is modelled, or known not to be honoured', () => {
  const modelled = new Set(Object.keys(SERVICE_MODELLED))
  const forgotten = serviceKeys.filter(
    (key) => !modelled.has(key) && !RESOLVED.has(key) && (SERVICE_KEYS[key]?.kind ?? 'honoured') === 'honoured',
  )
  assert.equal(forgotten, [])
})

test('model and table of support have no key that the schema does not know', () => {
  const known = new Set(serviceKeys)
  const unknown = [...Object.keys(SERVICE_MODELLED), ...Object.keys(SERVICE_KEYS)].filter(
    (key) => !known.has(key.split('.')[0] ?? ''),
  )
  assert.equal(unknown, [])
})

const resolve = (inner: Schema): Schema =>
  inner.$ref === undefined ? inner : resolve(definitions[inner.$ref.replace('#/$defs/', '')] ?? {})

/** Keys of the schema that the canonical form has no field for. */
const shapeless = (inner: Schema, shape: Shape | undefined, path: string): readonly string[] => {
  const holder = resolve(inner)
  if (shape === undefined) return [path]
  if (typeof shape === 'string') return []
  if ('list' in shape) return holder.items ? shapeless(holder.items, shape.list, path) : []
  if ('each' in shape)
    return Object.values(holder.patternProperties ?? {}).flatMap((each) => shapeless(each, shape.each, `${path}.*`))
  return Object.entries(holder.properties ?? {}).flatMap(([key, each]) =>
    shapeless(each, shape.fields[key], path === '' ? key : `${path}.${key}`),
  )
}

test('the canonical form has a field for every key of the schema', () => {
  const resolved = ['include', 'version', 'services.*.extends', 'services.*.x-caisson-probe']
  assert.equal(
    shapeless(root, PROJECT, '').filter((path) => !resolved.includes(path)),
    [],
  )
})

const composeFiles = (directory: string): readonly string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/.test(name) && !/(^|\/)expected\./.test(name))
    .map((name) => join(directory, name))

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** Notes the pointers of the keys that occur in a value. */
const collect = (value: unknown, inner: Schema, pointer: string, found: Set<string>): void => {
  if (inner.$ref !== undefined) {
    collect(value, resolve(inner), inner.$ref.slice(1), found)
    return
  }
  if (Array.isArray(value)) {
    for (const item of value) if (inner.items) collect(item, inner.items, `${pointer}/items`, found)
    return
  }
  if (!isRecord(value)) return
  for (const [key, member] of Object.entries(value)) {
    const property = inner.properties?.[key]
    if (property) {
      const own = `${pointer}/properties/${escapePointer(key)}`
      found.add(own)
      collect(member, property, own, found)
      continue
    }
    const patterns = Object.entries(inner.patternProperties ?? {})
    const [pattern = '', each] = patterns.find(([text]) => new RegExp(text).test(key)) ?? []
    if (each) collect(member, each, `${pointer}/patternProperties/${escapePointer(pattern)}`, found)
  }
}

test('every key of the schema occurs in the corpus', () => {
  const found = new Set<string>()
  for (const file of composeFiles(fixtures)) {
    try {
      for (const document of parseAllDocuments(readFileSync(file, 'utf8'), { merge: true, logLevel: 'silent' }))
        if ('toJS' in document) collect(document.toJS(), root, '', found)
    } catch {
      // A case of broken YAML has no keys to show.
    }
  }
  assert.equal(
    allKeys.filter(({ pointer }) => !found.has(pointer)).map(({ pointer }) => pointer),
    [],
  )
})

test.run()
