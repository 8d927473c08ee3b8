/** One layer from a registry into the store: what came before a connection broke is kept, whoever asks for it next. */
import { closeSync, openSync, statSync, writeFileSync } from 'node:fs'
import { CaissonError } from '../errors.ts'
import type { Descriptor } from './archive-file.ts'
import { type Ingested, type IngestUnpack, ingestBlob } from './ingest.ts'
import { isBroken } from './registry/retry.ts'
import type { RegistryClient, Repository } from './registry/types.ts'

export interface LayerFetch {
  readonly client: RegistryClient
  readonly repository: Repository
  readonly blob: Descriptor
  /** File that it is kept in until it is whole. */
  readonly partial: string
  /** An empty directory for each attempt; undefined: it is only kept. */
  readonly makeRoot: (() => string) | undefined
  /** Bytes that are here, of those that came from the registry in this command and before. */
  readonly onBytes: (here: number) => void
  readonly signal: AbortSignal | undefined
}

export interface FetchedLayer {
  readonly ingested: Ingested
  /** Where it was unpacked. */
  readonly root: string | undefined
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** Attempts without a byte of progress. */
const MAX_ATTEMPTS = 5

const codeOf = (error: unknown): string => (error instanceof CaissonError ? error.code : '')

async function* counted(chunks: AsyncIterable<Buffer>, from: number, onBytes: (here: number) => void) {
  let here = from
  for await (const chunk of chunks) {
    here += chunk.length
    onBytes(here)
    yield chunk
  }
}

const unpackTo = (makeRoot: LayerFetch['makeRoot']): IngestUnpack | undefined =>
  makeRoot === undefined ? undefined : { root: makeRoot(), layer: true, lower: undefined }

/** All of it is here already: only unpacking was left. */
export const ingestKept = async (
  path: string,
  { blob, makeRoot }: Pick<LayerFetch, 'blob' | 'makeRoot'>,
): Promise<FetchedLayer> => {
  const fd = openSync(path, 'r')
  const unpack = unpackTo(makeRoot)
  try {
    const source = { fd, offset: 0, size: sizeOf(path) }
    return { ingested: await ingestBlob({ source, expected: blob, unpack, name: blob.digest }), root: unpack?.root }
  } finally {
    closeSync(fd)
  }
}

/**
 * What is wrong, or refused although it is all there, is of no use to anybody. Emptied, not removed: its lock is held.
 * Whether another attempt may bring something else.
 */
const emptied = ({ partial }: LayerFetch, error: unknown): boolean => {
  const code = codeOf(error)
  if (code === 'EDIGEST' || code === 'EARCHIVE') writeFileSync(partial, '')
  return code === 'EDIGEST'
}

const attempt = async (fetch: LayerFetch, prefix: number): Promise<FetchedLayer> => {
  const { client, repository, blob, partial, onBytes, signal } = fetch
  if (prefix === blob.size && prefix > 0) return ingestKept(partial, fetch)
  const { offset, chunks } = await client.blob(repository, blob, prefix, signal)
  const unpack = unpackTo(fetch.makeRoot)
  const source = counted(chunks, offset, onBytes)
  const keep = { path: partial, prefix: offset }
  return { ingested: await ingestBlob({ source, expected: blob, keep, unpack, name: blob.digest }), root: unpack?.root }
}

/**
 * The lock of the partial file is held. Throws EDIGEST for what is wrong from its first byte on, EARCHIVE, and as the client
 * when attempts bring nothing more.
 */
export const fetchLayer = async (fetch: LayerFetch): Promise<FetchedLayer> => {
  let fruitless = 0
  for (;;) {
    const prefix = Math.min(sizeOf(fetch.partial), fetch.blob.size)
    try {
      return await attempt(fetch, prefix)
    } catch (error) {
      if (fetch.signal?.aborted)
        throw new CaissonError('EABORTED', `${fetch.blob.digest}: interrupted`, { cause: error })
      const here = sizeOf(fetch.partial)
      // The beginning may be of another attempt that was served something else.
      if (emptied(fetch, error) && prefix > 0) continue
      fruitless = here > prefix ? 0 : fruitless + 1
      if (!isBroken(error) || fruitless >= MAX_ATTEMPTS) throw error
    }
  }
}
