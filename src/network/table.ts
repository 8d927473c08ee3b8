/**
 * The base table: one `ip caisson` for all projects of a NetworkRoot (base chains cost every packet, so never one table
 * a project). Its rules never change; networks and containers only add and delete map and set elements (elements.ts).
 * Family ip, not inet: containers have IPv4 only, and IPv6 packets should not pay for it.
 *
 * Per packet: two byte compares (raw) and one conntrack state (forward). All else is for the first packet of a flow.
 */
import {
  accept,
  bitwise,
  CT_STATE,
  CT_STATUS,
  compare,
  conntrack,
  dnat,
  drop,
  type Expression,
  FIELD,
  fibDestinationType,
  fibReversePath,
  host32,
  inSet,
  lookUp,
  masquerade,
  meta,
  payload,
  R1,
  R2,
  RTN_LOCAL,
  socketMark,
  word,
} from '../linux/nf-expressions.ts'
import { readRules } from '../linux/nf-dump.ts'
import {
  addBaseChain,
  addSet,
  addTable,
  appendRule,
  type BaseChain,
  FAMILY,
  flushRules,
  HOOK,
  LISTENER_MARK,
  PART,
  PRIORITY,
  type SetDefinition,
  type TableMessage,
} from '../linux/nf-tables.ts'

/** All bridges are called `cs-…`; nothing else of ours is. */
export const BRIDGE_PREFIX = 'cs-'

export const TABLE = { family: FAMILY.ip, table: 'caisson' } as const

export const SETS = {
  /** (in, out) where both are the same bridge: traffic inside one network. */
  sameNetwork: { ...TABLE, name: 'same_network', key: [PART.interfaceName, PART.interfaceName], id: 1 },
  /** Bridges without a way in or out. */
  internal: { ...TABLE, name: 'internal', key: [PART.interfaceName], hostOrder: true, id: 2 },
  /** Container addresses that are masqueraded where they leave. */
  subnets: { ...TABLE, name: 'subnets', key: [PART.ipAddress], interval: true, id: 3 },
  /** Published on every address: (protocol, port) to (container, port). */
  published: {
    ...TABLE,
    name: 'published',
    key: [PART.protocol, PART.service],
    data: [PART.ipAddress, PART.service],
    id: 4,
  },
  /** Published on one address. */
  publishedAt: {
    ...TABLE,
    name: 'published_at',
    key: [PART.ipAddress, PART.protocol, PART.service],
    data: [PART.ipAddress, PART.service],
    id: 5,
  },
} as const satisfies Record<string, SetDefinition>

const CHAINS = {
  raw: { ...TABLE, chain: 'raw', type: 'filter', hook: HOOK.prerouting, priority: PRIORITY.raw, policy: 'accept' },
  prerouting: {
    ...TABLE,
    chain: 'prerouting',
    type: 'nat',
    hook: HOOK.prerouting,
    priority: PRIORITY.dstnat,
    policy: 'accept',
  },
  forward: {
    ...TABLE,
    chain: 'forward',
    type: 'filter',
    hook: HOOK.forward,
    priority: PRIORITY.filter,
    policy: 'accept',
  },
  postrouting: {
    ...TABLE,
    chain: 'postrouting',
    type: 'nat',
    hook: HOOK.postrouting,
    priority: PRIORITY.srcnat,
    policy: 'accept',
  },
} as const satisfies Record<string, BaseChain>

const fromBridge = [meta('iifname', R1), compare(R1, 'eq', Buffer.from(BRIDGE_PREFIX))]
const toBridge = [meta('oifname', R1), compare(R1, 'eq', Buffer.from(BRIDGE_PREFIX))]
const notToBridge = [meta('oifname', R1), compare(R1, 'neq', Buffer.from(BRIDGE_PREFIX))]
const notFromLoopback = [meta('iifname', R1), compare(R1, 'neq', Buffer.from('lo\0'))]
const insideOneNetwork = [meta('iifname', R1), meta('oifname', R2), inSet(SETS.sameNetwork.name, R1)]
const fromSubnets = [payload(FIELD.ipSource, R1), inSet(SETS.subnets.name, R1)]
export const toThisHost = [fibDestinationType(R2), compare(R2, 'eq', host32(RTN_LOCAL))]
const whileListenerLives = [socketMark(R2), compare(R2, 'eq', host32(LISTENER_MARK))]

const anyBit = (key: 'state' | 'status', bits: number): readonly Expression[] => [
  conntrack(key, R1),
  bitwise(R1, host32(bits), host32(0)),
  compare(R1, 'neq', host32(0)),
]
const established = anyBit('state', CT_STATE.established | CT_STATE.related)
const invalid = anyBit('state', CT_STATE.invalid)
const wasPublished = anyBit('status', CT_STATUS.dnat)

/** 127.0.0.0/8 is one byte. */
const loopbackAddress = (field: { readonly base: 'network'; readonly offset: number }): readonly Expression[] => [
  payload({ ...field, bytes: 1 }, R1),
  compare(R1, 'eq', Buffer.from([127])),
]

/** A miss in the map ends the rule: the lookup comes first because it is the cheapest question. */
export const publishedAtAddress = [
  payload(FIELD.ipDestination, word(0)),
  meta('l4proto', word(1)),
  payload(FIELD.destinationPort, word(2)),
  lookUp(SETS.publishedAt.name, R1, R1),
]
export const publishedAnywhere = [
  meta('l4proto', word(0)),
  payload(FIELD.destinationPort, word(1)),
  lookUp(SETS.published.name, R1, R1),
]
export const toContainer = dnat(FAMILY.ip, word(0), word(1))

interface BaseRule {
  readonly chain: keyof typeof CHAINS
  readonly comment: string
  readonly expressions: readonly Expression[]
}
const rule = (chain: keyof typeof CHAINS, comment: string, ...expressions: readonly Expression[]): BaseRule => ({
  chain,
  comment,
  expressions,
})

/** Raised whenever a rule below changes: verification sees it in the comments. */
const VERSION = 2

const RULES: readonly BaseRule[] = [
  // route_localnet on our bridges, which localhost publishing needs, must not open 127/8 to anybody (CVE-2020-8558).
  rule('raw', 'to loopback from outside', ...loopbackAddress(FIELD.ipDestination), ...notFromLoopback, drop),
  rule('raw', 'from loopback from outside', ...loopbackAddress(FIELD.ipSource), ...notFromLoopback, drop),

  // As rp_filter does, which is loose where conf.all is (Ubuntu); here for the first packet of a flow only.
  rule('prerouting', 'stolen source', ...fromBridge, fibReversePath(R1), compare(R1, 'eq', host32(0)), drop),
  // A stale element must not shadow a service that has the port now: our listener must be the one that would be reached.
  rule(
    'prerouting',
    'published on an address',
    ...publishedAtAddress,
    ...toThisHost,
    ...whileListenerLives,
    toContainer,
  ),
  rule('prerouting', 'published', ...publishedAnywhere, ...toThisHost, ...whileListenerLives, toContainer),

  rule('forward', 'established', ...established, accept),
  rule('forward', 'one network', ...insideOneNetwork, accept),
  rule('forward', 'untraceable', ...fromBridge, ...invalid, drop),
  rule('forward', 'from internal', meta('iifname', R1), inSet(SETS.internal.name, R1), drop),
  rule('forward', 'to internal', meta('oifname', R1), inSet(SETS.internal.name, R1), drop),
  rule('forward', 'published', ...toBridge, ...wasPublished, accept),
  rule('forward', 'isolation', ...toBridge, drop),

  // 127.0.0.1 must not leave the host as a source; and who reaches a neighbour, or itself, through the host's
  // address must see the answer come back the same way.
  rule('postrouting', 'localhost', ...loopbackAddress(FIELD.ipSource), ...toBridge, masquerade),
  rule('postrouting', 'hairpin', ...toBridge, ...wasPublished, ...fromSubnets, masquerade),
  rule('postrouting', 'leaving', ...fromSubnets, ...notToBridge, masquerade),
]

const commentOf = (base: BaseRule): string => `caisson/${VERSION} ${base.comment}`

/** Makes the table what it should be, whatever is there: one transaction, elements are kept. */
export const baseTable = (): readonly TableMessage[] => [
  addTable(TABLE),
  ...Object.values(CHAINS).map(addBaseChain),
  ...Object.values(SETS).map(addSet),
  flushRules(TABLE),
  ...RULES.map((base) =>
    appendRule({ ...TABLE, chain: base.chain, expressions: base.expressions, comment: commentOf(base) }),
  ),
]

/** Whether a table, as dumped (dumpRules), has exactly our rules, in this version, in order. */
export const isIntact = (replies: Buffer): boolean => {
  const found = readRules(replies).map((found) => `${found.chain} ${found.comment}`)
  const byChain = Object.values(CHAINS).flatMap(({ chain }) => RULES.filter((base) => base.chain === chain))
  const expected = byChain.map((base) => `${base.chain} ${commentOf(base)}`)
  return found.sort().join('\n') === expected.sort().join('\n')
}
