/** Frames of the control protocol (protocol.ts) to and from bytes. */
import { CaissonError } from '../errors.ts'
import { MAX_PAYLOAD_BYTES } from './protocol.ts'

export const HEADER_BYTES = 8

export interface Frame {
  readonly type: number
  readonly payload: Buffer
}

export const encodeFrame = (type: number, payload: Uint8Array = new Uint8Array()): Buffer => {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length)
  frame.writeUInt32LE(payload.length, 0)
  frame.writeUInt16LE(type, 4)
  frame.writeUInt16LE(0, 6)
  frame.set(payload, HEADER_BYTES)
  return frame
}

/** A payload of u32 fields. */
export const u32Fields = (...values: readonly number[]): Buffer => {
  const payload = Buffer.allocUnsafe(values.length * 4)
  values.forEach((value, index) => {
    payload.writeUInt32LE(value >>> 0, index * 4)
  })
  return payload
}

const malformed = (): CaissonError => new CaissonError('EPROTO', 'the monitor sent something that is no control frame')

/** Cuts a byte stream into frames, as bytes come. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0)

  /** Whole frames so far. Throws EPROTO. */
  feed(bytes: Buffer): Frame[] {
    const data = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const frames: Frame[] = []
    let at = 0
    while (data.length - at >= HEADER_BYTES) {
      const size = data.readUInt32LE(at)
      if (size > MAX_PAYLOAD_BYTES || data.readUInt16LE(at + 6) !== 0) throw malformed()
      const end = at + HEADER_BYTES + size
      if (end > data.length) break
      frames.push({ type: data.readUInt16LE(at + 4), payload: data.subarray(at + HEADER_BYTES, end) })
      at = end
    }
    this.#rest = Buffer.from(data.subarray(at))
    return frames
  }
}

/** Reads the fields of a payload in order. Throws EPROTO where one is missing. */
export class PayloadReader {
  readonly #payload: Buffer
  #at = 0
  constructor(payload: Buffer) {
    this.#payload = payload
  }

  #take(size: number): number {
    const at = this.#at
    if (at + size > this.#payload.length) throw malformed()
    this.#at = at + size
    return at
  }

  u32(): number {
    return this.#payload.readUInt32LE(this.#take(4))
  }

  text(): string {
    const size = this.u32()
    const at = this.#take(size)
    return this.#payload.toString('utf8', at, at + size)
  }
}
