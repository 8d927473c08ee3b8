/** An archive of images as a file one can look things up in: what comes compressed or through a pipe is spooled first. */
import { createHash } from 'node:crypto'
import { closeSync, createReadStream, fstatSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { posix } from 'node:path'
import { CaissonError } from '../errors.ts'
import type { ArchiveMember } from '../native/binding.ts'
import { loadNative } from '../native/load.ts'
import { compressionOf, decompressed, MAGIC_BYTES } from './compression.ts'
import { digestLike } from './digest.ts'
import { type FileRange, refusal } from './ingest.ts'
import { type ContentRoot, contentOf } from './paths.ts'

const MAX_LINKS = 10
/** Of one read. */
const CHUNK = 1 << 20

export interface ArchiveFile {
  /** Whether there is a file of that name, links resolved. */
  has(name: string): boolean
  /** Bytes of the file; throws EARCHIVE where there is none. */
  size(name: string): number
  /** The whole of a small file. Throws EARCHIVE for one that is missing or longer than `limit` bytes. */
  read(name: string, limit: number): Buffer
  stream(name: string): AsyncIterable<Buffer>
  /** As many of its bytes as tell how it is compressed. */
  first(name: string): Buffer
  /** Where in the file that is. */
  range(name: string): FileRange
  close(): void
}

/** `./a//b` is a/b; a name that leads out of the archive names nothing in it. */
const normalised = (name: string): string => posix.normalize(`/${name}`).slice(1).replace(/\/$/, '')

/** A later entry of the same name wins, as when unpacked. */
const indexOf = (members: readonly ArchiveMember[]): ReadonlyMap<string, ArchiveMember> =>
  new Map(members.map((member) => [normalised(member.name), member]))

/** Old `docker save` has a layer once and links to it from the others. */
const follow = (index: ReadonlyMap<string, ArchiveMember>, name: string): ArchiveMember | undefined => {
  let path = normalised(name)
  for (let links = 0; links < MAX_LINKS; links++) {
    const member = index.get(path)
    if (member?.type === 'symlink') path = normalised(posix.join(posix.dirname(path), member.link))
    else if (member?.type === 'hardlink') path = normalised(member.link)
    else return member?.type === 'file' ? member : undefined
  }
  return undefined
}

const readFully = (fd: number, offset: number, size: number): Buffer => {
  const buffer = Buffer.alloc(size)
  for (let at = 0; at < size; ) {
    const got = readSync(fd, buffer, at, size - at, offset + at)
    if (got === 0) throw new CaissonError('EARCHIVE', 'the archive is damaged: it ends within an entry')
    at += got
  }
  return buffer
}

const overFile = (fd: number, members: readonly ArchiveMember[]): ArchiveFile => {
  const index = indexOf(members)
  const length = fstatSync(fd).size
  const find = (name: string): ArchiveMember => {
    const member = follow(index, name)
    if (member === undefined) throw new CaissonError('EARCHIVE', `the archive has no file ${name}`)
    if (member.offset + member.size > length)
      throw new CaissonError('EARCHIVE', `the archive is damaged: it ends within ${name}`)
    return member
  }
  return {
    has: (name) => follow(index, name) !== undefined,
    size: (name) => find(name).size,
    read: (name, limit) => {
      const { offset, size } = find(name)
      if (size > limit) throw new CaissonError('EARCHIVE', `${name} in the archive is longer than ${limit} bytes`)
      return readFully(fd, offset, size)
    },
    stream: (name) => {
      const { offset, size } = find(name)
      if (size === 0) return (async function* () {})()
      const options = { fd, autoClose: false, start: offset, end: offset + size - 1, highWaterMark: CHUNK }
      return createReadStream('', options) as AsyncIterable<Buffer>
    },
    first: (name) => {
      const { offset, size } = find(name)
      return readFully(fd, offset, Math.min(size, MAGIC_BYTES))
    },
    range: (name) => {
      const { offset, size } = find(name)
      return { fd, offset, size }
    },
    close: () => closeSync(fd),
  }
}

/** An unlinked file in the content store: it goes with this process, whatever ends that. */
const spool = async (content: ContentRoot, source: AsyncIterable<Buffer>): Promise<number> => {
  mkdirSync(contentOf(content), { recursive: true, mode: 0o700 })
  const path = `${contentOf(content)}/spool.${process.pid}`
  rmSync(path, { force: true })
  const fd = openSync(path, 'wx+', 0o600)
  rmSync(path)
  try {
    for await (const chunk of source) for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

const openPlain = async (content: ContentRoot, path: string): Promise<number> => {
  const fd = openSync(path, 'r')
  const first = Buffer.alloc(MAGIC_BYTES)
  const stat = fstatSync(fd)
  if (stat.isFile() && compressionOf(first.subarray(0, readSync(fd, first, 0, MAGIC_BYTES, 0))) === undefined) return fd
  return spool(content, decompressed(createReadStream('', { fd, highWaterMark: CHUNK }) as AsyncIterable<Buffer>))
}

/** `path`: `-` for stdin. Throws EARCHIVE. */
export const openArchive = async (content: ContentRoot, path: string): Promise<ArchiveFile> => {
  const stdin = () => spool(content, decompressed(process.stdin as AsyncIterable<Buffer>))
  const fd = await (path === '-' ? stdin() : openPlain(content, path))
  try {
    return overFile(fd, await loadNative().listArchive(fd))
  } catch (error) {
    closeSync(fd)
    throw refusal(error)
  }
}

export interface Descriptor {
  readonly mediaType: string
  /** `sha256:…` or `sha512:…` */
  readonly digest: string
  readonly size: number
}

const mismatch = (name: string, what: string): CaissonError =>
  new CaissonError('EDIGEST', `${name} in the archive is not what its digest says: ${what}`)

/** A small blob, its size and digest checked before anybody looks into it. `size` undefined: not said. */
export const readVerified = (
  archive: ArchiveFile,
  name: string,
  expected: { readonly digest: string; readonly size: number | undefined },
  limit: number,
): Buffer => {
  const bytes = archive.read(name, limit)
  if (expected.size !== undefined && bytes.length !== expected.size) throw mismatch(name, `${bytes.length} bytes`)
  const found = digestLike(expected.digest, bytes)
  if (found !== expected.digest) throw mismatch(name, found)
  return bytes
}

/** A large one, checked while it is read: the consumer believes it when this has ended without throwing. */
export async function* streamVerified(
  archive: ArchiveFile,
  name: string,
  expected: { readonly digest: string; readonly size: number | undefined },
): AsyncGenerator<Buffer> {
  if (expected.size !== undefined && archive.size(name) !== expected.size)
    throw mismatch(name, `${archive.size(name)} bytes`)
  const algorithm = expected.digest.slice(0, expected.digest.indexOf(':'))
  const hash = createHash(algorithm)
  for await (const chunk of archive.stream(name)) {
    hash.update(chunk)
    yield chunk
  }
  const found = `${algorithm}:${hash.digest('hex')}`
  if (found !== expected.digest) throw mismatch(name, found)
}
