/** Readers of nf_tables dumps: as much of chains, rules and elements as checking and finding need. */
import { eachAttribute, readAttributes, readMessages, readText } from './netlink.ts'
import { MESSAGE } from './nf-tables.ts'

const GENERIC_HEADER_BYTES = 4

/** nf_tables messages of one kind: [family, attributes]. */
function* dumped(replies: Buffer, kind: number): Generator<readonly [number, ReadonlyMap<number, Buffer>]> {
  for (const { type, body } of readMessages(replies)) {
    if (type >> 8 !== 10 || (type & 0xff) !== kind || body.length < GENERIC_HEADER_BYTES) continue
    yield [body.readUInt8(0), readAttributes(body.subarray(GENERIC_HEADER_BYTES))]
  }
}

export interface DumpedChain {
  readonly family: number
  readonly table: string
  readonly chain: string
  /** Where it hooks in; undefined: reached by jumps only. */
  readonly base: { readonly hook: number; readonly priority: number; readonly policy: number } | undefined
}

const int32 = (content: Buffer | undefined): number => (content && content.length >= 4 ? content.readInt32BE(0) : 0)

const readBase = (attributes: ReadonlyMap<number, Buffer>): DumpedChain['base'] => {
  const nest = attributes.get(4)
  if (nest === undefined) return undefined
  const hook = readAttributes(nest)
  return { hook: int32(hook.get(1)), priority: int32(hook.get(2)), policy: int32(attributes.get(5)) }
}

export const readChains = (replies: Buffer): readonly DumpedChain[] =>
  [...dumped(replies, MESSAGE.newChain)].map(([family, attributes]) => ({
    family,
    table: readText(attributes.get(1)),
    chain: readText(attributes.get(3)),
    base: readBase(attributes),
  }))

export interface DumpedRule {
  readonly family: number
  readonly table: string
  readonly chain: string
  readonly handle: bigint
  readonly comment: string
  /** Names of its expressions, in order. */
  readonly expressions: readonly string[]
  /** Code of its own verdict (an immediate), e.g. VERDICT.drop. undefined: none. */
  readonly verdict: number | undefined
}

/** Userdata is a list of (type, length, content); type 0 is the comment. */
const readComment = (data: Buffer | undefined): string => {
  for (let at = 0; data !== undefined && at + 2 <= data.length; ) {
    const end = at + 2 + data.readUInt8(at + 1)
    if (data.readUInt8(at) === 0) return readText(data.subarray(at + 2, end))
    at = end
  }
  return ''
}

const readVerdict = (data: Buffer | undefined): number | undefined => {
  const immediate = data && readAttributes(data).get(2)
  const verdict = immediate && readAttributes(immediate).get(2)
  return verdict && int32(readAttributes(verdict).get(1))
}

const readExpressions = (list: Buffer | undefined): Pick<DumpedRule, 'expressions' | 'verdict'> => {
  const expressions: string[] = []
  let verdict: number | undefined
  for (const [, element] of eachAttribute(list ?? Buffer.alloc(0))) {
    const attributes = readAttributes(element)
    const name = readText(attributes.get(1))
    expressions.push(name)
    if (name === 'immediate') verdict = readVerdict(attributes.get(2)) ?? verdict
  }
  return { expressions, verdict }
}

export const readRules = (replies: Buffer): readonly DumpedRule[] =>
  [...dumped(replies, MESSAGE.newRule)].map(([family, attributes]) => ({
    family,
    table: readText(attributes.get(1)),
    chain: readText(attributes.get(2)),
    handle: attributes.get(3)?.readBigUInt64BE(0) ?? 0n,
    comment: readComment(attributes.get(7)),
    ...readExpressions(attributes.get(4)),
  }))

/** Keys and data of a dumped set or map. */
export const readElements = (replies: Buffer): readonly { readonly key: Buffer; readonly data: Buffer | undefined }[] =>
  [...dumped(replies, MESSAGE.newElement)].flatMap(([, attributes]) =>
    [...eachAttribute(attributes.get(3) ?? Buffer.alloc(0))].flatMap(([, element]) => {
      const parts = readAttributes(element)
      const value = (nest: Buffer | undefined) => nest && readAttributes(nest).get(1)
      const key = value(parts.get(1))
      return key === undefined ? [] : [{ key, data: value(parts.get(2)) }]
    }),
  )
