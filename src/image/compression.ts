/** Compressed archives, told by their first bytes, not by names or media types. */
import { spawn } from 'node:child_process'
import type { Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import { CaissonError } from '../errors.ts'

type Compression = 'gzip' | 'zstd' | 'xz' | 'bzip2'

const MAGIC: readonly (readonly [hex: RegExp, compression: Compression])[] = [
  [/^1f8b/, 'gzip'],
  [/^28b52ffd/, 'zstd'],
  // A skippable frame comes first where an index for lazy pulling was put in.
  [/^5[0-9a-f]2a4d18/, 'zstd'],
  [/^fd377a585a00/, 'xz'],
  [/^425a68/, 'bzip2'],
]
/** Bytes of the longest magic. */
export const MAGIC_BYTES = 6

/** undefined: none that we know. */
export const compressionOf = (first: Buffer): Compression | undefined => {
  const hex = first.toString('hex', 0, MAGIC_BYTES)
  return MAGIC.find(([magic]) => magic.test(hex))?.[1]
}

const damaged = (cause: unknown): CaissonError =>
  new CaissonError('EARCHIVE', `the archive is damaged: ${cause instanceof Error ? cause.message : cause}`, { cause })

/** Node's own decoder; undefined: it has none (zstd before 22.15). */
const decoderOf = (compression: Compression): Duplex | undefined => {
  if (compression === 'gzip') return zlib.createGunzip()
  if (compression !== 'zstd') return undefined
  const newer = zlib as { createZstdDecompress?: () => Duplex }
  return newer.createZstdDecompress?.()
}

async function* throughDecoder(source: AsyncIterable<Buffer>, decoder: Duplex): AsyncGenerator<Buffer> {
  const feeding = pipeline(source, decoder).catch((error: unknown) => error)
  try {
    yield* decoder as AsyncIterable<Buffer>
    const fed = await feeding // the source may find at its end that it is not what it should be
    if (fed instanceof Error) throw fed
  } catch (error) {
    throw isDecodeError(error) ? damaged(error) : error
  } finally {
    decoder.destroy()
    await feeding
  }
}

const isDecodeError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^(Z_|ZSTD_)/.test(String(error.code))

/** The machine's own program, in a process of its own: hostile bytes never meet its decoder in ours. */
async function* throughProgram(source: AsyncIterable<Buffer>, program: Compression): AsyncGenerator<Buffer> {
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] })
  const messages: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => messages.length < 16 && messages.push(chunk))
  const ended = new Promise<number | Error>((resolve) => {
    child.once('error', resolve).once('close', (code) => resolve(code ?? 1))
  })
  const feeding = pipeline(source, child.stdin).catch((error: unknown) => error)
  try {
    yield* child.stdout as AsyncIterable<Buffer>
    const [outcome, fed] = await Promise.all([ended, feeding])
    if (outcome instanceof Error) throw missing(program, outcome)
    if (outcome !== 0) throw damaged(Buffer.concat(messages).toString().trim().slice(0, 200) || `${program} failed`)
    if (fed instanceof Error) throw fed
  } finally {
    child.kill()
  }
}

const missing = (program: Compression, cause: Error): CaissonError =>
  new CaissonError('EARCHIVE', `the archive is compressed with ${program}, for which this machine has no program`, {
    hint: `apt install ${program === 'xz' ? 'xz-utils' : program}, or compress it with gzip`,
    cause,
  })

/** The first bytes of a stream, and the whole of it. */
const peek = async (
  source: AsyncIterable<Buffer>,
): Promise<{ readonly first: Buffer; readonly whole: AsyncGenerator<Buffer> }> => {
  const chunks = source[Symbol.asyncIterator]()
  const parts: Buffer[] = []
  let size = 0
  while (size < MAGIC_BYTES) {
    const next = await chunks.next()
    if (next.done) break
    parts.push(next.value)
    size += next.value.length
  }
  const whole = async function* () {
    try {
      yield* parts
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
    } finally {
      await chunks.return?.()
    }
  }
  return { first: Buffer.concat(parts), whole: whole() }
}

/** The bytes of an archive without compression. */
export async function* decompressed(source: AsyncIterable<Buffer> | Readable): AsyncGenerator<Buffer> {
  const { first, whole } = await peek(source as AsyncIterable<Buffer>)
  const compression = compressionOf(first)
  if (compression === undefined) {
    yield* whole
    return
  }
  const decoder = decoderOf(compression)
  yield* decoder === undefined ? throughProgram(whole, compression) : throughDecoder(whole, decoder)
}

/** Whether only a program of the machine decompresses it. */
export const isForeign = (first: Buffer): boolean => {
  const compression = compressionOf(first)
  return compression === 'xz' || compression === 'bzip2'
}

/** As it is where native/ingest decompresses it itself; what only a program of the machine can is plain from here on. */
export async function* forIngest(source: AsyncIterable<Buffer> | Readable): AsyncGenerator<Buffer> {
  const { first, whole } = await peek(source as AsyncIterable<Buffer>)
  const compression = compressionOf(first)
  yield* compression !== undefined && isForeign(first) ? throughProgram(whole, compression) : whole
}
