/** Address management: which subnet a network gets, and which address a container. Pure; claims make the choice exclusive. */
import { contains, endOf, overlap, parseSubnet, type Subnet, sizeOf } from './ipv4.ts'

/** Private ranges that are cut into /24s, in this order. Docker's and Podman's own pools are elsewhere. */
const POOLS = ['10.208.0.0/12', '172.24.0.0/13', '192.168.128.0/17'].flatMap((text) => parseSubnet(text) ?? [])
const PREFIX_LENGTH = 24
const SUBNET_SIZE = 2 ** (32 - PREFIX_LENGTH)

/** Routes wider than this say nothing about who uses an address: default routes, also the two halves of some VPNs. */
const WIDEST_ROUTE = 8

/** Host routes that a network must not lie in. */
export const occupied = (routes: readonly Subnet[]): readonly Subnet[] =>
  routes.filter(({ prefixLength }) => prefixLength >= WIDEST_ROUTE)

function* poolSubnets(): Generator<Subnet> {
  for (const pool of POOLS) {
    for (let base = pool.base; base < endOf(pool); base += SUBNET_SIZE) yield { base, prefixLength: PREFIX_LENGTH }
  }
}

const free = (used: readonly Subnet[], wanted: (subnet: Subnet) => boolean): Subnet | undefined => {
  for (const subnet of poolSubnets()) {
    if (wanted(subnet) && !used.some((other) => overlap(subnet, other))) return subnet
  }
  return undefined
}

/**
 * The next free /24 after `last` in the order of the pools (a subnet just given back is the last to be reused), from the
 * start where none is left. undefined: every one is used.
 */
export const chooseSubnet = (used: readonly Subnet[], last: Subnet | undefined): Subnet | undefined => {
  if (last === undefined) return free(used, () => true)
  let passed = false
  const after = (subnet: Subnet) => {
    const was = passed
    passed ||= subnet.base === last.base
    return was
  }
  return free(used, after) ?? free(used, () => true)
}

export interface AddressSpace {
  readonly subnet: Subnet
  readonly gateway: number
  /** Dynamic addresses come from here; undefined: the whole subnet. */
  readonly range: Subnet | undefined
  /** Nobody gets these by chance, or at all. */
  readonly reserved?: ReadonlySet<number>
}

/** Neither the network's own address, nor the broadcast address, nor the gateway. A /31 and a /32 have neither of the first. */
export const isUsable = ({ subnet, gateway, reserved }: AddressSpace, address: number): boolean => {
  if (!contains(subnet, address) || address === gateway || reserved?.has(address)) return false
  return subnet.prefixLength > 30 || (address !== subnet.base && address !== endOf(subnet) - 1)
}

/** Every usable address once, from the one after `last` on, then from the start. Bounded by the size of the range. */
export function* addressesAfter(space: AddressSpace, last: number | undefined): Generator<number> {
  const range = space.range ?? space.subnet
  const size = sizeOf(range)
  const first = last !== undefined && contains(range, last) ? last + 1 - range.base : 0
  for (let step = 0; step < size; step += 1) {
    const address = range.base + ((first + step) % size)
    if (isUsable(space, address)) yield address
  }
}

/**
 * MAC address of an IPv4 in a network: locally administered, the same whenever the address is, so that no neighbour's ARP
 * entry is ever stale when a container is replaced. A network is a link of its own, so it is unique there.
 */
export const macOf = (address: number): Buffer => {
  const mac = Buffer.from([0x02, 0xca, 0, 0, 0, 0])
  mac.writeUInt32BE(address, 2)
  return mac
}

export const formatMac = (mac: Uint8Array): string =>
  [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':')

/** `02:ca:00:00:00:01` or with dashes. undefined: no unicast MAC address. */
export const parseMac = (text: string): Buffer | undefined => {
  if (!/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(text)) return undefined
  const mac = Buffer.from(text.replaceAll(/[:-]/g, ''), 'hex')
  return mac.readUInt8(0) & 1 ? undefined : mac
}
