/** `image save`: images as one archive, which is an OCI layout and what `docker load` reads at the same time. */
import { statSync } from 'node:fs'
import { CaissonError } from '../errors.ts'
import { parseReference } from '../oci/reference.ts'
import { HOST_REFERENCE } from './host.ts'
import { formatIndex, indexEntry, LAYOUT } from './layout-index.ts'
import { blobOf, type ContentRoot } from './paths.ts'
import { allRecords, findRecord, isHost, normalise, type ReferenceRecord } from './store.ts'
import { type TarFile, tarOf } from './tar.ts'
import { type WholeImage, wholeImage } from './whole.ts'

export const SAVE_FORMATS = ['docker-archive', 'oci'] as const
export type SaveFormat = (typeof SAVE_FORMATS)[number]

/** An image, and the names by which it was asked for. */
interface SavedImage extends WholeImage {
  readonly references: readonly string[]
}

interface Meant {
  readonly records: readonly ReferenceRecord[]
  /** false: by id or digest; it is saved without a name. */
  readonly isNamed: boolean
}

/** Of a name without a tag every tag is meant, as docker has it. */
const meant = (content: ContentRoot, text: string): Meant => {
  if (isHost(text))
    throw new CaissonError('EIMAGE', `${HOST_REFERENCE} is this machine's own and cannot be taken elsewhere`)
  const { name, tag, digest } = parseReference(text)
  const all = tag !== undefined || digest !== undefined ? [] : allRecords(content)
  const tags = all.filter(({ reference, id }) => reference !== id && parseReference(reference).name === name)
  if (tags.length > 0) return { records: tags.filter(({ reference }) => !reference.includes('@')), isNamed: true }
  const record = findRecord(content, text)
  return { records: [record], isNamed: digest === undefined && record.reference === normalise(text) }
}

/** Throws ENOIMAGE, EREFERENCE, ENOMANIFEST, ENOBLOB. */
const collect = (content: ContentRoot, texts: readonly string[]): readonly SavedImage[] => {
  const images = new Map<string, SavedImage>()
  for (const text of texts) {
    const { records, isNamed } = meant(content, text)
    for (const record of records) {
      const whole = wholeImage(content, record)
      const before = images.get(whole.manifest.digest)?.references ?? []
      const references = [...new Set([...before, ...(isNamed ? [record.reference] : [])])].sort()
      images.set(whole.manifest.digest, { ...whole, references })
    }
  }
  return [...images.values()].sort((a, b) => (a.manifest.digest < b.manifest.digest ? -1 : 1))
}

const blobName = (digest: string): string => `blobs/${digest.replace(':', '/')}`

const tagOf = (reference: string): string => parseReference(reference).tag ?? 'latest'

const indexOf = (images: readonly SavedImage[]): string =>
  formatIndex(
    images.flatMap(({ record, manifest, references }) =>
      references.length === 0
        ? [manifest]
        : references.map((reference) => indexEntry({ ...record, reference }, tagOf(reference))),
    ),
  )

const dockerManifest = (images: readonly SavedImage[]): string =>
  JSON.stringify(
    images.map(({ config, layers, references }) => ({
      Config: blobName(config.digest),
      RepoTags: references.length === 0 ? null : references,
      Layers: layers.map(({ digest }) => blobName(digest)),
    })),
  )

const blobFiles = (content: ContentRoot, images: readonly SavedImage[]): readonly TarFile[] => {
  const digests = images.flatMap(({ manifest, config, layers }) =>
    [manifest, config, ...layers].map((each) => each.digest),
  )
  const directories = [...new Set(digests.map((digest) => `blobs/${digest.slice(0, digest.indexOf(':'))}/`))]
  const nothing = Buffer.alloc(0)
  return [
    ...['blobs/', ...directories.sort()].map((name) => ({ name, content: nothing })),
    ...[...new Set(digests)].sort().map((digest) => {
      const path = blobOf(content, digest)
      return { name: blobName(digest), content: { path, size: statSync(path).size } }
    }),
  ]
}

/** The files of the archive, all of which are there. Throws ENOIMAGE, EREFERENCE, ENOMANIFEST, ENOBLOB. */
export const filesToSave = (content: ContentRoot, texts: readonly string[], format: SaveFormat): readonly TarFile[] => {
  const images = collect(content, texts)
  const text = (name: string, json: string): TarFile => ({ name, content: Buffer.from(json) })
  return [
    ...blobFiles(content, images),
    text('index.json', indexOf(images)),
    ...(format === 'docker-archive' ? [text('manifest.json', dockerManifest(images))] : []),
    text('oci-layout', LAYOUT),
  ]
}

/** Nobody sweeps meanwhile. */
export const saveImages = (content: ContentRoot, texts: readonly string[], format: SaveFormat): AsyncIterable<Buffer> =>
  tarOf(filesToSave(content, texts, format))
