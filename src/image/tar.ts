/**
 * A tar reader: ustar, GNU long names, PAX, base-256 numbers. Headers are untrusted: every length is bounded, every number
 * checked. It says what the archive holds; extract.ts decides what of that reaches the disk.
 */
import { CaissonError } from '../errors.ts'

export type TarType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo'

export interface TarEntry {
  readonly type: TarType
  /** As it stands in the archive. */
  readonly name: string
  /** Target of a symlink, or name of an earlier entry; '' for others. */
  readonly link: string
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds since the epoch, with fraction. */
  readonly mtime: number
  /** Bytes. */
  readonly size: number
}

const BLOCK = 512
const MAX_NAME = 4096
const MAX_EXTENSION = 1 << 20
const MAX_SIZE = 2 ** 50

const damaged = (what: string): never => {
  throw new CaissonError('EARCHIVE', `the archive is damaged: ${what}`)
}

/** Pulls exact amounts out of a stream of chunks. */
export class ByteReader {
  private readonly source: AsyncIterator<Buffer>
  private chunk: Buffer = Buffer.alloc(0)
  constructor(source: AsyncIterable<Buffer>) {
    this.source = source[Symbol.asyncIterator]()
  }

  /** At most `limit` bytes, at least one; undefined at the end. */
  async some(limit: number): Promise<Buffer | undefined> {
    while (this.chunk.length === 0) {
      const { done, value } = await this.source.next()
      if (done) return undefined
      this.chunk = value
    }
    const part = this.chunk.subarray(0, limit)
    this.chunk = this.chunk.subarray(part.length)
    return part
  }

  /** Exactly `length` bytes; undefined: the stream ended before the first of them. */
  async exactly(length: number): Promise<Buffer | undefined> {
    const first = await this.some(length)
    if (first === undefined || first.length === length) return first
    const parts = [first]
    for (let left = length - first.length; left > 0; ) {
      const part = (await this.some(left)) ?? damaged('it ends within an entry')
      parts.push(part)
      left -= part.length
    }
    return Buffer.concat(parts)
  }

  async skip(length: number): Promise<void> {
    for (let left = length; left > 0; ) left -= ((await this.some(left)) ?? damaged('it ends within an entry')).length
  }
}

const textOf = (field: Buffer): string => {
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end === -1 ? field.length : end)
}

/** Octal text, or base-256 where the first bit is set (GNU). */
const numberOf = (field: Buffer, what: string): number => {
  if (((field[0] ?? 0) & 0x80) === 0) {
    const text = textOf(field).trim()
    if (text === '') return 0
    return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : damaged(`${what} is '${text}'`)
  }
  const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, (field[0] ?? 0) & 0x7f)
  return Number.isSafeInteger(value) ? value : damaged(`${what} is out of range`)
}

/** The sum of all header bytes with its own field read as blanks. */
const checkSum = (header: Buffer): void => {
  let sum = 8 * 0x20
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += header[at] ?? 0
  if (sum !== numberOf(header.subarray(148, 156), 'a checksum')) damaged('a header has the wrong checksum')
}

const TYPES: Readonly<Record<string, TarType>> = {
  ...{ '\0': 'file', '0': 'file', '7': 'file', '1': 'hardlink', '2': 'symlink' },
  ...{ '3': 'character', '4': 'block', '5': 'directory', '6': 'fifo' },
}

/** PAX records: `<length> <key>=<value>\n`. */
export const parsePax = (data: Buffer): ReadonlyMap<string, string> => {
  const records = new Map<string, string>()
  for (let at = 0; at < data.length; ) {
    const blank = data.indexOf(0x20, at)
    const length = Number(data.toString('latin1', at, blank))
    const end = at + length
    if (blank === -1 || !Number.isInteger(length) || length < 5 || end > data.length)
      damaged('a PAX record has no length')
    const record = data.toString('utf8', blank + 1, end - 1)
    const equals = record.indexOf('=')
    if (equals < 1) damaged('a PAX record has no key')
    records.set(record.slice(0, equals), record.slice(equals + 1))
    at = end
  }
  return records
}

/** What extension headers said of the next entry. */
interface Extensions {
  readonly pax: ReadonlyMap<string, string>
  readonly name: string | undefined
  readonly link: string | undefined
}
const NONE: Extensions = { pax: new Map(), name: undefined, link: undefined }

const paxNumber = (pax: ReadonlyMap<string, string>, key: string, otherwise: number): number => {
  const text = pax.get(key)
  if (text === undefined) return otherwise
  const value = Number(text)
  return Number.isFinite(value) ? value : damaged(`PAX ${key} is '${text}'`)
}

const headerName = (header: Buffer): string => {
  const name = textOf(header.subarray(0, 100))
  const isUstar = header.toString('latin1', 257, 263) === 'ustar\0'
  const prefix = isUstar ? textOf(header.subarray(345, 500)) : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

const checkName = (name: string): string => {
  if (name.length > MAX_NAME || name.includes('\0')) damaged('a name is longer than a path can be')
  return name
}

const entryOf = (header: Buffer, { pax, name, link }: Extensions): TarEntry => {
  const flag = String.fromCharCode(header[156] ?? 0)
  const fullName = checkName(pax.get('path') ?? name ?? headerName(header))
  if (flag === 'S' || [...pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) {
    throw new CaissonError(
      'EARCHIVE',
      `${fullName} is a sparse file, which is not supported: archive it without --sparse`,
    )
  }
  const known = TYPES[flag] ?? damaged(`${fullName} has the unknown type '${flag}'`)
  const type = known === 'file' && fullName.endsWith('/') ? 'directory' : known
  const size = type === 'file' ? paxNumber(pax, 'size', numberOf(header.subarray(124, 136), 'a size')) : 0
  if (!Number.isInteger(size) || size < 0 || size > MAX_SIZE) damaged(`${fullName} has the size ${size}`)
  return {
    ...{
      type,
      name: fullName,
      link: checkName(pax.get('linkpath') ?? link ?? textOf(header.subarray(157, 257))),
      size,
    },
    mode: numberOf(header.subarray(100, 108), 'a mode') & 0o7777,
    uid: paxNumber(pax, 'uid', numberOf(header.subarray(108, 116), 'a uid')),
    gid: paxNumber(pax, 'gid', numberOf(header.subarray(116, 124), 'a gid')),
    mtime: paxNumber(pax, 'mtime', numberOf(header.subarray(136, 148), 'a time')),
  }
}

const padded = (size: number) => Math.ceil(size / BLOCK) * BLOCK

const readExtension = async (bytes: ByteReader, header: Buffer): Promise<Buffer> => {
  const size = numberOf(header.subarray(124, 136), 'a size')
  if (size > MAX_EXTENSION) damaged('an extension header is longer than 1 MiB')
  const data = (await bytes.exactly(padded(size))) ?? Buffer.alloc(0)
  return data.subarray(0, size)
}

const isEnd = (header: Buffer) => header.every((byte) => byte === 0)

/**
 * Entries in the order of the archive. `body` of each yields its content; what the consumer leaves is skipped. Bytes after
 * the end are read and ignored. Throws EARCHIVE.
 */
export async function* readTar(
  source: AsyncIterable<Buffer>,
): AsyncGenerator<{ readonly entry: TarEntry; readonly body: AsyncGenerator<Buffer> }> {
  const bytes = new ByteReader(source)
  let extensions = NONE
  for (;;) {
    const header = await bytes.exactly(BLOCK)
    if (header === undefined || isEnd(header)) break
    checkSum(header)
    const flag = String.fromCharCode(header[156] ?? 0)
    if (flag === 'x') extensions = { ...extensions, pax: parsePax(await readExtension(bytes, header)) }
    else if (flag === 'L') extensions = { ...extensions, name: textOf(await readExtension(bytes, header)) }
    else if (flag === 'K') extensions = { ...extensions, link: textOf(await readExtension(bytes, header)) }
    else if (flag === 'g') await readExtension(bytes, header)
    else {
      const entry = entryOf(header, extensions)
      extensions = NONE
      let left = entry.size
      const read = async function* () {
        while (left > 0) {
          const part = (await bytes.some(left)) ?? damaged('it ends within an entry')
          left -= part.length
          yield part
        }
      }
      yield { entry, body: read() }
      await bytes.skip(left + padded(entry.size) - entry.size)
    }
  }
  while ((await bytes.some(1 << 20)) !== undefined); // so that a digest covers the whole file
}
