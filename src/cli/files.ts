import { isUtf8 } from 'node:buffer'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { CaissonError } from '../errors.ts'

const STDIN = 0
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EISDIR'])

/** No file that is read as text comes near; what is larger is a mistake (a device, a disk image), and would fill memory. */
const MAX_BYTES = 64 * 1024 * 1024
const CHUNK_BYTES = 64 * 1024

/** Half of a surrogate pair: no text that was decoded has it. */
const LOST = '\udc80'

/** UTF-8, or UTF-16 with a byte order mark, as YAML has it. Bytes that are neither become U+DC80, which the reader refuses. */
export const decodeText = (bytes: Buffer): string => {
  const mark = bytes.length % 2 === 0 ? bytes.toString('latin1', 0, 2) : ''
  if (mark === '\xff\xfe') return bytes.toString('utf16le', 2)
  if (mark === '\xfe\xff') return Buffer.from(bytes.subarray(2)).swap16().toString('utf16le')
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('utf8').replaceAll('\ufffd', LOST)
}

const readWhole = (fd: number): string => {
  const chunks: Buffer[] = []
  for (let length = 0; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    const read = readSync(fd, chunk)
    if (read === 0) return decodeText(Buffer.concat(chunks))
    length += read
    if (length > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES / 1024 / 1024} MiB`)
    chunks.push(chunk.subarray(0, read))
  }
}

const readPath = (path: string): string => {
  const fd = openSync(path, 'r')
  try {
    return readWhole(fd)
  } finally {
    closeSync(fd)
  }
}

/** Text of a file, `-` being standard input; undefined: there is none. Other failures, as of permission, name the file. */
const readText = (path: string): string | undefined => {
  try {
    return path === '-' ? decodeText(readFileSync(STDIN)) : readPath(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && ABSENT.has(String(error.code))) return undefined
    throw new CaissonError('EREAD', `cannot read ${path}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    })
  }
}

/** Told of each text that is read. */
export type NoteText = (text: string) => void

/** A reader that looks at each path once: what is found to be there is what is loaded. */
export const createReader = (noteText: NoteText): ((path: string) => string | undefined) => {
  const texts = new Map<string, string | undefined>()
  return (path) => {
    if (texts.has(path)) return texts.get(path)
    const text = readText(path)
    texts.set(path, text)
    if (text !== undefined) noteText(text)
    return text
  }
}
