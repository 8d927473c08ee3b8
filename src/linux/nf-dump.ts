/** Readers of nf_tables dumps: as much of chains, rules and elements as checking and finding need. */
import { eachAttribute, findAttribute, readMessages, readText } from './netlink.ts'
import { MESSAGE } from './nf-tables.ts'

const SUBSYSTEM = 10
const GENERIC_HEADER_BYTES = 4
const NO_BYTES = Buffer.alloc(0)

/** nf_tables messages of one kind: [family, attributes]. */
function* dumped(replies: Buffer, kind: number): Generator<readonly [number, Buffer]> {
  for (const { type, body } of readMessages(replies)) {
    if (type !== ((SUBSYSTEM << 8) | kind) || body.length < GENERIC_HEADER_BYTES) continue
    yield [body.readUInt8(0), body.subarray(GENERIC_HEADER_BYTES)]
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

const readBase = (attributes: Buffer): DumpedChain['base'] => {
  const hook = findAttribute(attributes, 4)
  if (hook === undefined) return undefined
  return {
    hook: int32(findAttribute(hook, 1)),
    priority: int32(findAttribute(hook, 2)),
    policy: int32(findAttribute(attributes, 5)),
  }
}

export const readChains = (replies: Buffer): readonly DumpedChain[] =>
  Array.from(dumped(replies, MESSAGE.newChain), ([family, attributes]) => ({
    family,
    table: readText(findAttribute(attributes, 1)),
    chain: readText(findAttribute(attributes, 3)),
    base: readBase(attributes),
  }))

export interface DumpedRule {
  readonly family: number
  readonly table: string
  readonly chain: string
  /** 8 bytes, as deleteRule wants it. */
  readonly handle: Uint8Array
  readonly comment: string
  /** Not read yet (readExpressions). */
  readonly expressions: Buffer
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

export const readRules = (replies: Buffer): readonly DumpedRule[] =>
  Array.from(dumped(replies, MESSAGE.newRule), ([family, attributes]) => ({
    family,
    table: readText(findAttribute(attributes, 1)),
    chain: readText(findAttribute(attributes, 2)),
    handle: findAttribute(attributes, 3) ?? NO_BYTES,
    comment: readComment(findAttribute(attributes, 7)),
    expressions: findAttribute(attributes, 4) ?? NO_BYTES,
  }))

export interface RuleMeaning {
  /** Names of its expressions, in order. */
  readonly names: readonly string[]
  /** Code of its own verdict (an immediate), e.g. VERDICT.drop. undefined: none. */
  readonly verdict: number | undefined
}

const readVerdict = (attributes: Buffer | undefined): number | undefined => {
  const verdict = findAttribute(findAttribute(attributes, 2), 2)
  return verdict && int32(findAttribute(verdict, 1))
}

export const readExpressions = (rule: DumpedRule): RuleMeaning => {
  const names: string[] = []
  let verdict: number | undefined
  for (const [, element] of eachAttribute(rule.expressions)) {
    const name = readText(findAttribute(element, 1))
    names.push(name)
    if (name === 'immediate') verdict = readVerdict(findAttribute(element, 2)) ?? verdict
  }
  return { names, verdict }
}

/** Keys and data of a dumped set or map. */
export const readElements = (replies: Buffer): readonly { readonly key: Buffer; readonly data: Buffer | undefined }[] =>
  Array.from(dumped(replies, MESSAGE.newElement), ([, attributes]) => [
    ...eachAttribute(findAttribute(attributes, 3) ?? NO_BYTES),
  ]).flatMap((elements) =>
    elements.flatMap(([, element]) => {
      const key = findAttribute(findAttribute(element, 1), 1)
      return key === undefined ? [] : [{ key, data: findAttribute(findAttribute(element, 2), 1) }]
    }),
  )
