/** How one container is connected: addresses are reserved, the rest is computed. */
import assert from 'node:assert'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { encodeBatch } from '../linux/nf-tables.ts'
import type { EndpointPlan, LaunchPlan, ListenerPlan, UndoStep } from '../native/launch-plan.ts'
import { isIPv4 } from '../units/addresses.ts'
import { claim, claimPath, release } from './claims.ts'
import { containerTable } from './container-table.ts'
import { type NetworkLease, networkDirectory } from './driver.ts'
import { addPublications, deletePublication, type Publication } from './elements.ts'
import { localTable } from './local-table.ts'
import { NetworkError } from './errors.ts'
import { type AddressSpace, addressesAfter, formatMac, isUsable, macOf, parseMac } from './ipam.ts'
import { bytesOf, formatAddress, parseAddress, subnetOf } from './ipv4.ts'
import { bytesOfIPv6 } from './ipv6.ts'
import type { NetworkRoot } from './network-root.ts'
import { type BoundPort, portKey } from './ports.ts'
import { DNS_PORT, type ResolverSettings } from './resolv.ts'

/** One network that a container joins. In the order of eth0, eth1 … (sortAttachments). */
export interface Attachment {
  readonly network: NetworkLease
  /** Service name, container name, short id, aliases. Lower-cased here; what cannot be a DNS name is left out. */
  readonly names: readonly string[]
  /** What its address is called: the container's name. */
  readonly reverseName: string
  readonly ipv4Address: string | undefined
  readonly macAddress: string | undefined
  readonly priority: number
  readonly gwPriority: number
  /** Name inside; undefined: ethN. */
  readonly interfaceName: string | undefined
}

export interface ConnectInput {
  /** Container id. */
  readonly owner: string
  readonly run: string
  readonly attachments: readonly Attachment[]
  /** One for each attachment (reserveAddresses). */
  readonly addresses: readonly string[]
  readonly ports: readonly BoundPort[]
  /** Names that this container alone uses, each for a name on its networks. */
  readonly aliases: readonly { readonly alias: string; readonly name: string }[]
  readonly resolver: ResolverSettings
  /** At least 8 bytes for each attachment: fresh names of the host ends. */
  readonly random: Uint8Array
}

export interface ConnectedAddress {
  /** Network id. */
  readonly network: string
  /** Network name. */
  readonly name: string
  readonly address: string
  readonly prefixLength: number
  readonly gateway: string
  /** `02:ca:0a:59:01:02` */
  readonly mac: string
}

export interface Connection {
  /** Goes into Allocation.network as it is; `dns.seccomp` is left empty. */
  readonly network: Omit<LaunchPlan['network'], 'settings'>
  /** In the order of network.listeners: become MONITOR_FD.firstListener and on. */
  readonly listenerFds: readonly number[]
  /** For the run's record (state/records.ts RunRecord). */
  readonly addresses: readonly ConnectedAddress[]
  readonly ports: readonly Omit<BoundPort, 'fd'>[]
  /** What the kernel forwards of `ports`, for verifyNetworks. */
  readonly publications: readonly Publication[]
  /** Scope stop, by the place they have in the undo list. */
  readonly undo: {
    readonly firewall: readonly UndoStep[]
    readonly conntrack: readonly UndoStep[]
    readonly names: readonly UndoStep[]
    readonly claims: readonly UndoStep[]
  }
}

const STOP = 'stop' as const
const ETHERNET = 'eth'
const VETH_ID_BYTES = 5
const RANDOM_BYTES = 8
const DNS_SERVER_PORT = 53
const NOTHING = new Uint8Array()

const isUdp = ({ protocol }: { readonly protocol: string }): boolean => protocol === 'udp'

/** Highest priority first, ties by network name: the order of eth0, eth1 … */
export const sortAttachments = (attachments: readonly Attachment[]): readonly Attachment[] =>
  [...attachments].sort(
    (one, other) => other.priority - one.priority || (one.network.name < other.network.name ? -1 : 1),
  )

/**
 * Index of the network that has the default route, and that published ports go to: the highest gwPriority, ties in order.
 * -1: all are internal; nothing is published then.
 */
export const gatewayIndex = (attachments: readonly Attachment[]): number => {
  const candidates = attachments.flatMap(({ network, gwPriority }, index) =>
    network.internal ? [] : [{ index, gwPriority }],
  )
  const best = Math.max(...candidates.map(({ gwPriority }) => gwPriority))
  return candidates.find(({ gwPriority }) => gwPriority === best)?.index ?? -1
}

const addressKey = (network: NetworkLease, address: string): string => `${network.id}.${address}`

const spaceOf = (network: NetworkLease): AddressSpace => ({
  subnet: subnetOf(network.subnet),
  gateway: bytesOf(network.gateway).readUInt32BE(0),
  range: network.range === undefined ? undefined : subnetOf(network.range),
  reserved: new Set(network.reserved?.map((address) => bytesOf(address).readUInt32BE(0))),
})

const refuse = (network: NetworkLease, message: string): NetworkError =>
  new NetworkError('EADDRESS', `network '${network.name}': ${message}`)

const claimStatic = (root: NetworkRoot, owner: string, network: NetworkLease, address: string): string => {
  const parsed = parseAddress(address)
  if (parsed === undefined || !isUsable(spaceOf(network), parsed)) {
    throw refuse(network, `address ${address} cannot be used in ${network.subnet} (gateway ${network.gateway})`)
  }
  const result = claim(root, 'ip', addressKey(network, address), owner)
  if (result.state === 'claimed') return address
  throw refuse(network, `address ${address} is taken by ${root.owners.describe('ip', result.owner)}`)
}

const cursorFile = (root: NetworkRoot, network: NetworkLease): string =>
  join(networkDirectory(root.run, network.id), 'last-address')

const lastAddress = (root: NetworkRoot, network: NetworkLease): number | undefined => {
  try {
    return parseAddress(readFileSync(cursorFile(root, network), 'utf8'))
  } catch {
    return undefined
  }
}

/** Only a hint (the claim is what counts): two commands may write it at once. */
const rememberAddress = (root: NetworkRoot, network: NetworkLease, address: string): void => {
  mkdirSync(networkDirectory(root.run, network.id), { recursive: true, mode: 0o711 })
  writeFileSync(cursorFile(root, network), address)
}

const claimNext = (root: NetworkRoot, owner: string, network: NetworkLease): string => {
  for (const candidate of addressesAfter(spaceOf(network), lastAddress(root, network))) {
    const address = formatAddress(candidate)
    if (claim(root, 'ip', addressKey(network, address), owner).state === 'taken') continue
    rememberAddress(root, network, address)
    return address
  }
  throw refuse(network, `no free address is left in ${network.range ?? network.subnet}`)
}

/** Claims one IPv4 on each network, in order; all or nothing. Throws NetworkError EADDRESS. */
export const reserveAddresses = (
  root: NetworkRoot,
  owner: string,
  attachments: readonly Attachment[],
): readonly string[] => {
  const addresses: string[] = []
  try {
    for (const { network, ipv4Address } of attachments) {
      const isDynamic = ipv4Address === undefined
      addresses.push(isDynamic ? claimNext(root, owner, network) : claimStatic(root, owner, network, ipv4Address))
    }
    return addresses
  } catch (error) {
    releaseAddresses(root, owner, attachments, addresses)
    throw error
  }
}

/** For a container that was not started after all. */
export const releaseAddresses = (
  root: NetworkRoot,
  owner: string,
  attachments: readonly Attachment[],
  addresses: readonly string[],
): void => {
  for (const [index, address] of addresses.entries()) {
    const network = attachments[index]?.network
    if (network) release(root, 'ip', addressKey(network, address), owner)
  }
}

/** One attachment with all that was chosen for it. */
interface Joined extends Attachment {
  readonly address: string
  readonly mac: Buffer
  readonly hostName: string
  readonly isGateway: boolean
}

const joinAll = (input: ConnectInput): readonly Joined[] => {
  const gateway = gatewayIndex(input.attachments)
  return input.attachments.map((attachment, index) => {
    const address = input.addresses[index]
    assert(address !== undefined, 'an attachment without an address')
    const random = input.random.subarray(index * RANDOM_BYTES, index * RANDOM_BYTES + VETH_ID_BYTES)
    assert(random.length === VETH_ID_BYTES, 'too few random bytes')
    return {
      ...attachment,
      address,
      mac: (attachment.macAddress && parseMac(attachment.macAddress)) || macOf(bytesOf(address).readUInt32BE(0)),
      hostName: `veth${Buffer.from(random).toString('hex')}`,
      isGateway: index === gateway,
    }
  })
}

const endpointOf = (joined: Joined, index: number): EndpointPlan => ({
  bridge: joined.network.bridge,
  hostName: joined.hostName,
  name: joined.interfaceName ?? `${ETHERNET}${index}`,
  mac: joined.mac,
  mtu: joined.network.mtu,
  address: bytesOf(joined.address),
  prefixLength: subnetOf(joined.network.subnet).prefixLength,
  gateway: joined.isGateway ? bytesOf(joined.network.gateway) : NOTHING,
})

/** Names are directories: no slash, no dot at an end, nothing that is not a DNS name. */
const isName = (name: string): boolean => name.length <= 253 && /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(name)

const namesDirectory = (run: string, network: NetworkLease): string => join(networkDirectory(run, network.id), 'names')

/**
 * Entries of a container on one network: `<name>/<address>`, and back `@<address>/<container>`; no name begins so. An answer
 * reads one directory, however many containers there are.
 */
const nameEntries = (run: string, joined: Joined): readonly string[] => {
  const directory = namesDirectory(run, joined.network)
  const names = [...new Set(joined.names.map((name) => name.toLowerCase()))].filter(isName)
  const reverse = [joined.reverseName.toLowerCase()].filter(isName)
  return [
    ...names.map((name) => join(directory, name, joined.address)),
    ...reverse.map((name) => join(directory, `@${joined.address}`, name)),
  ]
}

const upstreamOf = (address: string) => ({
  address: isIPv4(address) ? bytesOf(address) : bytesOfIPv6(address),
  port: DNS_SERVER_PORT,
})

const dnsOf = (input: ConnectInput, joined: readonly Joined[]): Connection['network']['dns'] => ({
  port: DNS_PORT,
  networks: joined.map(({ network }) => ({
    path: namesDirectory(input.run, network),
    name: network.name,
    internal: network.internal,
  })),
  aliases: input.aliases
    .map(({ alias, name }) => ({ alias: alias.toLowerCase(), name: name.toLowerCase() }))
    .filter(({ alias }) => isName(alias)),
  forward: joined.some(({ network }) => !network.internal),
  upstreams: input.resolver.upstreams.map(upstreamOf),
  seccomp: NOTHING,
})

const publicationsOf = (ports: readonly BoundPort[], address: string): readonly Publication[] =>
  ports
    .filter(({ hostIp }) => isIPv4(hostIp))
    .map(({ hostIp, hostPort, protocol, containerPort }) => ({ hostIp, hostPort, protocol, address, containerPort }))

/** The kernel forwards IPv4; from IPv6 to the container's IPv4 netd carries it over. */
const listenerOf = (port: BoundPort, address: string): ListenerPlan => ({
  protocol: port.protocol,
  splice: !isIPv4(port.hostIp),
  containerAddress: bytesOf(address),
  containerPort: port.containerPort,
})

const step = (kind: UndoStep['kind'], path: string, data: Uint8Array = NOTHING): UndoStep => ({
  scope: STOP,
  kind,
  path,
  data,
})

/**
 * No step for the links: they end with the namespace, and deleting one takes the kernel 36 ms. Only flows of published UDP
 * would go on to an address that is somebody else's by then; a walk through the connection table costs 9 ms.
 */
const undoOf = (
  input: ConnectInput,
  joined: readonly Joined[],
  publications: readonly Publication[],
): Connection['undo'] => ({
  firewall: publications.map((publication) => step('firewall', '', encodeBatch([deletePublication(publication)]))),
  conntrack: publications.some(({ protocol }) => protocol === 'udp')
    ? joined.map(({ address }) => step('conntrack', '', bytesOf(address)))
    : [],
  names: joined.flatMap((one) =>
    nameEntries(input.run, one).flatMap((entry) => [step('unlink', entry), step('rmdir', dirname(entry))]),
  ),
  claims: [
    ...joined.map(({ network, address }) => step('unlink', claimPath(input, 'ip', addressKey(network, address)))),
    ...input.ports.map((port) => step('unlink', claimPath(input, 'port', portKey(port)))),
  ],
})

/** The monitor sends it, and its socket lives as long as it does: so does the local table. */
const hostFirewallOf = (owner: string, publications: readonly Publication[]): Uint8Array =>
  publications.length > 0
    ? encodeBatch([...addPublications(publications), ...localTable(owner, publications)])
    : NOTHING

/** Everything about the network of one container and run, and how it is undone. Pure. */
export const connectPlan = (input: ConnectInput): Connection => {
  const joined = joinAll(input)
  const published = joined.find(({ isGateway }) => isGateway)
  const ports = published ? input.ports : []
  const publications = published ? publicationsOf(ports, published.address) : []
  return {
    network: {
      mode: 'bridge',
      endpoints: joined.map(endpointOf),
      firewall: containerTable(),
      hostFirewall: hostFirewallOf(input.owner, publications),
      // Only datagrams go on without their receiver. Looking costs a walk over the whole table.
      conntrackAddress: published && ports.some(isUdp) ? bytesOf(published.address) : NOTHING,
      names: joined.flatMap((one) => nameEntries(input.run, one)),
      dns: dnsOf(input, joined),
      listeners: published ? ports.map((port) => listenerOf(port, published.address)) : [],
    },
    listenerFds: ports.map(({ fd }) => fd),
    addresses: joined.map(({ network, address, mac }) => ({
      network: network.id,
      name: network.name,
      address,
      prefixLength: subnetOf(network.subnet).prefixLength,
      gateway: network.gateway,
      mac: formatMac(mac),
    })),
    ports: ports.map(({ fd: _, ...port }) => port),
    publications,
    undo: undoOf(input, joined, publications),
  }
}

/** Without networks of its own: nothing is made, nothing published, nothing to undo. */
export const unconnected = (mode: 'none' | 'host' | 'joined'): Connection => ({
  network: {
    mode,
    endpoints: [],
    firewall: NOTHING,
    hostFirewall: NOTHING,
    conntrackAddress: NOTHING,
    names: [],
    dns: { port: 0, networks: [], aliases: [], forward: false, upstreams: [], seccomp: NOTHING },
    listeners: [],
  },
  listenerFds: [],
  addresses: [],
  ports: [],
  publications: [],
  undo: { firewall: [], conntrack: [], names: [], claims: [] },
})
