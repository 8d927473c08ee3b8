/** Images on disk: a reference record names a configuration blob and its layers. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { CaissonError } from '../errors.ts'
import type { ImageConfig, UnpackedImage } from '../oci/image-config.ts'
import { formatReference, parseReference } from '../oci/reference.ts'
import type { Descriptor } from './archive-file.ts'
import { parseManifest } from './documents.ts'
import { HOST_CONFIG, HOST_REFERENCE, hostBuiltAt, hostId, resolveHost } from './host.ts'
import { UNFINISHED } from './layer.ts'
import {
  blobOf,
  type ContentRoot,
  contentOf,
  layerOf,
  layersOf,
  ingestOf,
  referenceFile,
  referencesOf,
} from './paths.ts'

/** `content/references/<reference, percent-encoded>` */
export interface ReferenceRecord {
  readonly version: 2
  /** With its tag; of an image without a name its id. */
  readonly reference: string
  /** Digest of the configuration, `sha256:…`: the image's identity. */
  readonly id: string
  /** undefined: of an image that came before manifests were kept. */
  readonly manifest: Descriptor | undefined
  /** From the one that the tag stands for to the one that names the manifest. */
  readonly indexes: readonly Descriptor[]
  /** `name@sha256:…`: what registries call it. */
  readonly repoDigests: readonly string[]
  /** Chain IDs (hex), topmost first: directories below content/layers. */
  readonly layers: readonly string[]
  /** Milliseconds since the epoch; undefined: it never was at a registry. */
  readonly pulledAt?: number | undefined
  /** Milliseconds since the epoch. */
  readonly importedAt: number
  /** Bytes of file content. */
  readonly sizeBytes: number
}

/** Whole or not at all. */
export const writeWhole = (path: string, content: string | Buffer): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  // No reference and no digest has a tilde.
  writeFileSync(`${path}~${process.pid}`, content, { mode: 0o600 })
  renameSync(`${path}~${process.pid}`, path)
}

const sha256Of = (blob: string | Buffer): string => `sha256:${createHash('sha256').update(blob).digest('hex')}`

/** Stores a blob; its digest, which others may know by another algorithm. */
export const writeBlob = (content: ContentRoot, blob: string | Buffer, digest = sha256Of(blob)): string => {
  if (!existsSync(blobOf(content, digest))) writeWhole(blobOf(content, digest), blob)
  return digest
}

const LACKED_BY_1 = { manifest: undefined, indexes: [], repoDigests: [] }

const readReferenceFile = (path: string): ReferenceRecord | undefined => {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as { readonly version: number }
    if (record.version === 1) return { ...LACKED_BY_1, ...(record as unknown as ReferenceRecord), version: 2 }
    return record.version === 2 ? (record as ReferenceRecord) : undefined
  } catch {
    return undefined
  }
}

/** The reference as records have it: with its tag. Throws EREFERENCE. */
export const normalise = (reference: string): string => formatReference(parseReference(reference))

export const isHost = (reference: string) => normalise(reference) === `${HOST_REFERENCE}:latest`

const NANOSECONDS_PER_MS = 1e6

/** `Healthcheck` of the configuration: durations in nanoseconds, 0 = not given. */
const healthcheckOf = (given: unknown): ImageConfig['healthcheck'] => {
  if (typeof given !== 'object' || given === null) return undefined
  const fields = given as Record<string, unknown>
  const number = (key: string) => (typeof fields[key] === 'number' ? Math.max(0, fields[key]) : 0)
  const milliseconds = (key: string) => Math.ceil(number(key) / NANOSECONDS_PER_MS)
  return {
    test: Array.isArray(fields.Test) ? fields.Test.map(String) : [],
    ...{ intervalMs: milliseconds('Interval'), timeoutMs: milliseconds('Timeout') },
    ...{ startPeriodMs: milliseconds('StartPeriod'), startIntervalMs: milliseconds('StartInterval') },
    retries: Math.trunc(number('Retries')),
  }
}

/** The parts of an OCI image configuration (`config` of image-spec config.md) that a container is made from. */
export const configOf = (blob: string): ImageConfig => {
  const document = JSON.parse(blob) as { config?: (Record<string, unknown> & { Labels?: object }) | null }
  const config = document.config ?? {}
  const text = (key: string) => (typeof config[key] === 'string' ? config[key] : '')
  const list = (key: string) => (Array.isArray(config[key]) ? config[key].map(String) : undefined)
  const keys = (key: string) => Object.keys((config[key] as object | undefined) ?? {})
  const entries = Object.entries((config.Labels as object | undefined) ?? {})
  return {
    ...{ user: text('User'), env: list('Env') ?? [], entrypoint: list('Entrypoint'), cmd: list('Cmd') },
    ...{ workingDir: text('WorkingDir') || '/', volumes: keys('Volumes'), exposedPorts: keys('ExposedPorts') },
    stopSignal: text('StopSignal') || undefined,
    labels: Object.fromEntries(entries.map(([key, value]) => [key, String(value)])),
    healthcheck: healthcheckOf(config.Healthcheck),
    shell: list('Shell'),
  }
}

const notHere = (reference: string): never => {
  throw new CaissonError('ENOIMAGE', `image ${reference} is not on this machine`, {
    hint: `\`caisson image pull ${reference}\`, \`caisson image load -i ARCHIVE\` or \`caisson image import ROOTFS.tar ${reference}\``,
  })
}

/** Identity of an image without preparing it: for plans. Throws ENOIMAGE, EREFERENCE. */
export const imageId = (content: ContentRoot, reference: string): string =>
  isHost(reference) ? hostId() : findRecord(content, reference).id

/** What a container of an image without layers stands on: an overlay needs something below. */
const noLayer = (content: ContentRoot): string => {
  const directory = `${contentOf(content)}/nothing`
  mkdirSync(directory, { recursive: true })
  chmodSync(directory, 0o755)
  return directory
}

/** The image, ready to be a root filesystem. Throws ENOIMAGE, EREFERENCE. */
export const resolveImage = (content: ContentRoot, reference: string): UnpackedImage => {
  if (isHost(reference)) return resolveHost(content)
  const record = findRecord(content, reference)
  return {
    id: record.id,
    reference: record.reference,
    config: configOf(readConfiguration(content, record)),
    layers: record.layers.length === 0 ? [noLayer(content)] : record.layers.map((chain) => layerOf(content, chain)),
    binds: [],
  }
}

/** What a container was made from: its layers stay under it although the name means another image by now, or nothing. */
export const resolveMadeFrom = (
  content: ContentRoot,
  { image, imageId: id }: { readonly image: string; readonly imageId: string },
): UnpackedImage => {
  const isSame = isHost(image) || lookUp(content, normalise(image))?.id === id
  return resolveImage(content, isSame || referencesTo(content, id).length === 0 ? image : id)
}

/** Configuration of an image by its identity; undefined: it is not here any more. */
export const configById = (content: ContentRoot, id: string): ImageConfig | undefined => {
  if (id === hostId()) return HOST_CONFIG
  const blob = blobOf(content, id)
  return existsSync(blob) ? configOf(readFileSync(blob, 'utf8')) : undefined
}

export const allRecords = (content: ContentRoot): readonly ReferenceRecord[] => {
  const directory = referencesOf(content)
  if (!existsSync(directory)) return []
  return readdirSync(directory).flatMap((name) => readReferenceFile(`${directory}/${name}`) ?? [])
}

export interface ListedImage {
  readonly reference: string
  readonly id: string
  readonly createdAt: number
  readonly sizeBytes: number
}

/** All images, the embedded one first. */
export const listImages = (content: ContentRoot): readonly ListedImage[] => [
  { reference: HOST_REFERENCE, id: hostId(), createdAt: hostBuiltAt(content) ?? 0, sizeBytes: 0 },
  ...allRecords(content)
    .map(({ reference, id, importedAt, sizeBytes }) => ({ reference, id, createdAt: importedAt, sizeBytes }))
    .sort((a, b) => (a.reference < b.reference ? -1 : 1)),
]

const ID = /^(?:sha256:)?([0-9a-f]{4,64})$/

/** By its name alone. */
export const lookUp = (content: ContentRoot, reference: string): ReferenceRecord | undefined =>
  readReferenceFile(referenceFile(content, reference))

/** `name@digest` finds what came under a tag. */
const byRepoDigest = (content: ContentRoot, name: string): ReferenceRecord | undefined =>
  name.includes('@') ? allRecords(content).find(({ repoDigests }) => repoDigests.includes(name)) : undefined

/** By reference, or by an id or its beginning. Throws ENOIMAGE, EREFERENCE, EIMAGE for an ambiguous beginning. */
export const findRecord = (content: ContentRoot, text: string): ReferenceRecord => {
  const named = readReferenceFile(referenceFile(content, normalise(text)))
  const prefix = ID.exec(text)?.[1]
  if (named !== undefined || prefix === undefined)
    return named ?? byRepoDigest(content, normalise(text)) ?? notHere(normalise(text))
  const found = allRecords(content).filter(({ id }) => id.startsWith(`sha256:${prefix}`))
  const [first] = found
  if (first === undefined) return notHere(text)
  if (found.some(({ id }) => id !== first.id)) throw new CaissonError('EIMAGE', `several images begin with ${text}`)
  return first
}

export const referencesTo = (content: ContentRoot, id: string): readonly ReferenceRecord[] =>
  allRecords(content).filter((record) => record.id === id)

const checkName = (reference: string, id: string): void => {
  if (isHost(reference))
    throw new CaissonError('EIMAGE', `${HOST_REFERENCE} is built in: no other image can have the name`)
  if (reference.startsWith('sha256:') && reference !== id)
    throw new CaissonError('EIMAGE', `'${reference}' cannot be the name of an image: it is the id of another`)
}

/** Runs what changes names, while nobody else does. */
export type Naming = <T>(work: () => T) => Promise<T>
/** Where nobody else can. */
export const atOnce: Naming = async (work) => work()

/** Containers stand on it. */
export const keepUnderId = (content: ContentRoot, record: ReferenceRecord): void =>
  writeReference(content, { ...record, reference: record.id })

/** What is known of an image that gets a name. */
export type NamedImage = Pick<ReferenceRecord, 'reference' | 'id' | 'layers' | 'sizeBytes'> &
  Partial<Pick<ReferenceRecord, 'manifest' | 'indexes' | 'repoDigests' | 'pulledAt'>>

/**
 * Names an image whose layers and configuration are there; `reference` as normalised, or its id. The one that had the name
 * keeps its content under its id, for containers stand on it.
 */
export const nameImage = (content: ContentRoot, image: NamedImage): ListedImage => {
  checkName(image.reference, image.id)
  const before = readReferenceFile(referenceFile(content, image.reference))
  if (before !== undefined && before.id !== image.id && referencesTo(content, before.id).length === 1)
    keepUnderId(content, before)
  const importedAt = Date.now()
  const { reference, id, layers, sizeBytes } = image
  const isSpare = reference === id && referencesTo(content, id).length > 0
  const { manifest, indexes = [], repoDigests = [], pulledAt } = image
  const record = { reference, id, manifest, indexes, repoDigests, layers, importedAt, pulledAt, sizeBytes }
  if (!isSpare) writeReference(content, { version: 2, ...record })
  if (reference !== id) rmSync(referenceFile(content, id), { force: true })
  return { reference, id, createdAt: importedAt, sizeBytes }
}

export const writeReference = (content: ContentRoot, record: ReferenceRecord): void =>
  writeWhole(referenceFile(content, record.reference), `${JSON.stringify(record)}\n`)

export const namesIn = (directory: string): readonly string[] => (existsSync(directory) ? readdirSync(directory) : [])

/** Digests of all that an image is in the store, beside its unpacked layers. */
export const blobsOf = (content: ContentRoot, { id, manifest, indexes }: ReferenceRecord): readonly string[] => {
  const own = [id, ...indexes.map(({ digest }) => digest)]
  if (manifest === undefined || !existsSync(blobOf(content, manifest.digest))) return own
  const bytes = readFileSync(blobOf(content, manifest.digest))
  const { config, layers } = parseManifest(bytes, manifest.mediaType, manifest.digest)
  return [...new Set([...own, manifest.digest, ...[config, ...layers].map(({ digest }) => digest)])]
}

/** undefined: a manifest is damaged, and who knows what it led to. */
const neededBlobs = (content: ContentRoot, records: readonly ReferenceRecord[]): ReadonlySet<string> | undefined => {
  try {
    return new Set(records.flatMap((record) => blobsOf(content, record)))
  } catch {
    return undefined
  }
}

/** The configuration, as it is. Throws ENOBLOB. */
export const readConfiguration = (content: ContentRoot, { id, reference }: ReferenceRecord): string => {
  const path = blobOf(content, id)
  if (existsSync(path)) return readFileSync(path, 'utf8')
  throw new CaissonError('ENOBLOB', `image ${reference} is not whole: its configuration ${id} is not here`, {
    hint: 'pull or load it again',
  })
}

/**
 * Removes what no reference leads to: layers, configurations, and what killed commands left. The content lock is held.
 * `inUse`: layer directories that stay.
 */
export const sweep = (content: ContentRoot, inUse: ReadonlySet<string> = new Set()): void => {
  const drafts = namesIn(referencesOf(content)).filter((name) => name.includes('~'))
  for (const name of drafts) rmSync(`${referencesOf(content)}/${name}`, { force: true })
  const files = namesIn(referencesOf(content))
  const records = files.flatMap((name) => readReferenceFile(`${referencesOf(content)}/${name}`) ?? [])
  if (records.length < files.length) return // of another version: who knows what they stand for
  const layers = new Set(records.flatMap((record) => record.layers))
  const blobs = neededBlobs(content, records)
  for (const name of namesIn(layersOf(content))) {
    const isOurs = name.startsWith(`${UNFINISHED}.`) || /^[0-9a-f]{64}(?:\.size)?$/.test(name)
    const path = `${layersOf(content)}/${name}`
    const isKept = layers.has(name.replace(/\.size$/, '')) || inUse.has(path.replace(/\.size$/, ''))
    if (isOurs && !isKept) rmSync(path, { recursive: true, force: true })
  }
  for (const algorithm of namesIn(`${contentOf(content)}/blobs`))
    for (const name of namesIn(`${contentOf(content)}/blobs/${algorithm}`))
      if (blobs !== undefined && !blobs.has(`${algorithm}:${name}`))
        rmSync(blobOf(content, `${algorithm}:${name}`), { force: true })
  for (const name of namesIn(ingestOf(content))) sweepPartial(`${ingestOf(content)}/${name}`)
}

/** How long the beginning of a blob waits for somebody to fetch the rest. */
const PARTIAL_DAYS = 7
const MS_PER_DAY = 86_400_000

/** Only the beginning of a blob whose digest is known is of use to anybody. */
const PARTIAL = /^sha(?:256|512)-[0-9a-f]+$/

/** Nobody fetches it now, for nobody fills the store. */
const sweepPartial = (path: string): void => {
  const { size, mtimeMs } = statSync(path)
  if (!PARTIAL.test(basename(path)) || size === 0 || Date.now() - mtimeMs > PARTIAL_DAYS * MS_PER_DAY)
    rmSync(path, { force: true })
}
