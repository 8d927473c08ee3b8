import assert from 'node:assert'
import type { Schema } from './schema.ts'

/** Growing little-endian buffer. */
class Writer {
  private buffer = Buffer.allocUnsafe(4096)
  private length = 0
  private reserve(size: number): number {
    const at = this.length
    if (at + size > this.buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, at + size))
      this.buffer.copy(grown, 0, 0, at)
      this.buffer = grown
    }
    this.length = at + size
    return at
  }
  u8(value: number) {
    const at = this.reserve(1)
    this.buffer.writeUInt8(value, at)
  }
  u32(value: number) {
    const at = this.reserve(4)
    this.buffer.writeUInt32LE(value, at)
  }
  i32(value: number) {
    const at = this.reserve(4)
    this.buffer.writeInt32LE(value, at)
  }
  u64(value: bigint) {
    const at = this.reserve(8)
    this.buffer.writeBigUInt64LE(value, at)
  }
  text(value: string) {
    assert(!value.includes('\0'), 'text holds a NUL')
    const size = Buffer.byteLength(value)
    this.u32(size)
    const at = this.reserve(size)
    this.buffer.write(value, at)
  }
  bytes(value: Uint8Array) {
    this.u32(value.length)
    const at = this.reserve(value.length)
    this.buffer.set(value, at)
  }
  result(): Buffer {
    return this.buffer.subarray(0, this.length)
  }
}

const write = (out: Writer, schema: Schema, value: unknown): void => {
  switch (schema.kind) {
    case 'u8':
      out.u8(value as number)
      break
    case 'u32':
      out.u32(value as number)
      break
    case 'i32':
      out.i32(value as number)
      break
    case 'u64':
      out.u64(value as bigint)
      break
    case 'bool':
      out.u8(value ? 1 : 0)
      break
    case 'text':
      out.text(value as string)
      break
    case 'bytes':
      out.bytes(value as Uint8Array)
      break
    case 'enum': {
      const index = schema.values.indexOf(value as string)
      assert(index >= 0, `${schema.name}: ${String(value)}`)
      out.u8(index)
      break
    }
    case 'list': {
      const items = value as readonly unknown[]
      out.u32(items.length)
      for (const item of items) write(out, schema.item, item)
      break
    }
    case 'record':
      for (const [key, field] of Object.entries(schema.fields)) {
        write(out, field.schema, (value as Record<string, unknown>)[key])
      }
  }
}

/** Encodes `value` as `schema` says (schema.ts). A value that does not fit its schema is a programmer's error. */
export const encode = <T>(schema: Schema<T>, value: T): Buffer => {
  const out = new Writer()
  write(out, schema, value)
  return out.result()
}
