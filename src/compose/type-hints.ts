/** What to write instead of a value of the wrong form. */
import type { TreePath } from '../errors.ts'
import { formatDuration } from '../units/duration.ts'
import type { MapNode, Node, ScalarNode } from './node.ts'
import { printScalar } from './node.ts'
import { isRecord, keysAt, schemaAt } from './schema-lookup.ts'
import { kindAt } from './shape.ts'

export interface TypeMistake {
  readonly path: TreePath
  readonly node: Node | undefined
  /** Names of the schema's types. */
  readonly types: readonly string[]
  /** The value as the file has it; undefined where that is not known. */
  readonly written: string | undefined
}

const SHORT = 40

const isShort = (text: string): boolean => text.length <= SHORT && !text.includes('\n')

/** `A: b` of a map with one key; undefined for any other. */
export const onlyPair = (node: Node | undefined): readonly [string, string] | undefined => {
  if (node?.kind !== 'map' || node.entries.size !== 1) return undefined
  const [[key, { value }] = ['', { value: node }]] = node.entries
  if (value.kind !== 'scalar' || value.value === null) return undefined
  return [key, printScalar(value.value)]
}

/** Values by key, of which a list of `KEY=VALUE` is another form. */
const takesPairs = (path: TreePath): boolean => {
  const { patternProperties } = schemaAt(path.slice(0, -1))
  const values = isRecord(patternProperties) ? Object.values(patternProperties) : []
  return values.some((value) => isRecord(value) && [value.type].flat().includes('string'))
}

const instead = (text: string): string => `write ${text}`

const forEmpty = (path: TreePath): string => {
  if (path.length === 2 && path[0] === 'services') return 'add image: NAME in a line below it, indented further'
  if (path.length === 1) return 'add something in a line below it, indented further, or delete the line'
  const key = path.at(-1)
  if (path.at(-2) === 'depends_on')
    return `write condition: service_started below it, or ${String(key)} in a list with dashes`
  return typeof key === 'number'
    ? 'delete the dash, or write a value behind it'
    : `write a value behind ${key}:, or delete the line`
}

const forNumber = (node: ScalarNode, { path, written, types }: TypeMistake): string => {
  if (types[0] === 'boolean') return instead(node.value === 0 ? 'false' : 'true')
  const text = written ?? String(node.value)
  const isTime = kindAt(path)?.startsWith('duration') === true && typeof node.value === 'number'
  return isTime ? instead(formatDuration(Number(node.value) * 1e9)) : `put it in quotes: "${text}"`
}

/** A map that reads as text, because something is missing in its one line. */
const forGlued = (text: string, path: TreePath): string | undefined => {
  if (/^[\w-]+:\S/.test(text)) return 'write a space after the colon'
  const [, key = '', value = ''] = /^([\w-]+)\s+(.+)$/.exec(text) ?? []
  if (keysAt(path).includes(key)) return `write a colon after "${key}": ${key}: ${value}`
  return path.length === 2 && path[0] === 'services'
    ? `write image: ${text} in a line below it, indented further`
    : undefined
}

const forText = (text: string, { types, path }: TypeMistake): string | undefined => {
  const glued = types.includes('object') && isShort(text) ? forGlued(text, path) : undefined
  if (glued !== undefined) return glued
  if (!types.includes('array') || !isShort(text)) return undefined
  if (/^-[^\s-]/.test(text)) return `write a space after the dash: - ${text.slice(1)}`
  if (types.includes('object') && !text.includes('=') && takesPairs([...path, 0]))
    return 'write NAME: value in lines below it, indented further'
  const plain = /^[\w./-]+$/.test(text) ? text : `"${text}"`
  return `write it as a list: [${plain}]`
}

/** Lists whose items are two things with a colon between. */
const COLON_LISTS = ['ports', 'volumes', 'devices', 'external_links', 'links']

const forMap = (node: MapNode, { types, path }: TypeMistake): string | undefined => {
  const pair = onlyPair(node)
  if (types.includes('array')) {
    const [first = ''] = node.entries.keys()
    const value = node.entries.get(first)?.value
    const text = value?.kind === 'scalar' && value.value !== null ? printScalar(value.value) : undefined
    if (text === undefined) return `write a dash before each: - ${first}`
    const isPair = COLON_LISTS.includes(String(path.at(-1)))
    return `write a dash before each: - ${isPair ? `"${first}:${text}"` : `${first}: ${text}`}`
  }
  if (pair === undefined || typeof path.at(-1) !== 'number') return undefined
  return takesPairs(path)
    ? `write ${pair[0]}: ${pair[1]} without the dash, or - ${pair[0]}=${pair[1]}`
    : `put it in quotes: "${pair[0]}: ${pair[1]}"`
}

const forList = (items: readonly Node[], { types, path }: TypeMistake): string | undefined => {
  const [first] = items
  if (types.includes('object')) {
    if (first?.kind === 'map') return 'leave out the dashes'
    return first?.kind === 'scalar' && first.value !== null && path.length === 1
      ? `write ${printScalar(first.value)}: instead of - ${printScalar(first.value)}`
      : undefined
  }
  const isOne = items.length === 1 && first?.kind === 'scalar' && first.value !== null
  return isOne ? `write ${printScalar(first.value ?? '')} alone, without a list` : undefined
}

export const typeHint = (mistake: TypeMistake): string | undefined => {
  const { node, types, path } = mistake
  if (node?.kind === 'map') return forMap(node, mistake)
  if (node?.kind === 'sequence') return forList(node.items, mistake)
  if (node?.kind !== 'scalar') return undefined
  if (node.value === null) return forEmpty(path)
  if (typeof node.value === 'string') return forText(node.value, mistake)
  return types.includes('string') ? forNumber(node, mistake) : undefined
}
