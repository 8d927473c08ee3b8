/**
 * nf_tables messages (linux/netfilter/nf_tables.h): tables, chains, rules, sets, elements, and the batch around them.
 * Nothing newer than Linux 5.12. Attribute numbers are those of the header's enums. Integers in attributes are
 * big-endian; what goes to a register is in the byte order of the thing loaded there.
 */
import { NetlinkWriter, NLM_F } from './netlink.ts'
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
const TABLE_FLAG_OWNER = 2

/** One nf_tables request, without the header that encodeBatch gives it. */
export interface TableMessage {
  readonly message: number
  readonly flags: number
  readonly family: number
  readonly attributes: (out: NetlinkWriter) => void
}

/** `struct nfgenmsg`. */
const writeGeneric = (out: NetlinkWriter, family: number, resource: number): void =>
  out.raw(family, 0, resource >> 8, resource & 0xff)

const writeTableMessage = (out: NetlinkWriter, message: TableMessage, flags: number, sequence: number): void =>
  out.message(
    { type: (SUBSYSTEM << 8) | message.message, flags: NLM_F.request | message.flags | flags, sequence },
    () => {
      writeGeneric(out, message.family, 0)
      message.attributes(out)
    },
  )

/** A transaction: all of `messages` or none. Each is acknowledged, in order: as many NLMSG_ERROR as messages. */
export const encodeBatch = (messages: readonly TableMessage[]): Buffer => {
  const out = new NetlinkWriter()
  const mark = (type: number, sequence: number) =>
    out.message({ type, flags: NLM_F.request, sequence }, () => writeGeneric(out, FAMILY.unspec, SUBSYSTEM))
  mark(BATCH_BEGIN, 0)
  for (const [index, message] of messages.entries()) writeTableMessage(out, message, NLM_F.ack, index + 1)
  mark(BATCH_END, messages.length + 1)
  return out.bytes()
}

/** One request outside a batch: a dump (ends with NLMSG_DONE). */
export const encodeDump = (message: TableMessage): Buffer => {
  const out = new NetlinkWriter()
  writeTableMessage(out, message, NLM_F.dump, 1)
  return out.bytes()
}

/** Where something belongs: a table of a family. */
export interface TableName {
  readonly family: number
  readonly table: string
}

export const addTable = ({ family, table }: TableName): TableMessage => ({
  message: MESSAGE.newTable,
  flags: NLM_F.create,
  family,
  attributes: (out) => out.text(1, table),
})

/**
 * A table that belongs to the netlink socket which sends this: it goes when that socket does, also by kill -9, and no
 * `flush ruleset` of somebody else takes it (Linux 5.12).
 */
export const addOwnedTable = ({ family, table }: TableName): TableMessage => ({
  message: MESSAGE.newTable,
  flags: NLM_F.create,
  family,
  attributes: (out) => {
    out.text(1, table)
    out.number(2, TABLE_FLAG_OWNER)
  },
})

export const deleteTable = ({ family, table }: TableName): TableMessage => ({
  message: MESSAGE.deleteTable,
  flags: 0,
  family,
  attributes: (out) => out.text(1, table),
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
  attributes: (out) => {
    out.text(1, chain.table)
    out.text(3, chain.chain)
    out.nest(4, () => {
      out.number(1, chain.hook)
      out.number(2, chain.priority)
    })
    out.number(5, VERDICT[chain.policy])
    out.text(7, chain.type)
  },
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
  attributes: (out) => {
    out.text(1, rule.table)
    out.text(2, rule.chain)
    out.nest(4, () => {
      for (const expression of rule.expressions) out.nest(LIST_ELEMENT, () => expression(out))
    })
    out.attribute(7, commentData(rule.comment))
  },
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
  attributes: (out) => out.text(1, table),
})

/** `handle` as it was dumped. */
export const deleteRule = (
  rule: TableName & { readonly chain: string; readonly handle: Uint8Array },
): TableMessage => ({
  message: MESSAGE.deleteRule,
  flags: 0,
  family: rule.family,
  attributes: (out) => {
    out.text(1, rule.table)
    out.text(2, rule.chain)
    out.attribute(3, rule.handle)
  },
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
  attributes: (out) => {
    out.text(1, set.table)
    out.text(2, set.name)
    out.number(3, (set.interval ? SET_FLAG.interval : 0) | (set.data ? SET_FLAG.map : 0))
    out.number(4, typeOf(set.key))
    out.number(5, lengthOf(set.key))
    if (set.data) {
      out.number(6, typeOf(set.data))
      out.number(7, lengthOf(set.data))
    }
    out.number(10, set.id)
    if (set.hostOrder) out.attribute(13, HOST_ORDER)
  },
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

const writeElement = (out: NetlinkWriter, element: SetElement): void =>
  out.nest(LIST_ELEMENT, () => {
    if (element.intervalEnd) out.number(3, ELEMENT_INTERVAL_END)
    out.nest(1, () => out.attribute(1, element.key))
    const { data } = element
    if (data) out.nest(2, () => out.attribute(1, data))
  })

const elementMessage = (
  message: number,
  set: TableName & { readonly name: string },
  elements: readonly SetElement[],
): TableMessage => ({
  message,
  flags: message === MESSAGE.newElement ? NLM_F.create : 0,
  family: set.family,
  attributes: (out) => {
    out.text(1, set.table)
    out.text(2, set.name)
    out.nest(3, () => {
      for (const element of elements) writeElement(out, element)
    })
  },
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
  attributes: (out) => {
    out.text(1, table)
    if (chain !== undefined) out.text(2, chain)
  },
})

/** All chains of a family; FAMILY.unspec: of all families. */
export const dumpChains = (family: number): TableMessage => ({
  message: MESSAGE.getChain,
  flags: 0,
  family,
  attributes: () => {},
})

export const dumpElements = ({ family, table, name }: TableName & { readonly name: string }): TableMessage => ({
  message: MESSAGE.getElement,
  flags: 0,
  family,
  attributes: (out) => {
    out.text(1, table)
    out.text(2, name)
  },
})
