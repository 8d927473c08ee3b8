/** `image load`: images of an archive, each layer unpacked once, everything verified before it has a name. */
import { CaissonError } from '../errors.ts'
import { type ArchiveFile, openArchive, streamVerified } from './archive-file.ts'
import { type ArchivedBlob, type ArchivedImage, imagesIn } from './archive-layout.ts'
import { forIngest } from './compression.ts'
import { chainOf, unpackLayer } from './layer.ts'
import { type ContentRoot, hasLayer, layerBytes } from './paths.ts'
import { formatPlatform, isPlatform, parsePlatform, thisPlatform } from './platform.ts'
import { type ListedImage, nameImage, writeBlob } from './store.ts'

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

const storedBytes = (archive: ArchiveFile, { name, digest, size }: ArchivedBlob): AsyncIterable<Buffer> =>
  digest === undefined ? archive.stream(name) : streamVerified(archive, name, { digest, size })

/** Chain IDs of its layers, topmost first. */
const unpackLayers = async (
  content: ContentRoot,
  archive: ArchiveFile,
  image: ArchivedImage,
  warn: (message: string) => void,
): Promise<readonly string[]> => {
  let below: readonly string[] = []
  for (const [index, blob] of image.layers.entries()) {
    const diffId = image.configuration.diffIds[index] ?? ''
    const chain = chainOf(below[0], diffId)
    if (!hasLayer(content, chain)) {
      const stored = forIngest(storedBytes(archive, blob))
      const request = { stored, expected: undefined, layer: { diffId, below }, name: blob.name }
      const { unpacked } = await unpackLayer(content, request)
      if (unpacked.incompleteCount > 0) warn(incomplete(unpacked))
    }
    below = [chain, ...below]
  }
  return below
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
  warn: (message: string) => void,
): Promise<readonly ListedImage[]> => {
  const layers = await unpackLayers(content, archive, image, warn)
  const id = writeBlob(content, image.configBytes)
  const sizeBytes = layers.reduce((sum, chain) => sum + layerBytes(content, chain), 0)
  const names = image.references.length === 0 ? [id] : image.references
  return names.map((reference) => nameImage(content, { reference, id, layers, sizeBytes }))
}

/**
 * `path`: of a `docker save` or OCI archive, plain or compressed; `-` for stdin. The content lock is held. Throws EARCHIVE,
 * EDIGEST, EPLATFORM, EREFERENCE; images that came before the bad one stay.
 */
export const loadArchive = async (content: ContentRoot, path: string, options: LoadOptions): Promise<Loaded> => {
  const platform = options.platform === undefined ? thisPlatform() : parsePlatform(options.platform)
  const archive = await openArchive(content, path)
  const warnings: string[] = []
  const images: ListedImage[] = []
  try {
    const found = imagesIn(archive, { platform, isAsked: options.platform !== undefined, name: options.name })
    if (found.length === 0) throw new CaissonError('EARCHIVE', 'the archive holds no image')
    for (const image of found) {
      const named = await store(content, archive, image, (message) => warnings.push(message))
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
