/** IPv4 addresses as numbers (0 .. 2^32-1) and subnets. Text is parsed here and nowhere else. */
import { isIPv4 } from '../units/addresses.ts'

export interface Subnet {
  /** First address. */
  readonly base: number
  readonly prefixLength: number
}

/** undefined: not a dotted quad. */
export const parseAddress = (text: string): number | undefined =>
  isIPv4(text) ? text.split('.').reduce((address, octet) => address * 256 + Number(octet), 0) : undefined

export const formatAddress = (address: number): string =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.')

/** Network order. */
export const addressBytes = (address: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(address)
  return buffer
}

/** Network order, from text that is known to be an address. */
export const bytesOf = (text: string): Buffer => {
  const address = parseAddress(text)
  if (address === undefined) throw new TypeError(`not an IPv4 address: ${text}`)
  return addressBytes(address)
}

export const sizeOf = (subnet: Subnet): number => 2 ** (32 - subnet.prefixLength)
/** First address after it; 2^32 at the very end. */
export const endOf = (subnet: Subnet): number => subnet.base + sizeOf(subnet)

/** The subnet that an address of it is in. */
export const subnetAround = (address: number, prefixLength: number): Subnet => ({
  base: address - (address % 2 ** (32 - prefixLength)),
  prefixLength,
})

/** `10.89.1.7/24` is 10.89.1.0/24. undefined: no IPv4 subnet. */
export const parseSubnet = (text: string): Subnet | undefined => {
  const [address = '', length = '', ...rest] = text.split('/')
  const parsed = parseAddress(address)
  if (parsed === undefined || rest.length > 0 || !/^\d{1,2}$/.test(length) || Number(length) > 32) return undefined
  return subnetAround(parsed, Number(length))
}

/** Of text that we wrote ourselves. */
export const subnetOf = (text: string): Subnet => {
  const subnet = parseSubnet(text)
  if (subnet === undefined) throw new TypeError(`not an IPv4 subnet: ${text}`)
  return subnet
}

export const formatSubnet = (subnet: Subnet): string => `${formatAddress(subnet.base)}/${subnet.prefixLength}`

export const contains = (subnet: Subnet, address: number): boolean => address >= subnet.base && address < endOf(subnet)

export const overlap = (one: Subnet, other: Subnet): boolean => one.base < endOf(other) && other.base < endOf(one)
