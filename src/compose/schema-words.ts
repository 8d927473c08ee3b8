/** Errors of the JSON Schema → one diagnostic for each mistake, in words. Loaded only when there is one. */
import type { ValidationError } from '../../build/compose-validator.cjs'
import schema from '../../schemas/compose.schema.json' with { type: 'json' }
import type { TreePath } from '../errors.ts'
import type { Code } from './codes.ts'
import type { Node } from './node.ts'
import { at } from './node.ts'
import type { Origin } from './project.ts'
import type { Report } from './report.ts'
import { didYouMean } from '../units/suggest.ts'

interface Words {
  readonly code: Code
  readonly message: string
  readonly hint?: string | undefined
}

interface Mistake {
  readonly error: ValidationError
  readonly path: TreePath
  readonly node: Node | undefined
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'empty',
  object: 'a map',
  array: 'a list',
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const resolveReference = (value: unknown): Record<string, unknown> => {
  if (!isRecord(value)) return {}
  const reference = typeof value.$ref === 'string' ? value.$ref.replace('#/$defs/', '') : undefined
  const definitions: Readonly<Record<string, unknown>> = schema.$defs
  return reference === undefined
    ? value
    : { ...resolveReference(definitions[reference]), description: value.description }
}

/** What the schema says about the value at a path. */
const schemaAt = (path: TreePath): Record<string, unknown> =>
  path.reduce<Record<string, unknown>>((holder, step) => {
    if (typeof step === 'number') return resolveReference(holder.items)
    const named = isRecord(holder.properties) ? holder.properties[step] : undefined
    const patterns = isRecord(holder.patternProperties) ? Object.entries(holder.patternProperties) : []
    return resolveReference(named ?? patterns.find(([pattern]) => new RegExp(pattern).test(step))?.[1])
  }, schema)

const unescapePointer = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~')

export const parsePointer = (pointer: string, tree: Node): TreePath => {
  let node: Node | undefined = tree
  return pointer
    .split('/')
    .slice(1)
    .map((raw) => {
      const step = unescapePointer(raw)
      const path = node?.kind === 'sequence' ? Number(step) : step
      node = at(node, [path])
      return path
    })
}

const enumerate = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`

const nameOf = (path: TreePath): string => (path.length === 0 ? 'The file' : path.join('.'))

const describeNode = (node: Node | undefined): string => {
  if (node?.kind === 'sequence') return 'a list'
  if (node?.kind !== 'scalar') return 'a map'
  if (node.value === null) return 'empty'
  if (typeof node.value === 'string') return `the text "${node.value}"`
  return typeof node.value === 'boolean' ? `${node.value}` : `the number ${node.value}`
}

const propertiesOf = (holder: Record<string, unknown>): string[] =>
  isRecord(holder.properties) ? Object.keys(holder.properties) : []

const unknownKey = ({ error, path }: Mistake): Words => {
  const key = String(error.params.additionalProperty)
  const keys = propertiesOf(schemaAt(path))
  if (keys.length === 0) {
    const hint = 'names consist of letters, digits, ".", "_" and "-"'
    return { code: 'name-invalid', message: `"${key}" cannot be a name in ${nameOf(path)}`, hint }
  }
  const hint = misplaced(key, path) ?? didYouMean(key, keys)
  return { code: 'key-unknown', message: `${nameOf(path)} has no key "${key}"`, hint }
}

const misplaced = (key: string, path: TreePath): string | undefined => {
  const isServiceKey = Object.hasOwn(schema.$defs.service.properties, key)
  if (path.length === 0) return isServiceKey ? `"${key}" belongs to a service: indent it below one` : undefined
  return path[0] === 'services' && Object.hasOwn(schema.properties, key)
    ? `"${key}" belongs to the top level of the file`
    : undefined
}

const wrongType = ({ error, path, node }: Mistake): Words => {
  const types = [error.params.type].flat().map(String)
  // Text is allowed beside true, false and whole numbers for the sake of variables only.
  const isTyped = types.length === 2 && types[1] === 'string' && types[0] !== 'number' && types[0] !== 'array'
  const wanted = (isTyped && !types.includes('null') ? types.slice(0, 1) : types).filter((type) => type !== 'null')
  const words = enumerate(wanted.map((type) => TYPE_WORDS[type] ?? type))
  return {
    code: 'type-wrong',
    message: `${nameOf(path)} is ${describeNode(node)}, but has to be ${words}`,
    hint: typeHint(types, node),
  }
}

const typeHint = (types: readonly string[], node: Node | undefined): string | undefined => {
  if (node?.kind !== 'scalar' || node.value === null) return undefined
  if (typeof node.value === 'string') {
    const isGlued = types.includes('object') && /^[\w-]+:\S/.test(node.value)
    return isGlued ? 'write a space after the colon' : undefined
  }
  return types.includes('string') ? `put it in quotes: "${String(node.value)}"` : undefined
}

const notAllowed = ({ error, path, node }: Mistake): Words => {
  const allowed = Array.isArray(error.params.allowedValues) ? error.params.allowedValues.map(String) : []
  const value = node?.kind === 'scalar' ? String(node.value) : ''
  const hint = didYouMean(value, allowed)
  return {
    code: 'value-not-allowed',
    message: `${nameOf(path)} is "${value}", but has to be ${enumerate(allowed)}`,
    hint,
  }
}

const describe = (mistake: Mistake): Words | undefined => {
  const { error, path, node } = mistake
  const limit = String(error.params.limit)
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(mistake)
    case 'type':
      return wrongType(mistake)
    case 'enum':
      return notAllowed(mistake)
    case 'required':
      return { code: 'key-missing', message: `${nameOf(path)} has no "${String(error.params.missingProperty)}"` }
    case 'uniqueItems':
      return { code: 'value-twice', message: `${nameOf(path)} lists the same value twice` }
    case 'minimum':
      return {
        code: 'value-not-allowed',
        message: `${nameOf(path)} is ${describeNode(node)}, but has to be at least ${limit}`,
      }
    case 'maximum':
      return {
        code: 'value-not-allowed',
        message: `${nameOf(path)} is ${describeNode(node)}, but has to be at most ${limit}`,
      }
    case 'pattern': {
      const hint = String(schemaAt(path).description ?? '')
      return {
        code: 'value-not-allowed',
        message: `${nameOf(path)} cannot be ${describeNode(node)}`,
        hint: hint || undefined,
      }
    }
    default:
      return undefined
  }
}

/** Where to point: at the unknown key, the later twin, else the value. */
const placeOf = ({ error, node }: Mistake): Origin | undefined => {
  if (error.keyword === 'additionalProperties' && node?.kind === 'map') {
    const entry = node.entries.get(String(error.params.additionalProperty))
    return entry?.key ?? entry?.value.origin
  }
  if (error.keyword === 'uniqueItems' && node?.kind === 'sequence') return node.items[Number(error.params.i)]?.origin
  return node?.origin
}

const isPoisonedEntry = ({ error, node }: Mistake): boolean =>
  error.keyword === 'additionalProperties' && at(node, [String(error.params.additionalProperty)])?.kind === 'poisoned'

/** Reports each mistake once; returns the paths of the values that later phases had better not look at. */
export const reportMistakes = (tree: Node, errors: readonly ValidationError[], report: Report): readonly TreePath[] => {
  const broken: TreePath[] = []
  for (const error of errors) {
    const path = parsePointer(error.instancePath, tree)
    const mistake: Mistake = { error, path, node: at(tree, path) }
    if (mistake.node?.kind === 'poisoned' || isPoisonedEntry(mistake)) continue
    const words = describe(mistake)
    if (!words) continue
    const isKey = error.keyword === 'additionalProperties'
    const place = isKey ? [...path, String(error.params.additionalProperty)] : path
    report.add({ ...words, path: place, origin: placeOf(mistake) })
    broken.push(place)
  }
  return broken
}
