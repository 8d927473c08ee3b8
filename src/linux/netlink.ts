/** Netlink messages (linux/netlink.h): header, attributes, acknowledgements. Host byte order, which Node has little-endian only. */
import assert from 'node:assert'

export const NLM_F = { request: 1, ack: 4, dump: 0x300, create: 0x400, append: 0x800, excl: 0x200 } as const
export const NLMSG = { error: 2, done: 3 } as const

const HEADER_BYTES = 16
const ATTRIBUTE_HEADER_BYTES = 4
const NLA_F_NESTED = 0x8000
const NLA_TYPE_MASK = 0x3fff

const align = (length: number): number => (length + 3) & ~3

/** `struct nlattr` with its content, padded to 4 bytes. */
export const attribute = (type: number, content: Uint8Array): Buffer => {
  const length = ATTRIBUTE_HEADER_BYTES + content.length
  assert(length <= 0xffff, 'netlink attribute exceeds 64 KiB')
  const buffer = Buffer.alloc(align(length))
  buffer.writeUInt16LE(length, 0)
  buffer.writeUInt16LE(type, 2)
  buffer.set(content, ATTRIBUTE_HEADER_BYTES)
  return buffer
}

export const nested = (type: number, ...attributes: readonly Uint8Array[]): Buffer =>
  attribute(type | NLA_F_NESTED, Buffer.concat(attributes))

/** With its NUL. */
export const textAttribute = (type: number, text: string): Buffer => attribute(type, Buffer.from(`${text}\0`))

export interface NetlinkMessage {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** What follows `struct nlmsghdr`: the family's header and attributes. */
  readonly body: Buffer
}

/** `struct nlmsghdr` with the body, padded. The port id is left to the kernel. */
export const encodeMessage = (message: NetlinkMessage): Buffer => {
  const length = HEADER_BYTES + message.body.length
  const buffer = Buffer.alloc(align(length))
  buffer.writeUInt32LE(length, 0)
  buffer.writeUInt16LE(message.type, 4)
  buffer.writeUInt16LE(message.flags, 6)
  buffer.writeUInt32LE(message.sequence, 8)
  message.body.copy(buffer, HEADER_BYTES)
  return buffer
}

/** Reads what came from the kernel. A truncated message ends it. */
export function* readMessages(buffer: Buffer): Generator<NetlinkMessage> {
  for (let at = 0; at + HEADER_BYTES <= buffer.length; ) {
    const length = buffer.readUInt32LE(at)
    if (length < HEADER_BYTES || at + length > buffer.length) return
    yield {
      type: buffer.readUInt16LE(at + 4),
      flags: buffer.readUInt16LE(at + 6),
      sequence: buffer.readUInt32LE(at + 8),
      body: buffer.subarray(at + HEADER_BYTES, at + length),
    }
    at += align(length)
  }
}

/** Attributes in order: [type without flags, content]. */
export function* eachAttribute(buffer: Buffer): Generator<readonly [number, Buffer]> {
  for (let at = 0; at + ATTRIBUTE_HEADER_BYTES <= buffer.length; ) {
    const length = buffer.readUInt16LE(at)
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > buffer.length) return
    yield [buffer.readUInt16LE(at + 2) & NLA_TYPE_MASK, buffer.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length)]
    at += align(length)
  }
}

/** The last attribute of each type. */
export const readAttributes = (buffer: Buffer): ReadonlyMap<number, Buffer> => new Map(eachAttribute(buffer))

/** Text without its NUL. */
export const readText = (content: Buffer | undefined): string => {
  if (content === undefined) return ''
  const end = content.indexOf(0)
  return content.toString('utf8', 0, end < 0 ? content.length : end)
}

/** Positive errno of an NLMSG_ERROR; 0 = acknowledged. undefined: another message. */
export const errnoOf = (message: NetlinkMessage): number | undefined =>
  message.type === NLMSG.error && message.body.length >= 4 ? -message.body.readInt32LE(0) : undefined
