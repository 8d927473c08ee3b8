/** `image load`: images of an archive, each layer unpacked once, everything verified before it has a name. */
import { existsSync } from 'node:fs'
import { CaissonError } from '../errors.ts'
import { type ArchiveFile, type Descriptor, openArchive, streamVerified } from './archive-file.ts'
import { type ArchivedBlob, type ArchivedImage, imagesIn } from './archive-layout.ts'
import { forIngest, isForeign } from './compression.ts'
import { unpackAndKeep } from './keep.ts'
import { chainOf, type LayerRequest } from './layer.ts'
import { makeManifest, OCI_MANIFEST } from './manifest.ts'
import { blobOf, type ContentRoot, hasLayer, layerBytes } from './paths.ts'
import { formatPlatform, isPlatform, parsePlatform, thisPlatform } from './platform.ts'
import { atOnce, type ListedImage, nameImage, type Naming, writeBlob } from './store.ts'

export interface LoadOptions {
  /** `os/architecture[/variant]`; undefined: this machine's. */
  readonly platform: string | undefined
  /** Name for images of which the archive only says a tag, or nothing. */
  readonly name: string | undefined
}

export interface Loaded {
  /** One for each name; of an image without names, one whose reference is its id. */
  readonly images: readonly ListedImage[]
  readonly warnings: readonly string[]
}

type Stored = Pick<LayerRequest, 'stored' | 'expected'>

/** Read natively out of the archive's file; what only a program can decompress is verified here and comes plain from it. */
const storedOf = (archive: ArchiveFile, { name, digest, size }: ArchivedBlob): Stored => {
  const expected = digest === undefined ? undefined : { digest, size }
  if (!isForeign(archive.first(name))) return { stored: archive.range(name), expected }
  const bytes = expected === undefined ? archive.stream(name) : streamVerified(archive, name, expected)
  return { stored: forIngest(bytes), expected: undefined }
}

/** Where the blob is in the store, if it is; of a layer that is not compressed the diff ID is its digest. */
const storedAs = (content: ContentRoot, { digest }: ArchivedBlob, diffId: string): string | undefined =>
  [digest ?? `sha256:${diffId}`].find((each) => existsSync(blobOf(content, each)))

interface StoredLayers {
  /** Chain IDs, topmost first. */
  readonly chains: readonly string[]
  /** Of the blobs, bottom first. */
  readonly digests: readonly string[]
}

/** Unpacks and keeps what is not here yet. */
const storeLayers = async (
  content: ContentRoot,
  archive: ArchiveFile,
  image: ArchivedImage,
  warn: (message: string) => void,
): Promise<StoredLayers> => {
  const digests: string[] = []
  let below: readonly string[] = []
  for (const [index, blob] of image.layers.entries()) {
    const diffId = image.configuration.diffIds[index] ?? ''
    const chain = chainOf(below[0], diffId)
    let digest = hasLayer(content, chain) ? storedAs(content, blob, diffId) : undefined
    if (digest === undefined) {
      const request = { ...storedOf(archive, blob), layer: { diffId, below }, name: blob.name }
      const layer = await unpackAndKeep(content, request)
      if (layer.unpacked.incompleteCount > 0) warn(incomplete(layer.unpacked))
      digest = layer.digest
    }
    digests.push(digest)
    below = [chain, ...below]
  }
  return { chains: below, digests }
}

/** The archive's own where its blobs were kept as they were stored; layers in xz or bzip2 are not, for no registry takes them. */
const storeManifest = (
  content: ContentRoot,
  { id, manifest }: ArchivedImage,
  layers: readonly string[],
): Descriptor => {
  const isOwn = manifest !== undefined && manifest.config === id && manifest.layers.join(' ') === layers.join(' ')
  const bytes = isOwn ? manifest.bytes : Buffer.from(makeManifest(content, id, layers))
  return { mediaType: isOwn ? manifest.mediaType : OCI_MANIFEST, digest: writeBlob(content, bytes), size: bytes.length }
}

export const incomplete = (unpacked: {
  readonly incomplete: readonly string[]
  readonly incompleteCount: number
}): string => {
  const shown = unpacked.incomplete.slice(0, 5)
  const more = unpacked.incompleteCount > shown.length ? ' …' : ''
  return `this machine could not take ${unpacked.incompleteCount} device nodes or attributes of the archive: ${shown.join(', ')}${more}`
}

const store = async (
  content: ContentRoot,
  archive: ArchiveFile,
  image: ArchivedImage,
  { warn, naming }: { readonly warn: (message: string) => void; readonly naming: Naming },
): Promise<readonly ListedImage[]> => {
  const { chains: layers, digests } = await storeLayers(content, archive, image, warn)
  const id = writeBlob(content, image.configBytes)
  const manifest = storeManifest(content, image, digests)
  const sizeBytes = layers.reduce((sum, chain) => sum + layerBytes(content, chain), 0)
  const names = image.references.length === 0 ? [id] : image.references
  return naming(() => names.map((reference) => nameImage(content, { reference, id, manifest, layers, sizeBytes })))
}

/**
 * `path`: of a `docker save` or OCI archive, plain or compressed; `-` for stdin. Nobody sweeps meanwhile. Throws EARCHIVE,
 * EDIGEST, EPLATFORM, EREFERENCE; images that came before the bad one stay.
 */
export const loadArchive = async (
  content: ContentRoot,
  path: string,
  options: LoadOptions,
  naming: Naming = atOnce,
): Promise<Loaded> => {
  const platform = options.platform === undefined ? thisPlatform() : parsePlatform(options.platform)
  const archive = await openArchive(content, path)
  const warnings: string[] = []
  const images: ListedImage[] = []
  const warn = (message: string) => warnings.push(message)
  try {
    const found = imagesIn(archive, { platform, isAsked: options.platform !== undefined, name: options.name })
    if (found.length === 0) throw new CaissonError('EARCHIVE', 'the archive holds no image')
    for (const image of found) {
      const named = await store(content, archive, image, { warn, naming })
      images.push(...named)
      const given = image.configuration.platform
      if (given.architecture !== '' && !isPlatform(given, platform))
        warnings.push(`image ${named[0]?.reference} is for ${formatPlatform(given)}`)
    }
  } finally {
    archive.close()
  }
  return { images, warnings }
}
