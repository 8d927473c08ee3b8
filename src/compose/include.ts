/** `include`: what a document says of other files, and their services and resources below its own. Reading is elsewhere. */
import type { TreePath } from '../errors.ts'
import type { Mention } from './growth.ts'
import { mergeOver } from './merge.ts'
import type { Entry, MapNode, Node } from './node.ts'
import { get, isNull, map, textOf, withEntries } from './node.ts'
import type { PathContext } from './paths.ts'
import { directoryOf, resolvePath } from './paths.ts'
import { isRemote } from './remote.ts'
import type { Report } from './report.ts'

export interface FileMention extends Mention {
  /** Absolute, or remote. */
  readonly file: string
}

/** One entry of the list. */
export interface Include {
  /** Later ones over earlier ones; at least one. */
  readonly files: readonly [FileMention, ...FileMention[]]
  /** Absolute; relative paths of the files start here. */
  readonly directory: string
  /** undefined: `.env` of the directory, where there is one. */
  readonly envFiles: readonly FileMention[] | undefined
}

const SECTIONS = ['services', 'networks', 'volumes', 'secrets', 'configs', 'models']

const mentions = (node: Node | undefined, path: TreePath, context: PathContext): readonly FileMention[] => {
  const items = node?.kind === 'sequence' ? node.items : node ? [node] : []
  return items.flatMap((item, index) => {
    const text = textOf(item)
    if (text === undefined || text === '') return []
    const file = isRemote(text) ? text : resolvePath(text, context)
    return { file, path: node?.kind === 'sequence' ? [...path, index] : path, origin: item.origin }
  })
}

const includeOf = (entry: Node, path: TreePath, context: PathContext): readonly Include[] => {
  const isLong = entry.kind === 'map'
  const [first, ...more] = mentions(isLong ? get(entry, 'path') : entry, isLong ? [...path, 'path'] : path, context)
  if (!first) return []
  const directory = textOf(get(entry, 'project_directory'))
  const envFiles = mentions(get(entry, 'env_file'), [...path, 'env_file'], context)
  return [
    {
      files: [first, ...more],
      directory: directory ? resolvePath(directory, context) : directoryOf(first.file),
      envFiles: envFiles.length > 0 ? envFiles : undefined,
    },
  ]
}

/** Entries of no known form are left out: the schema has a word for them. */
export const includesOf = (document: Node, context: PathContext): readonly Include[] => {
  const list = get(document, 'include')
  if (list?.kind !== 'sequence') return []
  return list.items.flatMap((entry, index) => includeOf(entry, ['include', index], context))
}

/** Whether two trees say the same, wherever they say it. */
const saysTheSame = (one: Node, other: Node): boolean => {
  if (one === other) return true
  if (one.kind === 'scalar' && other.kind === 'scalar') return one.value === other.value
  if (one.kind === 'sequence' && other.kind === 'sequence') {
    const { items } = other
    return (
      one.items.length === items.length && one.items.every((item, index) => saysTheSame(item, items[index] ?? other))
    )
  }
  if (one.kind !== 'map' || other.kind !== 'map' || one.entries.size !== other.entries.size) return false
  return [...one.entries].every(([name, { value }]) => {
    const twin = other.entries.get(name)
    return twin !== undefined && saysTheSame(value, twin.value)
  })
}

/** Puts what is included below what a document says itself. One for each document. */
export class Importer {
  readonly #report: Report
  /** By path: what came from an earlier entry. */
  readonly #imported = new Map<string, Node>()

  constructor(report: Report) {
    this.#report = report
  }

  import(document: MapNode, included: MapNode): MapNode {
    let result = document
    for (const section of SECTIONS) {
      const resources = get(included, section)
      if (resources?.kind === 'map')
        result = withEntries(result, { [section]: this.#section(get(result, section), resources, section) })
    }
    return result
  }

  /** A section of no known form stays: the schema has a word for it. */
  #section(own: Node | undefined, included: MapNode, section: string): Node {
    if (own && own.kind !== 'map' && !isNull(own)) return own
    const entries = new Map<string, Entry>(own?.kind === 'map' ? own.entries : [])
    for (const [name, entry] of included.entries) {
      const present = entries.get(name)
      const value = present ? this.#both(entry.value, present.value, [section, name]) : entry.value
      if (!present) this.#imported.set(`${section}.${name}`, value)
      entries.set(name, { key: present?.key ?? entry.key, value })
    }
    return own?.kind === 'map' ? { ...own, entries } : map(entries, included.origin)
  }

  #both(included: Node, present: Node, path: readonly [string, string]): Node {
    if (saysTheSame(included, present)) return present
    const name = path.join('.')
    const earlier = this.#imported.get(name)
    if (earlier) {
      this.#report.add({
        code: 'include-conflict',
        severity: 'warning',
        path,
        message: `${name} is in two included files, and differs`,
        hint: 'what the first one says wins; say it once',
        origin: included.origin,
        related: { message: 'the first one is at', origin: earlier.origin },
      })
    }
    return mergeOver(included, present, { report: this.#report, path, where: 'in an included file' })
  }
}
