/** Map and set elements of the base table (table.ts): all that a network or a container adds to it. */
import {
  addElements,
  concatKey,
  deleteElements,
  dumpElements,
  type SetElement,
  type TableMessage,
  type TableName,
} from '../linux/nf-tables.ts'
import { addressBytes, bytesOf, endOf, subnetOf } from './ipv4.ts'
import { SETS, TABLE } from './table.ts'

/** One published port that the kernel forwards. */
export interface Publication {
  /** IPv4 the port is published on; `0.0.0.0`: every address of the NetworkRoot. */
  readonly hostIp: string
  readonly hostPort: number
  readonly protocol: 'tcp' | 'udp'
  /** IPv4 of the container. */
  readonly address: string
  readonly containerPort: number
}

/** What the table has to know of a network. A NetworkLease is one. */
export interface NetworkElements {
  readonly bridge: string
  readonly subnet: string
  readonly internal: boolean
}

interface Entry {
  readonly set: (typeof SETS)[keyof typeof SETS]
  readonly elements: readonly SetElement[]
}

export const ANY_ADDRESS = '0.0.0.0'
const IFNAMSIZ = 16
const PROTOCOL = { tcp: 6, udp: 17 } as const

const interfaceName = (name: string): Buffer => {
  const buffer = Buffer.alloc(IFNAMSIZ)
  buffer.write(name, 0, IFNAMSIZ - 1)
  return buffer
}

const port = (value: number): Buffer => {
  const buffer = Buffer.alloc(2)
  buffer.writeUInt16BE(value)
  return buffer
}

const rangeOf = (subnet: string): readonly SetElement[] => {
  const range = subnetOf(subnet)
  const start = { key: addressBytes(range.base) }
  const end = endOf(range)
  return end > 0xffff_ffff ? [start] : [start, { key: addressBytes(end), intervalEnd: true }]
}

/** Its entry in each set that a network can be in. */
const entriesOf = ({ bridge, subnet }: Pick<NetworkElements, 'bridge' | 'subnet'>) => {
  const name = interfaceName(bridge)
  return {
    same: { set: SETS.sameNetwork, elements: [{ key: concatKey(name, name) }] },
    internal: { set: SETS.internal, elements: [{ key: name }] },
    subnet: { set: SETS.subnets, elements: rangeOf(subnet) },
  } as const satisfies Record<string, Entry>
}

/** What a published port is found by. */
export type PublishedKey = Pick<Publication, 'hostIp' | 'hostPort' | 'protocol'>

const publishedKey = ({ hostIp, hostPort, protocol }: PublishedKey): Buffer => {
  const anywhere = [Buffer.from([PROTOCOL[protocol]]), port(hostPort)]
  return hostIp === ANY_ADDRESS ? concatKey(...anywhere) : concatKey(bytesOf(hostIp), ...anywhere)
}

const publishedSet = ({ hostIp }: PublishedKey) => (hostIp === ANY_ADDRESS ? SETS.published : SETS.publishedAt)

const publicationEntry = (publication: Publication): Entry => ({
  set: publishedSet(publication),
  elements: [
    {
      key: publishedKey(publication),
      data: concatKey(bytesOf(publication.address), port(publication.containerPort)),
    },
  ],
})

const toMessage = ({ set, elements }: Entry): TableMessage => addElements(set, elements)

export const addNetwork = (network: NetworkElements): readonly TableMessage[] => {
  const { same, internal, subnet } = entriesOf(network)
  return [same, network.internal ? internal : subnet].map(toMessage)
}

/** Each for a batch of its own: a missing one undoes its batch, and one is always missing. */
export const deleteNetwork = (network: Pick<NetworkElements, 'bridge' | 'subnet'>): readonly TableMessage[] =>
  Object.values(entriesOf(network)).map(({ set, elements }) => deleteElements(set, elements))

/** Into the maps of the base table, or of another one that has them. */
export const addPublications = (
  publications: readonly Publication[],
  table: TableName = TABLE,
): readonly TableMessage[] =>
  publications.map((publication) => {
    const { set, elements } = publicationEntry(publication)
    return addElements({ ...set, ...table }, elements)
  })

/** A batch of its own, by key. */
export const deletePublication = (publication: PublishedKey): TableMessage =>
  deleteElements(publishedSet(publication), [{ key: publishedKey(publication) }])

/** Both maps of published ports. */
export const dumpPublished = (): readonly TableMessage[] => [SETS.published, SETS.publishedAt].map(dumpElements)

/** Whether a dumped map has the key. */
export const isPublished = (elements: readonly { readonly key: Buffer }[], publication: PublishedKey): boolean =>
  elements.some(({ key }) => key.equals(publishedKey(publication)))
