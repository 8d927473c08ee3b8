/**
 * The table inside a container's namespace: port 53 of 127.0.0.11 is netd's DNS_PORT, so that a service may bind port 53
 * itself. Stateless: no connection tracking comes to life. Where the service uses connection tracking, it sees port 53 in
 * both directions: queries are rewritten after it, answers before.
 */
import { compare, type Expression, FIELD, immediate, meta, payload, R1, setPayload } from '../linux/nf-expressions.ts'
import {
  addBaseChain,
  addTable,
  appendRule,
  encodeBatch,
  FAMILY,
  flushRules,
  HOOK,
  PRIORITY,
  type TableMessage,
} from '../linux/nf-tables.ts'
import { bytesOf } from './ipv4.ts'
import { DNS_PORT, RESOLVER_ADDRESS } from './resolv.ts'

const TABLE = { family: FAMILY.ip, table: 'caisson' } as const
const QUERIES = {
  ...TABLE,
  chain: 'queries',
  type: 'filter',
  hook: HOOK.output,
  priority: PRIORITY.mangle,
  policy: 'accept',
} as const
const ANSWERS = {
  ...TABLE,
  chain: 'answers',
  type: 'filter',
  hook: HOOK.output,
  priority: PRIORITY.raw,
  policy: 'accept',
} as const

/** IPPROTO_* and where its header has the checksum. */
const PROTOCOLS = [
  { name: 'udp', number: 17, checksum: 6 },
  { name: 'tcp', number: 6, checksum: 16 },
] as const

const port = (value: number): Buffer => {
  const buffer = Buffer.alloc(2)
  buffer.writeUInt16BE(value)
  return buffer
}

type Protocol = (typeof PROTOCOLS)[number]
type Field = (typeof FIELD)[keyof typeof FIELD]

const rewrite = (address: Field, field: Field, from: number, to: number, protocol: Protocol): readonly Expression[] => [
  payload(address, R1),
  compare(R1, 'eq', bytesOf(RESOLVER_ADDRESS)),
  meta('l4proto', R1),
  compare(R1, 'eq', Buffer.from([protocol.number])),
  payload(field, R1),
  compare(R1, 'eq', port(from)),
  immediate(R1, port(to)),
  setPayload(field, R1, protocol.checksum),
]

const rulesFor = (protocol: Protocol): readonly TableMessage[] => [
  appendRule({
    ...TABLE,
    chain: QUERIES.chain,
    comment: `${protocol.name} query`,
    expressions: rewrite(FIELD.ipDestination, FIELD.destinationPort, 53, DNS_PORT, protocol),
  }),
  appendRule({
    ...TABLE,
    chain: ANSWERS.chain,
    comment: `${protocol.name} answer`,
    expressions: rewrite(FIELD.ipSource, FIELD.sourcePort, DNS_PORT, 53, protocol),
  }),
]

const encodeTable = (): Buffer =>
  encodeBatch([
    addTable(TABLE),
    addBaseChain(QUERIES),
    addBaseChain(ANSWERS),
    flushRules(TABLE),
    ...PROTOCOLS.flatMap(rulesFor),
  ])

let encoded: Buffer | undefined

/** LaunchPlan.network.firewall, the same for every container. Idempotent: the namespace is kept over restarts. */
export const containerTable = (): Buffer => {
  encoded ??= encodeTable()
  return encoded
}
