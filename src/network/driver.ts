/**
 * Networks of a NetworkRoot: made, restored, removed. Everything that a container needs of them is in connect.ts; its
 * host ports in ports.ts. Order of use:
 *
 *   openNetworkRoot → verifyNetworks → listenPorts (all containers, before the first operation) → ensureNetwork (each) →
 *   reserveAddresses → connectPlan (pure) → monitor … → removeNetwork (when the last container is gone)
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Network } from '../compose/project.ts'
import { deleteTable, dumpRules } from '../linux/nf-tables.ts'
import { claim, listClaims, release } from './claims.ts'
import { addNetwork, addPublications, deleteNetwork, type Publication } from './elements.ts'
import { NetworkError } from './errors.ts'
import { deleteEach, dump, transact } from './firewall.ts'
import { closeForward, openForward } from './forward-guard.ts'
import { chooseSubnet, macOf, occupied } from './ipam.ts'
import {
  bytesOf,
  contains,
  formatAddress,
  formatSubnet,
  overlap,
  parseAddress,
  parseSubnet,
  type Subnet,
  subnetAround,
  subnetOf,
} from './ipv4.ts'
import type { NetworkRoot } from './network-root.ts'
import { BRIDGE_PREFIX, baseTable, isIntact, TABLE } from './table.ts'

/** What is wanted. `subnet` and `gateway` of an earlier life (NetworkRecord) come back, or it fails with ESUBNET. */
export interface NetworkWish {
  /** 12 hex digits. */
  readonly id: string
  /** Full name, for messages. */
  readonly name: string
  readonly internal: boolean
  /** undefined: that of the default route's link, else 1500. */
  readonly mtu: number | undefined
  /** The Compose file's ipam.config; the first IPv4 one counts. */
  readonly ipam: Network['ipam']
  /** As recorded; undefined: choose. */
  readonly subnet: string | undefined
  readonly gateway: string | undefined
}

/** A network that exists. A NetworkRecord is one. */
export interface NetworkLease {
  readonly id: string
  readonly name: string
  /** Link name, `cs-…`. */
  readonly bridge: string
  /** `10.208.1.0/24` */
  readonly subnet: string
  readonly gateway: string
  /** Part of the subnet that dynamic addresses come from (ipam `ip_range`); absent: all of it. */
  readonly range?: string
  /** Addresses that nobody gets (ipam `aux_addresses`). */
  readonly reserved?: readonly string[]
  readonly internal: boolean
  /** Bytes. */
  readonly mtu: number
}

/** All that the table must hold beside its rules: what is there now, of every project of this NetworkRoot. */
export interface LiveNetworks {
  readonly networks: readonly NetworkLease[]
  /** Published ports of running containers (Connection.publications; RunRecord.ports with the address they go to). */
  readonly publications: readonly Publication[]
}

const DEFAULT_MTU = 1500
const BRIDGE_ID_DIGITS = 11

/** IFNAMSIZ leaves 15 characters. */
export const bridgeName = (id: string): string => `${BRIDGE_PREFIX}${id.slice(0, BRIDGE_ID_DIGITS)}`

/** Directory of a network below $CAISSON_RUN: `names/` is the resolver's database. */
export const networkDirectory = (run: string, id: string): string => join(run, 'networks', id)

/** Subnet claims are file names: `10.208.1.0-24`. */
const subnetKey = (subnet: Subnet): string => formatSubnet(subnet).replace('/', '-')
const subnetOfKey = (key: string): Subnet | undefined => parseSubnet(key.replace('-', '/'))

interface ClaimedSubnet {
  readonly subnet: Subnet
  readonly owner: string
}
const claimedSubnets = (root: NetworkRoot): readonly ClaimedSubnet[] =>
  [...listClaims(root, 'subnet')].flatMap(([key, owner]) => {
    const subnet = subnetOfKey(key)
    return subnet === undefined || !root.owners.exists('subnet', owner) ? [] : [{ subnet, owner }]
  })

interface HostRoute {
  readonly subnet: Subnet
  readonly link: string
}
const hostRoutes = (root: NetworkRoot): readonly HostRoute[] =>
  root.binding.routes(root.fd).map(([address, prefixLength, link]) => ({
    subnet: subnetAround(Buffer.from(address).readUInt32BE(0), prefixLength),
    link,
  }))

const cursorFile = (root: NetworkRoot): string => join(root.run, 'claims', 'last-subnet')

const lastSubnet = (root: NetworkRoot): Subnet | undefined => {
  try {
    return parseSubnet(readFileSync(cursorFile(root), 'utf8'))
  } catch {
    return undefined
  }
}

const conflict = (wish: NetworkWish, message: string, hint?: string): NetworkError =>
  new NetworkError('ESUBNET', `network '${wish.name}': ${message}`, hint === undefined ? {} : { hint })

/** A subnet that is asked for by name may lie inside a wider route (a VPN), but not on one that is as narrow. */
const checkSubnet = (root: NetworkRoot, wish: NetworkWish, subnet: Subnet): void => {
  const text = formatSubnet(subnet)
  const claimed = claimedSubnets(root).find(({ subnet: other, owner }) => owner !== wish.id && overlap(other, subnet))
  if (claimed) throw conflict(wish, `subnet ${text} overlaps that of ${root.owners.describe('subnet', claimed.owner)}`)
  const route = hostRoutes(root).find(
    ({ subnet: other, link }) =>
      link !== bridgeName(wish.id) && other.prefixLength >= subnet.prefixLength && overlap(other, subnet),
  )
  if (route) throw conflict(wish, `subnet ${text} is in use on ${route.link} (${formatSubnet(route.subnet)})`)
}

const pickSubnet = (root: NetworkRoot, wish: NetworkWish): Subnet => {
  const routes = hostRoutes(root).map(({ subnet }) => subnet)
  const used = [...occupied(routes), ...claimedSubnets(root).map(({ subnet }) => subnet)]
  const subnet = chooseSubnet(used, lastSubnet(root))
  if (subnet === undefined) {
    throw conflict(
      wish,
      'no free /24 is left',
      'set `ipam.config` with a subnet of your own, or remove unused networks',
    )
  }
  return subnet
}

interface Addressing {
  readonly subnet: Subnet
  readonly gateway: number
  readonly range: Subnet | undefined
}

const firstIPv4 = (wish: NetworkWish) =>
  wish.ipam.find(({ subnet }) => subnet === undefined || parseSubnet(subnet) !== undefined)

/** What record or file ask for; what neither says is chosen. */
const addressing = (root: NetworkRoot, wish: NetworkWish): Addressing => {
  const config = firstIPv4(wish)
  const asked = wish.subnet ?? config?.subnet
  const subnet = asked === undefined ? pickSubnet(root, wish) : subnetOf(asked)
  const gatewayText = wish.gateway ?? config?.gateway
  const gateway = gatewayText === undefined ? subnet.base + 1 : parseAddress(gatewayText)
  if (gateway === undefined || !contains(subnet, gateway)) {
    throw conflict(wish, `gateway ${gatewayText} is not in ${formatSubnet(subnet)}`)
  }
  const range = config?.ipRange === undefined ? undefined : parseSubnet(config.ipRange)
  if (range && !overlap(range, subnet)) throw conflict(wish, `ip_range ${config?.ipRange} is not in ${asked}`)
  if (asked !== undefined) checkSubnet(root, wish, subnet)
  return { subnet, gateway, range }
}

const claimSubnet = (root: NetworkRoot, wish: NetworkWish, subnet: Subnet): void => {
  const result = claim(root, 'subnet', subnetKey(subnet), wish.id)
  if (result.state === 'taken') {
    throw conflict(wish, `subnet ${formatSubnet(subnet)} is taken by ${root.owners.describe('subnet', result.owner)}`)
  }
  if (wish.subnet === undefined) writeFileSync(cursorFile(root), formatSubnet(subnet))
}

/** MTU of the default route's link: a VPN below 1500 must not stall large packets. Only visible in our own namespace. */
const uplinkMtu = (root: NetworkRoot): number => {
  const link = root.own ? hostRoutes(root).find(({ subnet }) => subnet.prefixLength === 0)?.link : undefined
  try {
    return link === undefined ? DEFAULT_MTU : Number(readFileSync(`/sys/class/net/${link}/mtu`, 'utf8')) || DEFAULT_MTU
  } catch {
    return DEFAULT_MTU
  }
}

const setSysctl = (root: NetworkRoot, path: string, value: string): void => {
  const current = root.binding.readNetworkSysctl(root.fd, path)?.trim()
  if (current !== undefined && current !== value) root.binding.networkSysctl(root.fd, path, value)
}

/**
 * rp_filter: a container cannot send with an address of another network. route_localnet: the kernel lets 127.0.0.1
 * publishing through (the table keeps everybody else out). IPv6 is off: it would be a way around the table.
 */
const setSysctls = (root: NetworkRoot, lease: NetworkLease): void => {
  setSysctl(root, 'net/ipv4/ip_forward', '1')
  setSysctl(root, `net/ipv4/conf/${lease.bridge}/rp_filter`, '1')
  setSysctl(root, `net/ipv4/conf/${lease.bridge}/route_localnet`, lease.internal ? '0' : '1')
  setSysctl(root, `net/ipv6/conf/${lease.bridge}/disable_ipv6`, '1')
}

const ensureBridge = async (root: NetworkRoot, lease: NetworkLease): Promise<void> => {
  const gateway = bytesOf(lease.gateway)
  await root.binding.bridgeEnsure(root.fd, {
    name: lease.bridge,
    address: gateway,
    prefixLength: subnetOf(lease.subnet).prefixLength,
    mac: macOf(gateway.readUInt32BE(0)),
    mtu: lease.mtu,
  })
  setSysctls(root, lease)
}

const isTableIntact = async (root: NetworkRoot): Promise<boolean> => isIntact(await dump(root, dumpRules(TABLE)))

const ensure = async (root: NetworkRoot, wish: NetworkWish): Promise<NetworkLease> => {
  const { subnet, gateway, range } = addressing(root, wish)
  const reserved = Object.values(firstIPv4(wish)?.auxAddresses ?? {})
  claimSubnet(root, wish, subnet)
  const lease: NetworkLease = {
    id: wish.id,
    name: wish.name,
    bridge: bridgeName(wish.id),
    subnet: formatSubnet(subnet),
    gateway: formatAddress(gateway),
    ...(range === undefined ? {} : { range: formatSubnet(range) }),
    ...(reserved.length === 0 ? {} : { reserved }),
    internal: wish.internal,
    mtu: wish.mtu ?? uplinkMtu(root),
  }
  mkdirSync(join(networkDirectory(root.run, wish.id), 'names'), { recursive: true, mode: 0o711 })
  await ensureBridge(root, lease)
  const base = (await isTableIntact(root)) ? [] : baseTable()
  await transact(root, `add network '${wish.name}'`, [...base, ...addNetwork(lease)])
  await openForward(root)
  return lease
}

/**
 * Subnet claim, bridge, sysctls, base table, the network's elements, forward guard. Idempotent; also brings a recorded
 * network back after a reboot. Takes locks/net. Throws NetworkError ESUBNET, EFIREWALL, ENETWORKLOCKED; SystemError.
 */
export const ensureNetwork = (root: NetworkRoot, wish: NetworkWish): Promise<NetworkLease> =>
  root.locked(() => ensure(root, wish))

const forget = async (root: NetworkRoot, network: NetworkLease): Promise<void> => {
  release(root, 'subnet', subnetKey(subnetOf(network.subnet)), network.id)
  rmSync(networkDirectory(root.run, network.id), { recursive: true, force: true })
  if (listClaims(root, 'subnet').size > 0) return
  await closeForward(root)
  await deleteEach(root, 'remove the firewall table', [deleteTable(TABLE)])
  rmSync(cursorFile(root), { force: true })
}

/**
 * Elements, bridge and subnet claim; with the last network of the NetworkRoot also the table and the forward guard. What
 * is not there counts as removed. Takes locks/net, but not while the kernel deletes the bridge (up to 35 ms).
 */
export const removeNetwork = async (root: NetworkRoot, network: NetworkLease): Promise<void> => {
  // Each waits for the kernel to let go of what it removes, and neither needs the other.
  await Promise.all([
    root.locked(() => deleteEach(root, `remove network '${network.name}'`, deleteNetwork(network))),
    root.binding.linkDelete(root.fd, network.bridge),
  ])
  await root.locked(() => forget(root, network))
}

const restore = async (root: NetworkRoot, live: LiveNetworks): Promise<void> => {
  if (await isTableIntact(root)) return
  await transact(root, 'restore the firewall table', [
    ...baseTable(),
    ...live.networks.flatMap(addNetwork),
    ...addPublications(live.publications),
  ])
}

/**
 * One dump: does the table still stand? If not (`flush ruleset`), it is restored with everything that `live` tells; true
 * then. `live` is called only in that case. To be called by each command that may start or inspect something. Takes
 * locks/net only to restore. Without any network it costs one readdir.
 */
export const verifyNetworks = async (root: NetworkRoot, live: () => LiveNetworks): Promise<boolean> => {
  if (listClaims(root, 'subnet').size === 0) return false
  const intact = await isTableIntact(root)
  if (!intact) await root.locked(() => restore(root, live()))
  await openForward(root)
  return !intact
}
