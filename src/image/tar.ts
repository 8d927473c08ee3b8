/** Writes tar archives that say nothing of this machine or of now: equal files give equal bytes. */
import { createReadStream } from 'node:fs'

export interface TarFile {
  readonly name: string
  /** Bytes, or the path of a file of `size` bytes. */
  readonly content: Buffer | { readonly path: string; readonly size: number }
}

const BLOCK = 512
const CHUNK = 1 << 20
/** What the fields of a header hold; beyond it a PAX record says it. */
const MAX_NAME = 100
const MAX_SIZE = 0o77777777777

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`

const header = (name: string, size: number, type: '0' | '5' | 'x'): Buffer => {
  const block = Buffer.alloc(BLOCK)
  block.write(name, 0, MAX_NAME)
  block.write(octal(type === '5' ? 0o755 : 0o644, 8), 100)
  for (const field of [108, 116]) block.write(octal(0, 8), field)
  block.write(octal(Math.min(size, MAX_SIZE), 12), 124)
  block.write(octal(0, 12), 136)
  block.write(' '.repeat(8), 148)
  block.write(type, 156)
  block.write('ustar\x0000', 257, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** A PAX record begins with its own length. */
const paxRecord = (key: string, value: string): string => {
  const rest = ` ${key}=${value}\n`
  let length = rest.length
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length
  return `${length}${rest}`
}

const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)

const headers = (name: string, size: number, type: '0' | '5'): Buffer => {
  const records = [
    ...(name.length > MAX_NAME ? [paxRecord('path', name)] : []),
    ...(size > MAX_SIZE ? [paxRecord('size', String(size))] : []),
  ].join('')
  if (records === '') return header(name, size, type)
  const extended = [header('pax', records.length, 'x'), Buffer.from(records), padding(records.length)]
  return Buffer.concat([...extended, header(name, size, type)])
}

async function* contentOf({ content }: TarFile): AsyncGenerator<Buffer> {
  if (Buffer.isBuffer(content)) yield content
  else if (content.size > 0)
    yield* createReadStream(content.path, { end: content.size - 1, highWaterMark: CHUNK }) as AsyncIterable<Buffer>
}

/** Names are ASCII; those of directories end in a slash and have no content. */
export async function* tarOf(files: readonly TarFile[]): AsyncGenerator<Buffer> {
  for (const file of files) {
    const size = Buffer.isBuffer(file.content) ? file.content.length : file.content.size
    yield headers(file.name, size, file.name.endsWith('/') ? '5' : '0')
    let written = 0
    for await (const chunk of contentOf(file)) {
      written += chunk.length
      yield chunk
    }
    if (written !== size) throw new Error(`${file.name} has ${written} bytes now, not ${size}`)
    yield padding(size)
  }
  yield Buffer.alloc(2 * BLOCK)
}
