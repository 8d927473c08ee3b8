/**
 * The layers of an image from a registry: all at once, each unpacked on its own, and put on those below it when these are there.
 * Who pulls a layer holds the lock of its partial file until the layer is named; another pull waits for it and finds it done.
 * Locks are taken from the bottom up, and nobody who holds one waits for a layer above it: no two pulls wait for each other.
 */
import { chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { CaissonError } from '../errors.ts'
import { loadNative } from '../native/load.ts'
import type { Descriptor } from './archive-file.ts'
import { type FetchedLayer, fetchLayer, ingestKept } from './fetch-layer.ts'
import { chainOf, nameLayer, UNFINISHED, wrongContent } from './layer.ts'
import { incomplete } from './load.ts'
import { blobOf, type ContentRoot, hasLayer, ingestOf, layerOf, layersOf, partialOf } from './paths.ts'
import type { RegistryClient, Repository } from './registry/types.ts'
import { type Semaphore, semaphore } from './semaphore.ts'

export type LayerPhase = 'here' | 'waiting' | 'downloading' | 'unpacking' | 'done'

export interface LayerProgress {
  readonly digest: string
  readonly phase: LayerPhase
  /** Bytes that are here, of `size`. */
  readonly bytes: number
  readonly size: number
}

export interface LayersRequest {
  readonly client: RegistryClient
  readonly repository: Repository
  /** Bottom first. */
  readonly layers: readonly Descriptor[]
  /** Hex of each. */
  readonly diffIds: readonly string[]
  readonly onProgress: (progress: LayerProgress) => void
  readonly warn: (message: string) => void
  readonly signal: AbortSignal | undefined
  /** Of the whole command, which may pull several images. */
  readonly shared: SharedPulls
}

/** What pulls of one command have in common. */
export interface SharedPulls {
  readonly places: Semaphore
  /** By the digest of the blob. */
  readonly running: Map<string, Promise<void>>
}

/** Downloads at once, as many as a registry takes from one client without slowing it down. */
const PARALLEL = 5
const LOOK_AGAIN_MS = 50

export const sharedPulls = (): SharedPulls => ({ places: semaphore(PARALLEL), running: new Map() })

interface Work extends LayersRequest {
  readonly content: ContentRoot
  /** Directories that were begun: what has no name in the end goes. */
  readonly roots: string[]
  /** The first failure ends the rest. */
  readonly fail: (error: unknown) => void
}

interface Layer {
  readonly blob: Descriptor
  readonly diffId: string
  readonly chain: string
  /** Chain IDs, topmost first. */
  readonly below: readonly string[]
}

const stacked = ({ layers, diffIds }: LayersRequest): readonly Layer[] => {
  const stack: Layer[] = []
  let below: readonly string[] = []
  for (const [index, blob] of layers.entries()) {
    const diffId = diffIds[index] ?? ''
    const chain = chainOf(below[0], diffId)
    stack.push({ blob, diffId, chain, below })
    below = [chain, ...below]
  }
  return stack
}

const isHere = (content: ContentRoot, { blob, chain }: Layer): boolean =>
  hasLayer(content, chain) && existsSync(blobOf(content, blob.digest))

/** Waits by looking again: a thread of libuv that waits is one less for the names and files of whoever holds the lock. */
const lockPartial = async (path: string, signal: AbortSignal | undefined): Promise<() => void> => {
  const binding = loadNative()
  for (;;) {
    const fd = binding.lock(path)
    if (fd !== undefined) return () => closeSync(fd)
    await setTimeout(LOOK_AGAIN_MS, undefined, { signal }).catch((cause: unknown) => {
      throw new CaissonError('EABORTED', 'interrupted while another command fetched a layer', { cause })
    })
  }
}

const progress = ({ onProgress }: Work, { blob }: Layer, phase: LayerPhase, bytes: number): void =>
  onProgress({ digest: blob.digest, phase, bytes, size: blob.size })

/** The bytes of the layer, unpacked beside where it is missing. */
const obtain = async (work: Work, layer: Layer): Promise<FetchedLayer> => {
  const { content, client, repository, signal } = work
  const { blob } = layer
  const makeRoot = () => {
    const root = mkdtempSync(`${layersOf(content)}/${UNFINISHED}.${process.pid}.`)
    chmodSync(root, 0o755) // a root that the archive says nothing of
    work.roots.push(root)
    return root
  }
  // Unpacked also where the layer is here: only then is the blob known to be what that layer was made of.
  const wanted = { blob, makeRoot }
  const stored = blobOf(content, blob.digest)
  if (existsSync(stored)) {
    progress(work, layer, 'unpacking', blob.size)
    return ingestKept(stored, wanted)
  }
  const partial = partialOf(content, blob.digest)
  const onBytes = (here: number) => progress(work, layer, here < blob.size ? 'downloading' : 'unpacking', here)
  const fetched = await fetchLayer({ ...wanted, client, repository, partial, onBytes, signal })
  mkdirSync(dirname(stored), { recursive: true, mode: 0o700 })
  renameSync(partial, stored)
  return fetched
}

/** Those below it are there: it gets its name. */
const place = async (work: Work, layer: Layer, { ingested, root }: FetchedLayer): Promise<void> => {
  if (root === undefined || ingested.content === undefined) return
  const { diffId, unpacked } = ingested.content
  if (diffId !== layer.diffId) throw wrongContent(layer.blob.digest, diffId)
  if (hasLayer(work.content, layer.chain)) return
  const lower = layer.below.map((chain) => layerOf(work.content, chain))
  await loadNative().settleLayer(root, unpacked.implied, lower)
  nameLayer(work.content, root, layer.chain, unpacked.bytes)
  if (unpacked.incompleteCount > 0) work.warn(incomplete(unpacked))
}

const fetchAndPlace = async (work: Work, layer: Layer, below: Promise<void>): Promise<void> => {
  const fetched = isHere(work.content, layer) ? undefined : await work.shared.places.run(() => obtain(work, layer))
  await below
  if (fetched !== undefined) await place(work, layer, fetched)
  progress(work, layer, 'done', layer.blob.size)
}

/** Takes the locks in order, and starts each layer as soon as it has its own. A blob that comes twice waits for itself. */
const start = async (work: Work, stack: readonly Layer[], started: Promise<void>[]): Promise<void> => {
  const { running } = work.shared
  let below: Promise<void> = Promise.resolve()
  for (const layer of stack) {
    const { digest } = layer.blob
    if (isHere(work.content, layer)) {
      progress(work, layer, 'here', layer.blob.size)
      continue
    }
    progress(work, layer, 'waiting', 0)
    await running.get(digest)
    const unlock = await lockPartial(partialOf(work.content, digest), work.signal)
    const done = fetchAndPlace(work, layer, below).finally(unlock)
    done.catch(work.fail)
    started.push(done)
    running.set(digest, done)
    below = done
  }
}

/** Empty files that waiting for a lock has made beside blobs that are whole. */
const clearPartials = (content: ContentRoot, stack: readonly Layer[]): void => {
  for (const { blob } of stack)
    if (existsSync(blobOf(content, blob.digest))) rmSync(partialOf(content, blob.digest), { force: true })
}

/** Chain IDs, topmost first. Throws as fetchLayer; what has come until then stays for the next attempt. */
export const pullLayers = async (content: ContentRoot, request: LayersRequest): Promise<readonly string[]> => {
  const failure = new AbortController()
  const signals = request.signal === undefined ? [failure.signal] : [failure.signal, request.signal]
  const fail = (error: unknown) => failure.abort(error)
  const work: Work = { ...request, content, roots: [], fail, signal: AbortSignal.any(signals) }
  const stack = stacked(request)
  for (const directory of [layersOf(content), ingestOf(content)]) mkdirSync(directory, { recursive: true, mode: 0o700 })
  const started: Promise<void>[] = []
  await start(work, stack, started).catch(fail)
  await Promise.allSettled(started)
  clearPartials(content, stack)
  for (const root of work.roots) rmSync(root, { recursive: true, force: true })
  if (failure.signal.aborted) throw failure.signal.reason
  return stack.map(({ chain }) => chain).reverse()
}
