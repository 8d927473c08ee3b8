/**
 * The most frequent slip of all: lines stand in the wrong column. Each of them is then wrong where it is; that is one mistake,
 * told once.
 */
import type { TreePath } from '../errors.ts'
import type { MapNode, Node } from './node.ts'
import { at } from './node.ts'
import type { Origin } from './project.ts'
import type { Report } from './report.ts'
import { keysAt, SECTIONS } from './schema-lookup.ts'
import { type Mistake, unknownOf } from './schema-mistake.ts'
import { enumerate, nameOf } from './words.ts'

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

/** A mistake, the place of the line that caused it, and the places at which it shows. */
interface Slip {
  readonly path: TreePath
  readonly message: string
  readonly hint: string
  readonly origin: Origin
  readonly shows: readonly TreePath[]
}

const keyOrigin = (holder: MapNode, key: string): Origin => holder.entries.get(key)?.key ?? holder.origin

/** `web:` with its `image:` in the same column. */
const besideTheirKey = (tree: Node, mistakes: readonly Mistake[]): readonly Slip[] =>
  mistakes.filter(isEmpty).flatMap(({ path }) => {
    const above = path.slice(0, -1)
    const holder = at(tree, above)
    const keys = strays(tree, path, mistakes)
    const [first] = keys
    if (holder?.kind !== 'map' || first === undefined) return []
    return {
      path,
      message: `${nameOf(path)} is empty: "${first}" stands beside it, not below it`,
      hint: `indent "${first}" and what belongs to it further than "${String(path.at(-1))}"`,
      origin: keyOrigin(holder, first),
      shows: [path, ...keys.map((key) => [...above, key])],
    }
  })

/** `volumes:` of the file among the services. */
const sectionsAmongServices = (tree: Node, mistakes: readonly Mistake[]): readonly Slip[] => {
  const services = at(tree, ['services'])
  if (services?.kind !== 'map') return []
  return ['networks', 'volumes', 'secrets', 'configs'].flatMap((section) => {
    const path = ['services', section]
    if (!mistakes.some((mistake) => isBelow(placeOf(mistake), path))) return []
    return {
      path,
      message: `"${section}" stands among the services`,
      hint: `if it is no service, indent it as far as services: itself`,
      origin: keyOrigin(services, section),
      shows: [path],
    }
  })
}

const isService = (node: Node | undefined): boolean =>
  node?.kind === 'map' && (node.entries.has('image') || node.entries.has('build'))

/** The form of files before 2016. */
const withoutServices = (tree: Node, mistakes: readonly Mistake[]): readonly Slip[] => {
  if (tree.kind !== 'map' || tree.entries.has('services')) return []
  const unknown = mistakes.filter(({ path }) => path.length === 0).map(({ error }) => unknownOf(error) ?? '')
  const names = unknown.filter((key) => isService(at(tree, [key])))
  const [first] = names
  if (first === undefined) return []
  return [
    {
      path: [first],
      message: `The file has no services: above ${enumerate(
        names.map((name) => `"${name}"`),
        'and',
      )}`,
      hint: 'write services: in a line before them, and indent them below it',
      origin: keyOrigin(tree, first),
      shows: names.map((name) => [name]),
    },
  ]
}

/** Empty because of what stands beside it and was reported. */
const echoes = (tree: Node, mistakes: readonly Mistake[]): readonly TreePath[] =>
  mistakes.filter(isEmpty).flatMap(({ path }) => {
    const holder = at(tree, path.slice(0, -1))
    const isEcho = holder?.kind === 'map' && [...holder.entries.values()].some(({ value }) => value.kind === 'poisoned')
    return isEcho ? [path] : []
  })

interface Rest {
  readonly rest: readonly Mistake[]
  /** Places that are told already. */
  readonly broken: TreePath[]
}

export const lostIndentations = (tree: Node, mistakes: readonly Mistake[], report: Report): Rest => {
  const broken = [...echoes(tree, mistakes)]
  const isTold = (mistake: Mistake): boolean => broken.some((place) => isBelow(placeOf(mistake), place))
  for (const find of [withoutServices, sectionsAmongServices, besideTheirKey]) {
    const rest = mistakes.filter((mistake) => !isTold(mistake))
    for (const { shows, ...slip } of find(tree, rest)) {
      report.add({ code: 'type-wrong', ...slip })
      broken.push(...shows)
    }
  }
  return { broken, rest: mistakes.filter((mistake) => !isTold(mistake)) }
}
