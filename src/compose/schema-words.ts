/** Errors of the JSON Schema → one diagnostic for each mistake, in words. Loaded only when there is one. */
import type { ValidationError } from '../../build/compose-validator.cjs'
import schema from '../../schemas/compose.schema.json' with { type: 'json' }
import type { TreePath } from '../errors.ts'
import type { Code } from './codes.ts'
import type { Node } from './node.ts'
import { at } from './node.ts'
import type { Origin } from './project.ts'
import type { Report } from './report.ts'
import { didYouMean } from './suggest.ts'

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

/** The schema object that holds the keyword of an error. */
const holderOf = (schemaPath: string): Record<string, unknown> => {
  let current: unknown = schema
  for (const step of schemaPath
    .replace(/^[^#]*#\//, '')
    .split('/')
    .slice(0, -1)) {
    current = isRecord(current) ? current[unescapePointer(decodeURIComponent(step))] : undefined
  }
  return isRecord(current) ? current : {}
}

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
  const keys = propertiesOf(holderOf(error.schemaPath))
  if (keys.length === 0) {
    const hint = 'names consist of letters, digits, ".", "_" and "-"'
    return { code: 'name-invalid', message: `"${key}" cannot be a name in ${nameOf(path)}`, hint }
  }
  const hint = didYouMean(key, keys) ?? misplaced(key, path)
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
  const wanted = types.includes('string') ? types.filter((type) => type !== 'boolean' || types.length === 2) : types
  const words = enumerate(
    wanted.filter((type) => type !== 'null' || wanted.length === 1).map((type) => TYPE_WORDS[type] ?? type),
  )
  const isNumber = node?.kind === 'scalar' && typeof node.value !== 'string' && node.value !== null
  const hint = isNumber && types.includes('string') ? `put it in quotes: "${String(node.value)}"` : undefined
  return { code: 'type-wrong', message: `${nameOf(path)} is ${describeNode(node)}, but has to be ${words}`, hint }
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
      const hint = String(holderOf(error.schemaPath).description ?? '')
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
