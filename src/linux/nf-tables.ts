/**
 * nf_tables messages (linux/netfilter/nf_tables.h): tables, chains, rules, sets, elements, and the batch around them.
 * Nothing newer than Linux 5.10. Attribute numbers are those of the header's enums. Integers in attributes are
 * big-endian; what goes to a register is in the byte order of the thing loaded there.
 */
import { attribute, encodeMessage, NLM_F, nested, textAttribute } from './netlink.ts'
import type { Expression } from './nf-expressions.ts'

/** SO_MARK of our host-port listeners: DNAT looks for it, so that it works only while the listener lives. */
export const LISTENER_MARK = 0xca15500

/** nfgenmsg.nfgen_family. */
export const FAMILY = { unspec: 0, inet: 1, ip: 2, bridge: 7, ip6: 10 } as const
/** NF_INET_*. */
export const HOOK = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const
/** nft(8) priorities. */
export const PRIORITY = { raw: -300, mangle: -150, dstnat: -100, filter: 0, srcnat: 100 } as const
export const VERDICT = { drop: 0, accept: 1, jump: -3, goto: -4, return: -5 } as const
/** Data types of nft(8): the kernel only stores them, `nft list` needs them. */
export const TYPE = { ipAddress: 7, protocol: 12, service: 13, interfaceName: 41 } as const
export const MESSAGE = {
  newTable: 0,
  deleteTable: 2,
  newChain: 3,
  getChain: 4,
  newRule: 6,
  getRule: 7,
  deleteRule: 8,
  newSet: 9,
  newElement: 12,
  getElement: 13,
  deleteElement: 14,
} as const

const SUBSYSTEM = 10
const BATCH_BEGIN = 16
const BATCH_END = 17
const LIST_ELEMENT = 1
const SET_FLAG = { interval: 4, map: 8 } as const
const ELEMENT_INTERVAL_END = 1

export const be32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value >>> 0)
  return buffer
}
export const be64 = (value: bigint): Buffer => {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64BE(value)
  return buffer
}

/** One nf_tables request, without the header that encodeBatch gives it. */
export interface TableMessage {
  readonly message: number
  readonly flags: number
  readonly family: number
  readonly attributes: readonly Uint8Array[]
}

const generic = (family: number, resource: number): Buffer => Buffer.from([family, 0, resource >> 8, resource & 0xff])

const encodeTableMessage = (message: TableMessage, flags: number, sequence: number): Buffer =>
  encodeMessage({
    type: (SUBSYSTEM << 8) | message.message,
    flags: NLM_F.request | message.flags | flags,
    sequence,
    body: Buffer.concat([generic(message.family, 0), ...message.attributes]),
  })

/** A transaction: all of `messages` or none. Each is acknowledged, in order: as many NLMSG_ERROR as messages. */
export const encodeBatch = (messages: readonly TableMessage[]): Buffer => {
  const mark = (type: number, sequence: number) =>
    encodeMessage({ type, flags: NLM_F.request, sequence, body: generic(FAMILY.unspec, SUBSYSTEM) })
  return Buffer.concat([
    mark(BATCH_BEGIN, 0),
    ...messages.map((message, index) => encodeTableMessage(message, NLM_F.ack, index + 1)),
    mark(BATCH_END, messages.length + 1),
  ])
}

/** One request outside a batch: a dump (ends with NLMSG_DONE). */
export const encodeDump = (message: TableMessage): Buffer => encodeTableMessage(message, NLM_F.dump, 1)

/** Where something belongs: a table of a family. */
export interface TableName {
  readonly family: number
  readonly table: string
}

export const addTable = ({ family, table }: TableName): TableMessage => ({
  message: MESSAGE.newTable,
  flags: NLM_F.create,
  family,
  attributes: [textAttribute(1, table)],
})

export const deleteTable = ({ family, table }: TableName): TableMessage => ({
  message: MESSAGE.deleteTable,
  flags: 0,
  family,
  attributes: [textAttribute(1, table)],
})

export interface BaseChain extends TableName {
  readonly chain: string
  readonly type: 'filter' | 'nat'
  readonly hook: number
  readonly priority: number
  /** What befalls a packet that no rule decides. */
  readonly policy: 'accept' | 'drop'
}

export const addBaseChain = (chain: BaseChain): TableMessage => ({
  message: MESSAGE.newChain,
  flags: NLM_F.create,
  family: chain.family,
  attributes: [
    textAttribute(1, chain.table),
    textAttribute(3, chain.chain),
    nested(4, attribute(1, be32(chain.hook)), attribute(2, be32(chain.priority))),
    attribute(5, be32(VERDICT[chain.policy])),
    textAttribute(7, chain.type),
  ],
})

export interface Rule extends TableName {
  readonly chain: string
  readonly expressions: readonly Expression[]
  /** Shown by `nft list`; at most 127 bytes. */
  readonly comment: string
}

/** libnftnl's userdata: type 0 (comment), length, text with its NUL. */
const commentData = (comment: string): Buffer => {
  const text = Buffer.from(`${comment}\0`)
  return Buffer.concat([Buffer.from([0, text.length]), text])
}

const ruleMessage = (rule: Rule, flags: number): TableMessage => ({
  message: MESSAGE.newRule,
  flags: NLM_F.create | flags,
  family: rule.family,
  attributes: [
    textAttribute(1, rule.table),
    textAttribute(2, rule.chain),
    nested(4, ...rule.expressions.map((expression) => nested(LIST_ELEMENT, expression))),
    attribute(7, commentData(rule.comment)),
  ],
})

/** At the end of its chain. */
export const appendRule = (rule: Rule): TableMessage => ruleMessage(rule, NLM_F.append)
/** At the start of its chain. */
export const insertRule = (rule: Rule): TableMessage => ruleMessage(rule, 0)

/** All rules of a table; its chains and sets stay. */
export const flushRules = ({ family, table }: TableName): TableMessage => ({
  message: MESSAGE.deleteRule,
  flags: 0,
  family,
  attributes: [textAttribute(1, table)],
})

export const deleteRule = (rule: TableName & { readonly chain: string; readonly handle: bigint }): TableMessage => ({
  message: MESSAGE.deleteRule,
  flags: 0,
  family: rule.family,
  attributes: [textAttribute(1, rule.table), textAttribute(2, rule.chain), attribute(3, be64(rule.handle))],
})

/** A part of a key: nft(8) type and its bytes. In a concatenation each part is padded to 4. */
export interface KeyPart {
  readonly type: number
  readonly bytes: number
}
export const PART = {
  ipAddress: { type: TYPE.ipAddress, bytes: 4 },
  protocol: { type: TYPE.protocol, bytes: 1 },
  service: { type: TYPE.service, bytes: 2 },
  interfaceName: { type: TYPE.interfaceName, bytes: 16 },
} as const satisfies Record<string, KeyPart>

export interface SetDefinition extends TableName {
  readonly name: string
  readonly key: readonly KeyPart[]
  /** A map where given. */
  readonly data?: readonly KeyPart[]
  /** Elements are ranges. */
  readonly interval?: true
  /** Keys that are not in network order, as names of interfaces: only `nft list` cares. */
  readonly hostOrder?: true
  /** Any number that is unique in its batch. */
  readonly id: number
}

/** libnftnl's userdata: type 0 (byte order of the key), length 4, 1 = host. */
const HOST_ORDER = Buffer.from([0, 4, 1, 0, 0, 0])

const TYPE_BITS = 6
const padded = (bytes: number): number => (bytes + 3) & ~3
const typeOf = (parts: readonly KeyPart[]): number => parts.reduce((type, part) => (type << TYPE_BITS) | part.type, 0)
const lengthOf = (parts: readonly KeyPart[]): number => {
  const [only] = parts
  return parts.length === 1 && only ? only.bytes : parts.reduce((length, part) => length + padded(part.bytes), 0)
}

export const addSet = (set: SetDefinition): TableMessage => ({
  message: MESSAGE.newSet,
  flags: NLM_F.create,
  family: set.family,
  attributes: [
    textAttribute(1, set.table),
    textAttribute(2, set.name),
    attribute(3, be32((set.interval ? SET_FLAG.interval : 0) | (set.data ? SET_FLAG.map : 0))),
    attribute(4, be32(typeOf(set.key))),
    attribute(5, be32(lengthOf(set.key))),
    ...(set.data ? [attribute(6, be32(typeOf(set.data))), attribute(7, be32(lengthOf(set.data)))] : []),
    attribute(10, be32(set.id)),
    ...(set.hostOrder ? [attribute(13, HOST_ORDER)] : []),
  ],
})

export interface SetElement {
  /** As long as the set's key (concatKey). */
  readonly key: Uint8Array
  readonly data?: Uint8Array
  /** Interval sets: the first key that is no longer in the range. */
  readonly intervalEnd?: true
}

/** A key or data of several parts: each padded to 4 bytes. */
export const concatKey = (...parts: readonly Uint8Array[]): Buffer =>
  Buffer.concat(
    parts.map((part) => {
      const buffer = Buffer.alloc(padded(part.length))
      buffer.set(part)
      return buffer
    }),
  )

const encodeElement = (element: SetElement): Buffer =>
  nested(
    LIST_ELEMENT,
    ...(element.intervalEnd ? [attribute(3, be32(ELEMENT_INTERVAL_END))] : []),
    nested(1, attribute(1, element.key)),
    ...(element.data ? [nested(2, attribute(1, element.data))] : []),
  )

const elementMessage = (
  message: number,
  set: TableName & { readonly name: string },
  elements: readonly SetElement[],
): TableMessage => ({
  message,
  flags: message === MESSAGE.newElement ? NLM_F.create : 0,
  family: set.family,
  attributes: [textAttribute(1, set.table), textAttribute(2, set.name), nested(3, ...elements.map(encodeElement))],
})

/** Elements that are there already are fine; a map's with other data is EEXIST or EBUSY. */
export const addElements = (
  set: TableName & { readonly name: string },
  elements: readonly SetElement[],
): TableMessage => elementMessage(MESSAGE.newElement, set, elements)

/** A missing element is ENOENT and undoes the whole batch (DESTROYSETELEM is Linux 6.3): one element a batch. */
export const deleteElements = (
  set: TableName & { readonly name: string },
  elements: readonly SetElement[],
): TableMessage => elementMessage(MESSAGE.deleteElement, set, elements)

/** All rules of a table, or of one chain of it. */
export const dumpRules = ({ family, table, chain }: TableName & { readonly chain?: string }): TableMessage => ({
  message: MESSAGE.getRule,
  flags: 0,
  family,
  attributes: [textAttribute(1, table), ...(chain === undefined ? [] : [textAttribute(2, chain)])],
})

/** All chains of a family; FAMILY.unspec: of all families. */
export const dumpChains = (family: number): TableMessage => ({
  message: MESSAGE.getChain,
  flags: 0,
  family,
  attributes: [],
})

export const dumpElements = ({ family, table, name }: TableName & { readonly name: string }): TableMessage => ({
  message: MESSAGE.getElement,
  flags: 0,
  family,
  attributes: [textAttribute(1, table), textAttribute(2, name)],
})
