/** Expressions of nf_tables rules: what a packet is asked, and what is done with it. Each is one NFTA_LIST_ELEM content. */
import { attribute, nested, textAttribute } from './netlink.ts'
import { be32, VERDICT } from './nf-tables.ts'

/** An encoded expression: its name and attributes. */
export type Expression = Buffer

/**
 * Register numbers. 1 to 4 hold 16 bytes each, 8 to 23 are the same 64 bytes in fours: a key of several parts starts in
 * `R1` = word(0) and goes on in the words after it.
 */
export const R1 = 1
export const R2 = 2
export const R3 = 3
export const word = (index: number): number => 8 + index

const VERDICT_REGISTER = 0

const expression = (name: string, ...attributes: readonly Uint8Array[]): Expression =>
  Buffer.concat([textAttribute(1, name), nested(2, ...attributes)])

/** Numbers in registers are in host order, e.g. ct state and marks. */
export const host32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value >>> 0)
  return buffer
}

const META = { mark: 3, iifname: 6, oifname: 7, l4proto: 16 } as const
export const meta = (key: keyof typeof META, register: number): Expression =>
  expression('meta', attribute(1, be32(register)), attribute(2, be32(META[key])))

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

const fieldAttributes = (field: PayloadField) => [
  attribute(2, be32(BASE[field.base])),
  attribute(3, be32(field.offset)),
  attribute(4, be32(field.bytes)),
]
export const payload = (field: PayloadField, register: number): Expression =>
  expression('payload', attribute(1, be32(register)), ...fieldAttributes(field))

/** Writes a register into the packet and mends the Internet checksum `checksumOffset` bytes into the same header. */
export const setPayload = (field: PayloadField, register: number, checksumOffset: number): Expression =>
  expression(
    'payload',
    attribute(5, be32(register)),
    ...fieldAttributes(field),
    attribute(6, be32(1)),
    attribute(7, be32(checksumOffset)),
  )

const OPERATOR = { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 } as const
/** Compares as many bytes as `value` has: a shorter one is a prefix match. */
export const compare = (register: number, operator: keyof typeof OPERATOR, value: Uint8Array): Expression =>
  expression(
    'cmp',
    attribute(1, be32(register)),
    attribute(2, be32(OPERATOR[operator])),
    nested(3, attribute(1, value)),
  )

export const range = (register: number, operator: 'eq' | 'neq', from: Uint8Array, to: Uint8Array): Expression =>
  expression(
    'range',
    attribute(1, be32(register)),
    attribute(2, be32(OPERATOR[operator])),
    nested(3, attribute(1, from)),
    nested(4, attribute(1, to)),
  )

/** register = (register & mask) ^ xor. */
export const bitwise = (register: number, mask: Uint8Array, xor: Uint8Array): Expression =>
  expression(
    'bitwise',
    attribute(1, be32(register)),
    attribute(2, be32(register)),
    attribute(3, be32(mask.length)),
    nested(4, attribute(1, mask)),
    nested(5, attribute(1, xor)),
  )

/** Goes on only if the set has the key that starts at `register`. */
export const inSet = (set: string, register: number): Expression =>
  expression('lookup', textAttribute(1, set), attribute(2, be32(register)))

export const notInSet = (set: string, register: number): Expression =>
  expression('lookup', textAttribute(1, set), attribute(2, be32(register)), attribute(5, be32(1)))

/** Goes on only if the map has the key; its data is then in `into`. */
export const lookUp = (map: string, register: number, into: number): Expression =>
  expression('lookup', textAttribute(1, map), attribute(2, be32(register)), attribute(3, be32(into)))

/** A verdict map: the verdict is the element's. */
export const verdictOf = (map: string, register: number): Expression => lookUp(map, register, VERDICT_REGISTER)

export const immediate = (register: number, value: Uint8Array): Expression =>
  expression('immediate', attribute(1, be32(register)), nested(2, attribute(1, value)))

const verdict = (code: number, ...chain: readonly Uint8Array[]): Expression =>
  expression(
    'immediate',
    attribute(1, be32(VERDICT_REGISTER)),
    nested(2, nested(2, attribute(1, be32(code)), ...chain)),
  )
export const accept = verdict(VERDICT.accept)
export const drop = verdict(VERDICT.drop)
export const jump = (chain: string): Expression => verdict(VERDICT.jump, textAttribute(2, chain))

const CT = { state: 0, status: 2 } as const
export const conntrack = (key: keyof typeof CT, register: number): Expression =>
  expression('ct', attribute(1, be32(register)), attribute(2, be32(CT[key])))
/** Bits of `ct state` and `ct status`. */
export const CT_STATE = { invalid: 1, established: 2, related: 4, new: 8 } as const
export const CT_STATUS = { dnat: 0x20 } as const

/** Address type (RTN_*) of the packet's destination. */
export const fibDestinationType = (register: number): Expression =>
  expression('fib', attribute(1, be32(register)), attribute(2, be32(3)), attribute(3, be32(2)))
export const RTN_LOCAL = 2

/** SO_MARK of the local socket that the packet would reach. Linux 4.19; on the input side only. */
export const socketMark = (register: number): Expression =>
  expression('socket', attribute(1, be32(1)), attribute(2, be32(register)))

/** Destination becomes the address at `address` and the port at `port`. */
export const dnat = (family: number, address: number, port: number): Expression =>
  expression(
    'nat',
    attribute(1, be32(1)),
    attribute(2, be32(family)),
    attribute(3, be32(address)),
    attribute(5, be32(port)),
  )

/** Source becomes the address of the interface that the packet leaves by. */
export const masquerade = expression('masq')
