/** `push`: what the registry lacks of an image, and then its manifest, last, so that nobody finds half of it. */
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { CaissonError } from '../errors.ts'
import { parseReference, repositoryOf } from '../oci/reference.ts'
import type { Descriptor } from './archive-file.ts'
import { compressedManifest } from './compress-layers.ts'
import { parseManifest } from './documents.ts'
import { blobOf, type ContentRoot } from './paths.ts'
import type { ManifestBytes, RegistryClient, Repository } from './registry/types.ts'
import { semaphore } from './semaphore.ts'
import { allRecords, blobsOf, findRecord, lookUp, nameImage, normalise } from './store.ts'
import { isForeign, wholeImage } from './whole.ts'

export type BlobPhase = 'waiting' | 'there' | 'mounted' | 'uploading' | 'done'

export interface BlobProgress {
  readonly digest: string
  readonly phase: BlobPhase
  /** Bytes that the registry has, of `size`. */
  readonly bytes: number
  readonly size: number
}

export interface PushRequest {
  readonly client: RegistryClient
  readonly repository: Repository
  /** As the user wrote it: its name says where to. */
  readonly reference: string
  readonly onProgress: (progress: BlobProgress) => void
  /** Runs a change of names. */
  readonly naming: <T>(change: () => T) => Promise<T>
}

export interface Pushed {
  /** What the registry calls the image. */
  readonly digest: string
  /** Of its manifest. */
  readonly size: number
}

const PARALLEL = 5
const CHUNK = 1 << 20

/** Configuration and layers, each once. */
const toPush = (manifest: ManifestBytes): readonly Descriptor[] => {
  const { config, layers } = parseManifest(manifest.bytes, manifest.mediaType, manifest.digest)
  const wanted = [config, ...layers.filter((layer) => !isForeign(layer))]
  return [...new Map(wanted.map((blob) => [blob.digest, blob])).values()]
}

/** Blobs that are known to be in other repositories of the host, by digest. */
const elsewhere = (content: ContentRoot, { host, path }: Repository): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (const record of allRecords(content))
    for (const repoDigest of record.repoDigests) {
      const other = repositoryOf(parseReference(repoDigest))
      if (other.host !== host || other.path === path) continue
      for (const digest of blobsOf(content, record)) found.set(digest, other.path)
    }
  return found
}

const pushBlob = async (
  content: ContentRoot,
  { client, repository, onProgress }: PushRequest,
  blob: Descriptor,
  source: string | undefined,
): Promise<void> => {
  const tell = (phase: BlobPhase, bytes: number) => onProgress({ digest: blob.digest, phase, bytes, size: blob.size })
  if (await client.hasBlob(repository, blob.digest)) return tell('there', blob.size)
  if (source !== undefined && (await client.mount(repository, blob.digest, source))) return tell('mounted', blob.size)
  const path = blobOf(content, blob.digest)
  await client.upload(repository, {
    ...{ digest: blob.digest, size: statSync(path).size },
    open: (offset) => createReadStream(path, { start: offset, highWaterMark: CHUNK }) as AsyncIterable<Buffer>,
    onProgress: (sent) => tell('uploading', sent),
  })
  tell('done', blob.size)
}

/** The first failure is told when no upload runs any more. */
const pushBlobs = async (content: ContentRoot, request: PushRequest, blobs: readonly Descriptor[]): Promise<void> => {
  const sources = elsewhere(content, request.repository)
  const places = semaphore(PARALLEL)
  for (const { digest, size } of blobs) request.onProgress({ digest, phase: 'waiting', bytes: 0, size })
  const pushing = blobs.map((blob) => places.run(() => pushBlob(content, request, blob, sources.get(blob.digest))))
  const failed = (await Promise.allSettled(pushing)).find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** Throws as the client, ENOIMAGE, ENOMANIFEST, ENOBLOB. Nobody sweeps meanwhile. */
export const pushImage = async (content: ContentRoot, request: PushRequest): Promise<Pushed> => {
  const { client, repository, reference } = request
  const parsed = parseReference(reference)
  if (parsed.digest !== undefined)
    throw new CaissonError('EREFERENCE', `'${reference}' cannot be pushed: a digest is what a push results in`, {
      hint: `push ${parsed.name}:${parsed.tag ?? 'latest'}`,
    })
  const name = normalise(reference)
  const record = lookUp(content, name) ?? findRecord(content, reference)
  const { manifest: descriptor } = wholeImage(content, record)
  const kept = { ...descriptor, bytes: readFileSync(blobOf(content, descriptor.digest)) }
  // What came from a registry goes back as it was: its digest is known to others.
  const manifest = record.repoDigests.length > 0 ? kept : await compressedManifest(content, kept)
  const blobs = toPush(manifest)
  await pushBlobs(content, request, blobs)
  const digest = await client.putManifest(repository, parsed.tag ?? 'latest', manifest)
  const repoDigests = [...new Set([`${parsed.name}@${digest}`, ...record.repoDigests])]
  const { bytes: _, ...described } = manifest
  await request.naming(() => nameImage(content, { ...record, manifest: described, repoDigests }))
  return { digest, size: manifest.size }
}
