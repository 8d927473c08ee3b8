/** Expressions of nf_tables rules: what a packet is asked, and what is done with it. */
import type { NetlinkWriter } from './netlink.ts'
import { VERDICT } from './nf-tables.ts'

/** Writes one expression, its name and attributes, as the content of an NFTA_LIST_ELEM. */
export type Expression = (out: NetlinkWriter) => void

/**
 * Register numbers. 1 to 4 hold 16 bytes each, 8 to 23 are the same 64 bytes in fours: a key of several parts starts in
 * `R1` = word(0) and goes on in the words after it.
 */
export const R1 = 1
export const R2 = 2
export const R3 = 3
export const word = (index: number): number => 8 + index

const VERDICT_REGISTER = 0

const expression =
  (name: string, attributes: Expression): Expression =>
  (out) => {
    out.text(1, name)
    out.nest(2, () => attributes(out))
  }

/** NFTA_DATA_VALUE in a nest of its own. */
const writeData = (out: NetlinkWriter, type: number, value: Uint8Array): void =>
  out.nest(type, () => out.attribute(1, value))

/** Numbers in registers are in host order, e.g. ct state and marks. */
export const host32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value >>> 0)
  return buffer
}

const META = { mark: 3, iifname: 6, oifname: 7, l4proto: 16 } as const
export const meta = (key: keyof typeof META, register: number): Expression =>
  expression('meta', (out) => {
    out.number(1, register)
    out.number(2, META[key])
  })

const BASE = { network: 1, transport: 2 } as const
export interface PayloadField {
  readonly base: keyof typeof BASE
  /** Bytes from the start of the header. */
  readonly offset: number
  readonly bytes: number
}
export const FIELD = {
  ipSource: { base: 'network', offset: 12, bytes: 4 },
  ipDestination: { base: 'network', offset: 16, bytes: 4 },
  sourcePort: { base: 'transport', offset: 0, bytes: 2 },
  destinationPort: { base: 'transport', offset: 2, bytes: 2 },
} as const satisfies Record<string, PayloadField>

const writeField = (out: NetlinkWriter, field: PayloadField): void => {
  out.number(2, BASE[field.base])
  out.number(3, field.offset)
  out.number(4, field.bytes)
}

export const payload = (field: PayloadField, register: number): Expression =>
  expression('payload', (out) => {
    out.number(1, register)
    writeField(out, field)
  })

const CHECKSUM_INTERNET = 1
/** Writes a register into the packet and mends the Internet checksum `checksumOffset` bytes into the same header. */
export const setPayload = (field: PayloadField, register: number, checksumOffset: number): Expression =>
  expression('payload', (out) => {
    out.number(5, register)
    writeField(out, field)
    out.number(6, CHECKSUM_INTERNET)
    out.number(7, checksumOffset)
  })

const OPERATOR = { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 } as const
/** Compares as many bytes as `value` has: a shorter one is a prefix match. */
export const compare = (register: number, operator: keyof typeof OPERATOR, value: Uint8Array): Expression =>
  expression('cmp', (out) => {
    out.number(1, register)
    out.number(2, OPERATOR[operator])
    writeData(out, 3, value)
  })

/** register = (register & mask) ^ xor. */
export const bitwise = (register: number, mask: Uint8Array, xor: Uint8Array): Expression =>
  expression('bitwise', (out) => {
    out.number(1, register)
    out.number(2, register)
    out.number(3, mask.length)
    writeData(out, 4, mask)
    writeData(out, 5, xor)
  })

/** Goes on only if the set has the key that starts at `register`. */
export const inSet = (set: string, register: number): Expression =>
  expression('lookup', (out) => {
    out.text(1, set)
    out.number(2, register)
  })

/** Goes on only if the map has the key; its data is then in `into`. */
export const lookUp = (map: string, register: number, into: number): Expression =>
  expression('lookup', (out) => {
    out.text(1, map)
    out.number(2, register)
    out.number(3, into)
  })

export const immediate = (register: number, value: Uint8Array): Expression =>
  expression('immediate', (out) => {
    out.number(1, register)
    writeData(out, 2, value)
  })

const verdict = (code: number, chain?: string): Expression =>
  expression('immediate', (out) => {
    out.number(1, VERDICT_REGISTER)
    out.nest(2, () =>
      out.nest(2, () => {
        out.number(1, code)
        if (chain !== undefined) out.text(2, chain)
      }),
    )
  })
export const accept = verdict(VERDICT.accept)
export const drop = verdict(VERDICT.drop)
export const jump = (chain: string): Expression => verdict(VERDICT.jump, chain)

const CT = { state: 0, status: 2 } as const
export const conntrack = (key: keyof typeof CT, register: number): Expression =>
  expression('ct', (out) => {
    out.number(1, register)
    out.number(2, CT[key])
  })
/** Bits of `ct state` and `ct status`. */
export const CT_STATE = { invalid: 1, established: 2, related: 4, new: 8 } as const
export const CT_STATUS = { dnat: 0x20 } as const

const FIB_RESULT = { link: 1, addressType: 3 } as const
const FIB_LOOK_AT = { source: 1, destination: 2, fromLink: 8 } as const
const fib = (result: number, lookAt: number, register: number): Expression =>
  expression('fib', (out) => {
    out.number(1, register)
    out.number(2, result)
    out.number(3, lookAt)
  })

/** Address type (RTN_*) of the packet's destination. */
export const fibDestinationType = (register: number): Expression =>
  fib(FIB_RESULT.addressType, FIB_LOOK_AT.destination, register)
/** Index of the link the packet came by, if its source would be answered by that link; otherwise 0. Prerouting only. */
export const fibReversePath = (register: number): Expression =>
  fib(FIB_RESULT.link, FIB_LOOK_AT.source | FIB_LOOK_AT.fromLink, register)
export const RTN_LOCAL = 2

const SOCKET_MARK = 1
/** SO_MARK of the local socket that the packet would reach. Linux 4.19; on the input side only. */
export const socketMark = (register: number): Expression =>
  expression('socket', (out) => {
    out.number(1, SOCKET_MARK)
    out.number(2, register)
  })

const NAT_DESTINATION = 1
/** Destination becomes the address at `address` and the port at `port`. */
export const dnat = (family: number, address: number, port: number): Expression =>
  expression('nat', (out) => {
    out.number(1, NAT_DESTINATION)
    out.number(2, family)
    out.number(3, address)
    out.number(5, port)
  })

/** Source becomes the address of the interface that the packet leaves by. */
export const masquerade: Expression = expression('masq', () => {})
