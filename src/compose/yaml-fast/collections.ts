/** What maps and lists have in common, in brackets or not: levels, keys, `<<`, anchors. */
import type { Entry, MapNode, Node } from '../node.ts'
import { map } from '../node.ts'
import { isDate, resolvePlain } from '../scalar.ts'
import { giveUp, originOf, type Reading } from './reading.ts'
import { readName, type Text } from './scalars.ts'

/** Far below what the package takes, and what the stack takes. */
const DEEPEST = 64
/** With what aliases repeat; and how many nodes they may repeat. Beyond lies what is to be reported. */
const DEEPEST_REPEATED = 400
const MOST_REPEATED = 200_000

/** Longer keys are a mistake. */
const LONGEST_KEY = 1000

/** One level of maps and lists around `read`. */
export const nest = <T>(reading: Reading, read: () => T): T => {
  reading.depth++
  reading.size++
  reading.deepest = Math.max(reading.deepest, reading.depth)
  if (reading.depth > DEEPEST) giveUp()
  const result = read()
  reading.depth--
  return result
}

/** A map on the way. */
export interface Pairs {
  readonly entries: Map<string, Entry>
  /** Of `<<`. */
  merged: Node | undefined
}

const isText = ({ value, plain }: Text): boolean =>
  !plain || (typeof resolvePlain(value) === 'string' && !isDate(value))

export const addPair = (reading: Reading, pairs: Pairs, key: Text, value: Node): void => {
  if (key.end - key.start > LONGEST_KEY) giveUp()
  if (key.plain && key.value === '<<') {
    if (pairs.merged !== undefined) giveUp()
    pairs.merged = value
    return
  }
  if (pairs.entries.has(key.value) || !isText(key)) giveUp()
  pairs.entries.set(key.value, { key: originOf(reading, key.start, key.end), value })
}

/** Own keys win over merged ones, the first merged map over later ones. */
export const finishMap = (reading: Reading, { entries, merged }: Pairs, start: number, end: number): MapNode => {
  if (merged === undefined) return map(entries, originOf(reading, start, end))
  for (const source of merged.kind === 'sequence' ? merged.items : [merged]) {
    if (source.kind !== 'map') return giveUp()
    for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry)
  }
  return map(entries, originOf(reading, start, end))
}

export const readAlias = (reading: Reading): Node => {
  const known = reading.anchors.get(readName(reading)) ?? giveUp()
  reading.size += known.size
  reading.repeated += known.size
  reading.deepest = Math.max(reading.deepest, reading.depth + known.depth)
  if (reading.repeated > MOST_REPEATED || reading.deepest > DEEPEST_REPEATED) giveUp()
  return known.node
}

/** `name` stands for what `read` gives, from then on. */
export const anchor = (reading: Reading, name: string, read: () => Node): Node => {
  const { size, depth, deepest } = reading
  reading.anchors.delete(name)
  reading.deepest = depth
  const node = read()
  reading.anchors.set(name, { node, size: reading.size - size, depth: reading.deepest - depth })
  reading.deepest = Math.max(reading.deepest, deepest)
  return node
}
