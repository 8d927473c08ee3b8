/**
 * The most frequent slip of all: lines that should stand below a key stand beside it. The key is then empty, and each of the
 * lines is wrong where it is; that is one mistake.
 */
import type { TreePath } from '../errors.ts'
import type { Node } from './node.ts'
import { at } from './node.ts'
import type { Report } from './report.ts'
import { keysAt, SECTIONS } from './schema-lookup.ts'
import { type Mistake, unknownOf } from './schema-mistake.ts'
import { nameOf } from './words.ts'

const isEmpty = ({ error, node }: Mistake): boolean =>
  error.keyword === 'type' && node?.kind === 'scalar' && node.value === null

/** Where a mistake is, unknown keys included. */
const placeOf = ({ path, error }: Mistake): TreePath => {
  const unknown = unknownOf(error)
  return unknown === undefined ? path : [...path, unknown]
}

const isBelow = (place: TreePath, base: TreePath): boolean =>
  place.length >= base.length && base.every((step, index) => place[index] === step)

const belongsBelow = (key: string, path: TreePath): boolean => {
  if (path.length === 1 && path[0] === 'services') return !SECTIONS.includes(key) && !key.startsWith('x-')
  return keysAt(path).includes(key)
}

/** Keys after the empty one that are wrong where they stand and would be right below it. */
const strays = (tree: Node, path: TreePath, mistakes: readonly Mistake[]): readonly string[] => {
  const above = path.slice(0, -1)
  const holder = at(tree, above)
  if (holder?.kind !== 'map') return []
  const keys = [...holder.entries.keys()]
  return keys
    .slice(keys.indexOf(String(path.at(-1))) + 1)
    .filter((key) => belongsBelow(key, path))
    .filter((key) => mistakes.some((mistake) => isBelow(placeOf(mistake), [...above, key])))
}

interface Rest {
  readonly rest: readonly Mistake[]
  /** Places that are told already. */
  readonly broken: TreePath[]
}

export const lostIndentations = (tree: Node, mistakes: readonly Mistake[], report: Report): Rest => {
  const broken: TreePath[] = []
  for (const { path } of mistakes.filter(isEmpty)) {
    const above = path.slice(0, -1)
    const holder = at(tree, above)
    const keys = strays(tree, path, mistakes)
    const [first] = keys
    if (first === undefined || holder?.kind !== 'map') continue
    report.add({
      code: 'type-wrong',
      path,
      message: `${nameOf(path)} is empty: "${first}" stands beside it, not below it`,
      hint: `indent "${first}" and what belongs to it further than "${String(path.at(-1))}"`,
      origin: holder.entries.get(first)?.key ?? holder.origin,
    })
    broken.push(path, ...keys.map((key) => [...above, key]))
  }
  return { broken, rest: mistakes.filter((mistake) => !broken.some((place) => isBelow(placeOf(mistake), place))) }
}
