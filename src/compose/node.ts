/**
 * The one tree of every phase from parse to canonical. Immutable: a phase returns new nodes where it changes something and
 * shares the others (aliases of YAML make it a DAG). Each node and key knows where it came from.
 */
import type { TreePath } from '../errors.ts'
import type { Origin } from './project.ts'

export type ScalarValue = string | number | bigint | boolean | null

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly value: ScalarValue
  readonly origin: Origin
  /** How it was written where that matters later: an unquoted date is a date to the reference implementation. */
  readonly date?: true
  /** Name of a variable: its value, where the file that says it has variables of its own. */
  readonly secretValue?: string
  readonly tag?: MergeTag
}

export interface MapNode {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, Entry>
  readonly origin: Origin
  readonly tag?: MergeTag
}

export interface SequenceNode {
  readonly kind: 'sequence'
  readonly items: readonly Node[]
  readonly origin: Origin
  readonly tag?: MergeTag
}

/** A node that was reported: later phases pass it on and say nothing about it. */
export interface PoisonedNode {
  readonly kind: 'poisoned'
  readonly origin: Origin
  readonly tag?: MergeTag
}

export type Node = ScalarNode | MapNode | SequenceNode | PoisonedNode

export interface Entry {
  /** undefined: the key was not written, a long form or a default brought it. */
  readonly key: Origin | undefined
  readonly value: Node
}

/** `!reset` and `!override` of the Compose specification, kept until merge. */
export type MergeTag = 'reset' | 'override'

const NO_VARIABLES: readonly string[] = []

export const createOrigin = (file: string, start: number, end: number): Origin => ({
  file,
  start,
  end,
  variables: NO_VARIABLES,
  replaced: undefined,
})

/** Of a value that goes without saying, where something at `origin` does not say another. */
export const assumed = ({ file, start, end }: Origin): Origin => ({
  file,
  start,
  end,
  variables: NO_VARIABLES,
  replaced: undefined,
  assumed: true,
})

/** Of a value that a variable gave alone: its name is all that was written. */
export const byVariable = (origin: Origin, name: string): Origin => ({
  ...origin,
  variables: [...origin.variables, name],
})

export const scalar = (value: ScalarValue, origin: Origin): ScalarNode => ({ kind: 'scalar', value, origin })
export const sequence = (items: readonly Node[], origin: Origin): SequenceNode => ({ kind: 'sequence', items, origin })
export const map = (entries: ReadonlyMap<string, Entry>, origin: Origin): MapNode => ({ kind: 'map', entries, origin })
export const poisoned = (origin: Origin): PoisonedNode => ({ kind: 'poisoned', origin })

/** A map whose keys nobody wrote; `undefined` values are left out. */
export const mapOf = (fields: Readonly<Record<string, Node | undefined>>, origin: Origin): MapNode => {
  const entries = new Map<string, Entry>()
  // Here and below, every service comes by often: `in` makes no pair for each field.
  for (const name in fields) {
    const value = fields[name]
    if (value) entries.set(name, { key: undefined, value })
  }
  return map(entries, origin)
}

/** As `new Map(entries)`, which takes twice as long and more: it makes a pair for each entry. */
const copyOf = (entries: ReadonlyMap<string, Entry>): Map<string, Entry> => {
  const copy = new Map<string, Entry>()
  entries.forEach((entry, name) => {
    copy.set(name, entry)
  })
  return copy
}

/**
 * The map with some entries set (kept keys keep their origin) and, where the value is undefined, removed; the same node where
 * nothing changed.
 */
export const withEntries = (node: MapNode, changes: Readonly<Record<string, Node | undefined>>): MapNode => {
  let entries: Map<string, Entry> | undefined
  for (const name in changes) {
    const value = changes[name]
    const old = node.entries.get(name)
    if (old?.value === value) continue
    entries ??= copyOf(node.entries)
    if (value) entries.set(name, { key: old?.key, value })
    else entries.delete(name)
  }
  return entries ? { ...node, entries } : node
}

/** Each value replaced by what `change` makes of it; the same node where nothing changed. */
export const mapValues = (node: MapNode, change: (value: Node, name: string) => Node): MapNode => {
  let entries: Map<string, Entry> | undefined
  // Every phase comes by here for every node: forEach makes no pair for each entry.
  node.entries.forEach((entry, name) => {
    const value = change(entry.value, name)
    if (value === entry.value) return
    entries ??= copyOf(node.entries)
    entries.set(name, { key: entry.key, value })
  })
  return entries ? { ...node, entries } : node
}

export const mapItems = (node: SequenceNode, change: (item: Node, index: number) => Node): SequenceNode => {
  let changed = false
  const items = node.items.map((item, index) => {
    const next = change(item, index)
    changed ||= next !== item
    return next
  })
  return changed ? { ...node, items } : node
}

export const get = (node: Node | undefined, name: string): Node | undefined =>
  node?.kind === 'map' ? node.entries.get(name)?.value : undefined

export const at = (node: Node | undefined, path: TreePath): Node | undefined => {
  let current = node
  for (const step of path) {
    if (current?.kind === 'sequence') current = current.items[Number(step)]
    else current = get(current, String(step))
  }
  return current
}

/** The map with the value at `path` replaced; steps that do not exist yet become maps. */
export const replaceAt = (node: Node, path: TreePath, value: Node): Node => {
  const [step, ...rest] = path
  if (step === undefined) return value
  if (node.kind === 'sequence')
    return mapItems(node, (item, index) => (index === step ? replaceAt(item, rest, value) : item))
  if (node.kind !== 'map') return node
  return withEntries(node, { [step]: replaceAt(get(node, String(step)) ?? mapOf({}, value.origin), rest, value) })
}

export const isNull = (node: Node | undefined): boolean => node?.kind === 'scalar' && node.value === null

export const textOf = (node: Node | undefined): string | undefined =>
  node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined

/** Text of any scalar but null, as the reference prints it (Go's %v). */
export const printScalar = (value: Exclude<ScalarValue, null>): string =>
  typeof value === 'number' ? printNumber(value) : String(value)

/** As Go does: whole numbers of 64 bits plainly, others with an exponent from 1e6 up and below 1e-4, of two digits at least. */
export const printNumber = (value: number): string => {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const magnitude = Math.abs(value)
  const isPlain =
    magnitude === 0 || (Number.isInteger(value) ? magnitude < 2 ** 64 : magnitude >= 1e-4 && magnitude < 1e6)
  return isPlain ? String(value) : value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}

export type Plain = string | number | bigint | boolean | null | readonly Plain[] | { readonly [key: string]: Plain }

/**
 * Plain values of a tree. Poisoned nodes become empty text: whoever looks at them has to know that they are poisoned.
 * `exact`: integers beyond 2^53 stay bigint.
 */
export const toPlain = (node: Node, exact = false): Plain => {
  switch (node.kind) {
    case 'scalar':
      return exact ? node.value : approximate(node.value)
    case 'sequence':
      return node.items.map((item) => toPlain(item, exact))
    case 'map': {
      const plain: Record<string, Plain> = {}
      node.entries.forEach((entry, name) => {
        define(plain, name, toPlain(entry.value, exact))
      })
      return plain
    }
    case 'poisoned':
      return ''
  }
}

/** What JSON can say. */
const approximate = (value: ScalarValue): ScalarValue => {
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'number' && !Number.isFinite(value) ? 0 : value
}

/** Sets a property also where its name is `__proto__`. */
export const define = <T>(target: Record<string, T>, name: string, value: T): void => {
  if (name === '__proto__')
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
  else target[name] = value
}
