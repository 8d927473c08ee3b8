/** How messages name places and values. */
import type { TreePath } from '../errors.ts'
import type { Node } from './node.ts'

/** `services.web.image`, `item 2 of services.web.ports`, `target in item 1 of services.web.volumes`. */
export const nameOf = (path: TreePath): string => {
  if (path.length === 0) return 'The file'
  const index = path.findLastIndex((step) => typeof step === 'number')
  if (index < 0) return path.join('.')
  const item = `item ${Number(path[index]) + 1} of ${nameOf(path.slice(0, index))}`
  const rest = path.slice(index + 1)
  return rest.length === 0 ? item : `${rest.join('.')} in ${item}`
}

/** `a, b or c`. */
export const enumerate = (words: readonly string[], last = 'or'): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`

/** Characters of a value that a message shows. */
const SHOWN = 60

export const quoted = (text: string): string => {
  const letters = [...text.slice(0, 2 * SHOWN)]
  return `"${letters.length > SHOWN ? `${letters.slice(0, SHOWN).join('')}…` : text}"`
}

/** ` (from $PORT)` behind a value that is not written as it reads. */
export const fromVariables = (node: Node | undefined): string => {
  const names = node?.origin.variables ?? []
  return names.length === 0 ? '' : ` (from ${names.map((name) => `$${name}`).join(', ')})`
}

/** A value in quotes and where it comes from; what is no single value by its form. */
export const shown = (node: Node): string => {
  if (node.kind !== 'scalar') return node.kind === 'map' ? 'a map' : 'a list'
  return `${quoted(String(node.value))}${fromVariables(node)}`
}

/** `the text "a"`, `the number 1`, `a list`. */
export const describeNode = (node: Node | undefined): string => {
  if (node?.kind === 'sequence') return 'a list'
  if (node?.kind !== 'scalar') return 'a map'
  const { value } = node
  if (value === null) return 'empty'
  if (typeof value === 'string') return `the text ${quoted(value)}${fromVariables(node)}`
  return `${typeof value === 'boolean' ? '' : 'the number '}${value}${fromVariables(node)}`
}
