/** Which images an archive holds, and where in it their parts lie: an OCI layout, or what `docker save` has written. */
import { CaissonError } from '../errors.ts'
import { formatReference, parseReference } from '../oci/reference.ts'
import { type ArchiveFile, type Descriptor, readVerified } from './archive-file.ts'
import {
  type Configuration,
  type DockerImage,
  type IndexEntry,
  parseConfiguration,
  parseDockerManifest,
  parseIndex,
  parseManifest,
  type Platform,
} from './documents.ts'
import { digestOf } from './digest.ts'
import { kindOf } from './media-types.ts'
import { formatPlatform, isPlatform } from './platform.ts'

/** A file in the archive; what is not said of it cannot be checked before it is unpacked. */
export interface ArchivedBlob {
  readonly name: string
  readonly digest: string | undefined
  readonly size: number | undefined
}

/** A small blob in its own bytes. */
export interface ArchivedManifest {
  readonly mediaType: string
  readonly bytes: Buffer
  /** As it names them. */
  readonly config: string
  readonly layers: readonly string[]
}

export interface ArchivedImage {
  /** Normalised, with tag; may be none. */
  readonly references: readonly string[]
  /** Of the configuration: the image's id. */
  readonly id: string
  readonly configBytes: Buffer
  readonly configuration: Configuration
  /** Bottom first, as many as diff IDs. */
  readonly layers: readonly ArchivedBlob[]
  /** undefined: the archive has none. */
  readonly manifest: ArchivedManifest | undefined
}

export interface LayoutOptions {
  readonly platform: Platform
  /** Whether the user asked for it: then nothing else will do. */
  readonly isAsked: boolean
  /** Name for images of which the archive only says a tag, or nothing. */
  readonly name: string | undefined
}

/** Manifests, indexes, configurations: what a registry takes at most. */
const MAX_DOCUMENT = 4 << 20
const MAX_NESTING = 5

const blobName = (digest: string) => `blobs/${digest.replace(':', '/')}`

const refuse = (what: string, hint?: string): never => {
  throw new CaissonError('EARCHIVE', what, hint === undefined ? {} : { hint })
}

const checkLayers = (id: string, configuration: Configuration, layers: number): void => {
  const { length } = configuration.diffIds
  if (length !== layers) refuse(`the archive is refused: image ${id} has ${layers} layers, and ${length} diff_ids`)
}

/** From a document of `size` and digest to its bytes. */
const readBlob = (archive: ArchiveFile, descriptor: Descriptor): Buffer =>
  readVerified(archive, blobName(descriptor.digest), descriptor, MAX_DOCUMENT)

/** Statements about other images travel beside them, as manifests of no platform. */
const isAttestation = ({ platform, annotations }: IndexEntry) =>
  'vnd.docker.reference.type' in annotations || (platform?.os === 'unknown' && platform.architecture === 'unknown')

/** The first that fits wins (image-spec image-index.md); one that says no platform fits any. */
export const choose = (
  entries: readonly IndexEntry[],
  options: Pick<LayoutOptions, 'platform' | 'isAsked'>,
  where: string,
): IndexEntry => {
  const images = entries.filter((entry) => kindOf(entry.mediaType) !== 'other' && !isAttestation(entry))
  const fitting = images.find(({ platform }) => platform === undefined || isPlatform(platform, options.platform))
  if (fitting !== undefined) return fitting
  const [only, ...others] = images
  if (only !== undefined && others.length === 0 && !options.isAsked) return only
  const there = images.flatMap(({ platform }) => (platform ? [formatPlatform(platform)] : []))
  throw new CaissonError('EPLATFORM', `${where} has no image for ${formatPlatform(options.platform)}`, {
    hint: there.length === 0 ? 'it has no image at all' : `it has ${there.join(', ')}: see --platform`,
  })
}

/** Follows indexes within indexes to one manifest. */
const manifestOf = (archive: ArchiveFile, entry: IndexEntry, options: LayoutOptions, depth = 0): IndexEntry => {
  if (kindOf(entry.mediaType) === 'manifest') return entry
  if (depth === MAX_NESTING) return refuse(`the archive is refused: more than ${MAX_NESTING} indexes within each other`)
  const inner = parseIndex(readBlob(archive, entry), entry.mediaType, entry.digest)
  return manifestOf(archive, choose(inner, options, entry.digest), options, depth + 1)
}

const referenceOf = (text: string): string => formatReference(parseReference(text))

/** What index.json calls an image. `ref.name` is a whole reference with some programs, with others a tag alone. */
const namesOf = ({ annotations }: IndexEntry, name: string | undefined): readonly string[] => {
  const whole = annotations['io.containerd.image.name']
  if (whole !== undefined) return [referenceOf(whole)]
  const ref = annotations['org.opencontainers.image.ref.name']
  if (ref !== undefined && /[/:]/.test(ref)) return [referenceOf(ref)]
  if (name === undefined) return []
  const { tag } = parseReference(name)
  return [tag === undefined && ref !== undefined ? referenceOf(`${name}:${ref}`) : referenceOf(name)]
}

const fromManifest = (archive: ArchiveFile, entry: IndexEntry, references: readonly string[]): ArchivedImage => {
  const bytes = readBlob(archive, entry)
  const manifest = parseManifest(bytes, entry.mediaType, entry.digest)
  const configBytes = readBlob(archive, manifest.config)
  const configuration = parseConfiguration(configBytes, manifest.config.digest)
  checkLayers(manifest.config.digest, configuration, manifest.layers.length)
  const layers = manifest.layers.map(({ digest, size }) => ({ name: blobName(digest), digest, size }))
  const digests = { config: manifest.config.digest, layers: manifest.layers.map(({ digest }) => digest) }
  return {
    ...{ references, id: digestOf(configBytes), configBytes, configuration, layers },
    manifest: { mediaType: entry.mediaType, bytes, ...digests },
  }
}

/** Entries of one name are one image for several platforms, and so are those without a name that say their platform. */
const groupsOf = (entries: readonly IndexEntry[], options: LayoutOptions): readonly (readonly IndexEntry[])[] => {
  const groups = new Map<string, IndexEntry[]>()
  for (const entry of entries) {
    const [name] = namesOf(entry, undefined)
    const ref = entry.annotations['org.opencontainers.image.ref.name']
    const key = name ?? ref ?? (entry.platform === undefined || options.name !== undefined ? entry.digest : '')
    groups.set(key, [...(groups.get(key) ?? []), entry])
  }
  return [...groups.values()]
}

const imagesOfLayout = (archive: ArchiveFile, options: LayoutOptions): readonly ArchivedImage[] => {
  const entries = parseIndex(archive.read('index.json', MAX_DOCUMENT), undefined, 'index.json')
  const images = entries.filter((entry) => kindOf(entry.mediaType) !== 'other' && !isAttestation(entry))
  return groupsOf(images, options).map((group) => {
    const chosen = choose(group, options, 'the archive')
    return fromManifest(archive, manifestOf(archive, chosen, options), namesOf(chosen, options.name))
  })
}

/** `blobs/sha256/<hex>` since Docker 25, `<hex>.json` before. */
const DIGEST_IN_NAME = /^(?:blobs\/sha256\/([0-9a-f]{64})|([0-9a-f]{64})\.json)$/

const blobOfName = (name: string): ArchivedBlob => {
  const [, blob, file] = DIGEST_IN_NAME.exec(name) ?? []
  const hex = blob ?? file
  return { name, digest: hex === undefined ? undefined : `sha256:${hex}`, size: undefined }
}

const fromDocker = (archive: ArchiveFile, image: DockerImage, options: LayoutOptions): ArchivedImage => {
  const { digest, size } = blobOfName(image.config)
  const configBytes =
    digest === undefined
      ? archive.read(image.config, MAX_DOCUMENT)
      : readVerified(archive, image.config, { digest, size }, MAX_DOCUMENT)
  const configuration = parseConfiguration(configBytes, image.config)
  checkLayers(image.config, configuration, image.layers.length)
  const names = image.tags.length === 0 && options.name !== undefined ? [options.name] : image.tags
  const layers = image.layers.map(blobOfName)
  const id = digestOf(configBytes)
  return { references: names.map(referenceOf), id, configBytes, configuration, layers, manifest: undefined }
}

/**
 * manifest.json and index.json of one archive must mean the same images: otherwise what somebody checked by one of them is
 * not what the other would run. Images of other platforms in the index are not in manifest.json.
 */
const checkAgreement = (images: readonly ArchivedImage[], docker: readonly ArchivedImage[], isAsked: boolean): void => {
  const ids = new Set(images.map(({ id }) => id))
  const other = docker.find(({ id }) => !ids.has(id))
  if (other !== undefined && !isAsked)
    refuse(`the archive is refused: manifest.json names image ${other.id}, index.json does not`)
}

/** The names of both, which of Docker's are in manifest.json. */
const withTags = (image: ArchivedImage, docker: readonly ArchivedImage[]): ArchivedImage => ({
  ...image,
  references: [
    ...new Set([...docker.filter(({ id }) => id === image.id).flatMap((each) => each.references), ...image.references]),
  ],
})

/** Images with the same id are one. */
const merged = (images: readonly ArchivedImage[]): readonly ArchivedImage[] => {
  const byId = new Map<string, ArchivedImage>()
  for (const image of images) {
    const before = byId.get(image.id)
    const references = [...new Set([...(before?.references ?? []), ...image.references])]
    byId.set(image.id, { ...image, references })
  }
  return [...byId.values()]
}

/** Throws EARCHIVE, EDIGEST, EPLATFORM, EREFERENCE. Small documents are verified here, layers while they are unpacked. */
export const imagesIn = (archive: ArchiveFile, options: LayoutOptions): readonly ArchivedImage[] => {
  const isLayout = archive.has('index.json') && archive.has('oci-layout')
  const docker = archive.has('manifest.json')
    ? parseDockerManifest(archive.read('manifest.json', MAX_DOCUMENT)).map((each) => fromDocker(archive, each, options))
    : []
  if (isLayout) {
    const images = merged(imagesOfLayout(archive, options))
    checkAgreement(images, docker, options.isAsked)
    return images.map((image) => withTags(image, docker))
  }
  if (archive.has('manifest.json')) return merged(docker)
  if (archive.has('repositories'))
    return refuse('the archive was saved by a Docker before 1.10, whose images have no digests')
  return refuse(
    'the archive is no image: it has neither manifest.json nor index.json',
    'a root filesystem is made an image by `caisson image import`',
  )
}
