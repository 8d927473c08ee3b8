/** A blob on its way into the store: JavaScript hands over its bytes, or the file that has them, and native/ingest does the rest. */
import { CaissonError, SystemError } from '../errors.ts'
import type { IngestedBlob, NativeBinding, NativeIngest, UnpackedArchive } from '../native/binding.ts'
import { loadNative } from '../native/load.ts'
import { fromNative } from '../native/failure.ts'

/** Part of a file that is open to read. */
export interface FileRange {
  readonly fd: number
  readonly offset: number
  readonly size: number
}

export interface IngestRequest {
  /** Of a stream that throws, what came before it stays in the kept file. */
  readonly source: AsyncIterable<Buffer> | FileRange
  /** What it must be; undefined: whatever comes. */
  readonly expected: { readonly digest: string; readonly size: number | undefined } | undefined
  /** File to keep the blob in; `prefix` bytes of it are there from before, and `source` begins after them. */
  readonly keep?: { readonly path: string; readonly prefix: number } | undefined
  readonly unpack?: IngestUnpack | undefined
  /** For messages: the digest, or a name in an archive. */
  readonly name: string
}

export interface IngestUnpack {
  /** Empty directory. */
  readonly root: string
  /** Whiteouts are overlayfs's. */
  readonly layer: boolean
  /** Unpacked layers below it, topmost first; undefined: not known yet, it is to be settled. */
  readonly lower: readonly string[] | undefined
}

export interface Ingested {
  /** `sha256:…` of the blob as stored. */
  readonly digest: string
  readonly size: number
  readonly content: { readonly diffId: string; readonly unpacked: UnpackedArchive } | undefined
}

/** The archive's own fault, in the words of C++ (native/archive). */
export const refusal = (error: unknown): unknown => {
  if (!(error instanceof SystemError) || error.step !== 'archive') return error
  const name = error.path ? `'${error.path}' ` : ''
  return new CaissonError('EARCHIVE', `the archive is refused: ${name}${error.syscall}`, { cause: error })
}

const isRange = (source: AsyncIterable<Buffer> | FileRange): source is FileRange => !(Symbol.asyncIterator in source)

const open = (binding: NativeBinding, request: IngestRequest, onRoom: () => void): NativeIngest => {
  const { source, expected, keep, unpack } = request
  const options = {
    algorithm: expected?.digest.startsWith('sha512:') ? ('sha512' as const) : ('sha256' as const),
    ...{ blob: keep?.path, prefix: keep?.prefix ?? 0, limit: expected?.size ?? Number.MAX_SAFE_INTEGER },
    file: isRange(source) ? source : undefined,
    ...{ root: unpack?.root, layer: unpack?.layer ?? false, lower: unpack?.lower },
  }
  return binding.openIngest(options, onRoom)
}

/** Hands over the chunks as fast as they are taken. */
const feed = async (source: AsyncIterable<Buffer>, ingest: NativeIngest, room: () => Promise<void>): Promise<void> => {
  for await (const chunk of source) {
    const more = ingest.write(chunk)
    if (more === undefined) return
    if (!more) await room()
  }
}

const mismatch = ({ name }: IngestRequest, what: string): CaissonError =>
  new CaissonError('EDIGEST', `${name} is not what its digest says: ${what}`)

const failed = (request: IngestRequest, error: unknown): unknown => {
  const failure = fromNative(error)
  if (failure instanceof SystemError && failure.code === 'EFBIG' && failure.syscall === 'ingest')
    return mismatch(request, `it is longer than ${request.expected?.size} bytes`)
  return refusal(failure)
}

/** The digest comes first: of a blob that is not the one that was asked for, nothing else means anything. */
const verified = (request: IngestRequest, blob: IngestedBlob): Ingested => {
  const { expected } = request
  const algorithm = expected?.digest.startsWith('sha512:') ? 'sha512' : 'sha256'
  const digest = `${algorithm}:${blob.digest}`
  if (expected?.size !== undefined && blob.size !== expected.size) throw mismatch(request, `it has ${blob.size} bytes`)
  if (expected !== undefined && digest !== expected.digest) throw mismatch(request, `it is ${digest}`)
  if (blob.refused !== undefined) throw refusal(fromNative(blob.refused))
  const content =
    blob.diffId === undefined || blob.unpacked === undefined
      ? undefined
      : { diffId: blob.diffId, unpacked: blob.unpacked }
  return { digest, size: blob.size, content }
}

/** Throws EDIGEST, EARCHIVE, SystemError, and what `source` throws. */
export const ingestBlob = async (request: IngestRequest): Promise<Ingested> => {
  let proceed = () => {}
  const ingest = open(loadNative(), request, () => proceed())
  const room = () =>
    new Promise<void>((resolve) => {
      proceed = resolve
    })
  const { source } = request
  try {
    if (!isRange(source)) await feed(source, ingest, room)
  } catch (error) {
    await ingest.end().catch(() => {}) // what has come is written before anybody asks how much that is
    throw error
  }
  const blob = await ingest.end().catch((error: unknown) => {
    throw failed(request, error)
  })
  return verified(request, blob)
}
