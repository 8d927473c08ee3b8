/** `pull`: an image of a registry becomes one of this machine, with a name only when all of it is there and verified. */
import { existsSync, readFileSync } from 'node:fs'
import { parseReference, type Reference } from '../oci/reference.ts'
import { parseConfiguration, type Platform } from './documents.ts'
import { blobOf, type ContentRoot, hasLayer, layerBytes } from './paths.ts'
import { isPlatform, parsePlatform, thisPlatform } from './platform.ts'
import { type LayerProgress, pullLayers, type SharedPulls } from './pull-layers.ts'
import type { RegistryClient, Repository } from './registry/types.ts'
import { type RemoteImage, resolveRemote } from './resolve.ts'
import { blobsOf, type ListedImage, lookUp, nameImage, normalise, type ReferenceRecord, writeBlob } from './store.ts'

export interface PullRequest {
  readonly client: RegistryClient
  readonly repository: Repository
  /** As the user wrote it. */
  readonly reference: string
  /** `os/architecture[/variant]`; undefined: this machine's. */
  readonly platform: string | undefined
  readonly onProgress: (progress: LayerProgress) => void
  readonly warn: (message: string) => void
  readonly signal: AbortSignal | undefined
  readonly shared: SharedPulls
  /** Runs a change of names. */
  readonly naming: <T>(change: () => T) => Promise<T>
}

export interface Pulled {
  readonly image: ListedImage
  /** In the registry: of the index or manifest that the reference stands for. */
  readonly digest: string
  /** Whether it was here already. */
  readonly isUpToDate: boolean
}

/** What the protocol asks by. */
const wantedOf = ({ digest, tag }: Reference): string => digest ?? tag ?? 'latest'

const isComplete = (content: ContentRoot, record: ReferenceRecord): boolean =>
  record.manifest !== undefined &&
  record.layers.every((chain) => hasLayer(content, chain)) &&
  blobsOf(content, record).every((digest) => existsSync(blobOf(content, digest)))

const platformOf = (content: ContentRoot, { id }: ReferenceRecord): Platform =>
  parseConfiguration(readFileSync(blobOf(content, id)), id).platform

const digestAt = (record: ReferenceRecord, name: string): string | undefined =>
  record.repoDigests.find((each) => each.startsWith(`${name}@`))?.slice(name.length + 1)

/** What is here under the name, where the registry still means the same by it. */
const upToDate = async (
  content: ContentRoot,
  { client, repository, reference }: PullRequest,
  platform: Platform,
): Promise<ReferenceRecord | undefined> => {
  const parsed = parseReference(reference)
  const record = lookUp(content, normalise(reference))
  if (record === undefined || !isComplete(content, record) || !isPlatform(platformOf(content, record), platform)) return
  const here = digestAt(record, parsed.name)
  if (here === undefined) return
  if (parsed.digest !== undefined) return parsed.digest === here ? record : undefined
  const there = await client.head(repository, wantedOf(parsed))
  return there?.digest === here ? record : undefined
}

const store = (
  content: ContentRoot,
  request: PullRequest,
  remote: RemoteImage,
  layers: readonly string[],
): ListedImage => {
  const parsed = parseReference(request.reference)
  for (const { bytes, digest } of remote.documents) writeBlob(content, bytes, digest)
  const id = writeBlob(content, remote.configBytes)
  writeBlob(content, remote.configBytes, remote.manifest.config.digest)
  const descriptors = remote.documents.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }))
  return nameImage(content, {
    ...{ reference: normalise(request.reference), id, layers },
    ...{ manifest: descriptors.at(-1), indexes: descriptors.slice(0, -1) },
    repoDigests: [`${parsed.name}@${remote.top.digest}`],
    pulledAt: Date.now(),
    sizeBytes: layers.reduce((sum, chain) => sum + layerBytes(content, chain), 0),
  })
}

/** Throws as resolveRemote and pullLayers. The content is being filled by this command: nobody sweeps meanwhile. */
export const pullImage = async (content: ContentRoot, request: PullRequest): Promise<Pulled> => {
  const platform = request.platform === undefined ? thisPlatform() : parsePlatform(request.platform)
  const here = await upToDate(content, request, platform)
  const { client, repository, reference, onProgress, warn, signal, shared, naming } = request
  if (here !== undefined) {
    const digest = digestAt(here, parseReference(reference).name) ?? ''
    return { image: await naming(() => touched(content, here)), digest, isUpToDate: true }
  }
  const options = { platform, isAsked: request.platform !== undefined, name: reference }
  const remote = await resolveRemote(client, repository, wantedOf(parseReference(reference)), options)
  const layers = await pullLayers(content, {
    ...{ client, repository, onProgress, warn, signal, shared },
    layers: remote.manifest.layers,
    diffIds: remote.configuration.diffIds,
  })
  const image = await naming(() => store(content, request, remote, layers))
  return { image, digest: remote.top.digest, isUpToDate: false }
}

/** It was asked for today: `pull_policy: daily` does not ask again. */
const touched = (content: ContentRoot, record: ReferenceRecord): ListedImage => {
  const { importedAt: createdAt } = record
  return { ...nameImage(content, { ...record, pulledAt: Date.now() }), createdAt }
}
