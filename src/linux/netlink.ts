/** Netlink messages (linux/netlink.h): header, attributes, acknowledgements. Host byte order, which Node has little-endian only. */

export const NLM_F = { request: 1, ack: 4, dump: 0x300, create: 0x400, append: 0x800, excl: 0x200 } as const
export const NLMSG = { error: 2, done: 3 } as const

const HEADER_BYTES = 16
const ATTRIBUTE_HEADER_BYTES = 4
const MAX_ATTRIBUTE_BYTES = 0xffff
const NLA_F_NESTED = 0x8000
const NLA_TYPE_MASK = 0x3fff

const align = (length: number): number => (length + 3) & ~3

export interface MessageHeader {
  readonly type: number
  readonly flags: number
  readonly sequence: number
}

/**
 * Writes messages into one growing buffer: a ruleset has a thousand attributes, and this runs before any of it is
 * compiled, so none of them may cost an allocation.
 */
export class NetlinkWriter {
  private buffer = Buffer.alloc(8192)
  private length = 0

  /** `struct nlmsghdr` (the port id is left to the kernel), then what `body` writes. */
  message(header: MessageHeader, body: () => void): void {
    const start = this.reserve(HEADER_BYTES)
    body()
    this.buffer.writeUInt32LE(this.length - start, start)
    this.buffer.writeUInt16LE(header.type, start + 4)
    this.buffer.writeUInt16LE(header.flags, start + 6)
    this.buffer.writeUInt32LE(header.sequence, start + 8)
  }

  /** Bytes as they are: the header of a family. */
  raw(...bytes: readonly number[]): void {
    const at = this.reserve(bytes.length)
    this.buffer.set(bytes, at)
  }

  attribute(type: number, content: Uint8Array): void {
    const at = this.attributeHeader(type, content.length)
    this.buffer.set(content, at)
  }

  /** A number in network order. */
  number(type: number, value: number): void {
    const at = this.attributeHeader(type, 4)
    const { buffer } = this
    buffer[at] = value >> 24
    buffer[at + 1] = value >> 16
    buffer[at + 2] = value >> 8
    buffer[at + 3] = value
  }

  /** With its NUL. */
  text(type: number, text: string): void {
    const at = this.attributeHeader(type, Buffer.byteLength(text) + 1)
    this.buffer.write(text, at)
  }

  nest(type: number, body: () => void): void {
    const start = this.reserve(ATTRIBUTE_HEADER_BYTES)
    body()
    this.writeAttributeHeader(start, type | NLA_F_NESTED, this.length - start)
  }

  /** Everything written so far. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  /** Place of the content. */
  private attributeHeader(type: number, contentBytes: number): number {
    const start = this.reserve(ATTRIBUTE_HEADER_BYTES + contentBytes)
    this.writeAttributeHeader(start, type, ATTRIBUTE_HEADER_BYTES + contentBytes)
    return start + ATTRIBUTE_HEADER_BYTES
  }

  private writeAttributeHeader(at: number, type: number, bytes: number): void {
    if (bytes > MAX_ATTRIBUTE_BYTES) throw new RangeError('netlink attribute exceeds 64 KiB')
    const { buffer } = this
    buffer[at] = bytes
    buffer[at + 1] = bytes >> 8
    buffer[at + 2] = type
    buffer[at + 3] = type >> 8
  }

  /** Place of `bytes` new ones, padded to 4. Fresh bytes are zero. */
  private reserve(bytes: number): number {
    const at = this.length
    this.length += align(bytes)
    if (this.length > this.buffer.length) {
      const grown = Buffer.alloc(Math.max(this.buffer.length * 2, this.length))
      this.buffer.copy(grown)
      this.buffer = grown
    }
    return at
  }
}

export interface NetlinkMessage extends MessageHeader {
  /** What follows `struct nlmsghdr`: the family's header and attributes. */
  readonly body: Buffer
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

/** Content of the first attribute of a type. */
export const findAttribute = (buffer: Buffer | undefined, wanted: number): Buffer | undefined => {
  for (const [type, content] of eachAttribute(buffer ?? Buffer.alloc(0))) if (type === wanted) return content
  return undefined
}

/** Text without its NUL. */
export const readText = (content: Buffer | undefined): string => {
  if (content === undefined) return ''
  const end = content.indexOf(0)
  return content.toString('utf8', 0, end < 0 ? content.length : end)
}

/** Positive errno of an NLMSG_ERROR; 0 = acknowledged. undefined: another message. */
export const errnoOf = (message: NetlinkMessage): number | undefined =>
  message.type === NLMSG.error && message.body.length >= 4 ? -message.body.readInt32LE(0) : undefined
