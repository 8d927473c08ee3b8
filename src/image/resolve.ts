/** From a reference to one image of a registry: its index, manifest and configuration, each verified before it is looked into. */
import { CaissonError } from '../errors.ts'
import type { Descriptor } from './archive-file.ts'
import { choose } from './archive-layout.ts'
import {
  type Configuration,
  type Manifest,
  parseConfiguration,
  parseIndex,
  parseManifest,
  type Platform,
} from './documents.ts'
import { digestLike } from './digest.ts'
import { kindOf } from './media-types.ts'
import { isBroken } from './registry/retry.ts'
import type { ManifestBytes, RegistryClient, Repository } from './registry/types.ts'

export interface RemoteImage {
  /** What the tag stands for: an index, or the manifest itself. Its digest is the image's in the registry. */
  readonly top: ManifestBytes
  /** Indexes on the way, and the manifest, last. */
  readonly documents: readonly ManifestBytes[]
  readonly manifest: Manifest
  readonly configBytes: Buffer
  readonly configuration: Configuration
}

export interface ResolveOptions {
  readonly platform: Platform
  /** Whether the user asked for it: then nothing else will do. */
  readonly isAsked: boolean
  /** For messages: as the user wrote it. */
  readonly name: string
}

/** Configurations, which registries bound no more than manifests. */
const MAX_CONFIG = 4 << 20
const MAX_NESTING = 5

const MAX_TRIES = 3

/** The whole of a small blob, asked for again when the connection breaks in the middle. Throws EDIGEST. */
export const readBlob = async (client: RegistryClient, repository: Repository, blob: Descriptor): Promise<Buffer> => {
  for (let tried = 1; ; tried++) {
    try {
      return await readOnce(client, repository, blob)
    } catch (error) {
      if (!isBroken(error) || tried === MAX_TRIES) throw error
    }
  }
}

const readOnce = async (client: RegistryClient, repository: Repository, blob: Descriptor): Promise<Buffer> => {
  if (blob.size > MAX_CONFIG)
    throw new CaissonError('EARCHIVE', `the configuration ${blob.digest} is longer than ${MAX_CONFIG} bytes`)
  const parts: Buffer[] = []
  let size = 0
  const { chunks } = await client.blob(repository, blob, 0)
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > blob.size) break
    parts.push(chunk)
  }
  const bytes = Buffer.concat(parts)
  const digest = digestLike(blob.digest, bytes)
  if (size !== blob.size || digest !== blob.digest)
    throw new CaissonError(
      'EDIGEST',
      `${blob.digest} of ${repository.host} is not what its digest says: it is ${digest}, of ${size} bytes`,
    )
  return bytes
}

/** Schema 1 has no configuration that could be verified, and registries have stopped serving it. */
const checkKind = ({ mediaType }: ManifestBytes, name: string): void => {
  if (kindOf(mediaType) === 'manifest' || kindOf(mediaType) === 'index') return
  const old = /manifest\.v1\+/.test(mediaType)
  const what = old ? 'is in the format that Docker had before 1.10' : `is no image but of type '${mediaType}'`
  throw new CaissonError('EMANIFEST', `${name} ${what}`, old ? { hint: 'push it again with a newer Docker' } : {})
}

/** Follows indexes to the manifest of the platform. */
const descend = async (
  client: RegistryClient,
  repository: Repository,
  top: ManifestBytes,
  options: ResolveOptions,
): Promise<readonly ManifestBytes[]> => {
  const documents = [top]
  for (let last = top; kindOf(last.mediaType) === 'index'; documents.push(last)) {
    if (documents.length > MAX_NESTING)
      throw new CaissonError('EARCHIVE', `${options.name} has more than ${MAX_NESTING} indexes within each other`)
    const entry = choose(parseIndex(last.bytes, last.mediaType, last.digest), options, options.name)
    last = await client.manifest(repository, entry.digest)
    if (last.size !== entry.size || last.mediaType !== entry.mediaType)
      throw new CaissonError('EDIGEST', `${entry.digest} of ${options.name} is not what its index says`)
    checkKind(last, options.name)
  }
  return documents
}

/** `reference`: a tag or digest. Throws as the client, EPLATFORM, EMANIFEST, EARCHIVE, EDIGEST. */
export const resolveRemote = async (
  client: RegistryClient,
  repository: Repository,
  reference: string,
  options: ResolveOptions,
): Promise<RemoteImage> => {
  const top = await client.manifest(repository, reference)
  checkKind(top, options.name)
  const documents = await descend(client, repository, top, options)
  const last = documents.at(-1) ?? top
  const manifest = parseManifest(last.bytes, last.mediaType, last.digest)
  const configBytes = await readBlob(client, repository, manifest.config)
  const configuration = parseConfiguration(configBytes, manifest.config.digest)
  const [layers, diffIds] = [manifest.layers.length, configuration.diffIds.length]
  if (layers !== diffIds)
    throw new CaissonError(
      'EARCHIVE',
      `the image is refused: ${options.name} has ${layers} layers, and ${diffIds} diff_ids`,
    )
  return { top, documents, manifest, configBytes, configuration }
}
