/** Images on disk: a reference record names a configuration blob and its layers. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { CaissonError } from '../errors.ts'
import type { ImageConfig, UnpackedImage } from '../oci/image-config.ts'
import { formatReference, parseReference } from '../oci/reference.ts'
import { HOST_CONFIG, HOST_REFERENCE, hostBuiltAt, hostId, resolveHost } from './host.ts'
import { blobOf, type ContentRoot, layersOf, referenceFile, referencesOf } from './paths.ts'

/** `content/references/<reference, percent-encoded>` */
export interface ReferenceRecord {
  readonly version: 1
  readonly reference: string
  /** Digest of the configuration, `sha256:…`: the image's identity. */
  readonly id: string
  /** Chain IDs (hex), topmost first: directories below content/layers. */
  readonly layers: readonly string[]
  /** Milliseconds since the epoch. */
  readonly importedAt: number
  /** Bytes of file content. */
  readonly sizeBytes: number
}

const writeWhole = (path: string, content: string | Buffer) => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.${process.pid}`, content, { mode: 0o600 })
  renameSync(`${path}.${process.pid}`, path)
}

/** Stores a blob; its digest. */
export const writeBlob = (content: ContentRoot, blob: string): string => {
  const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}`
  if (!existsSync(blobOf(content, digest))) writeWhole(blobOf(content, digest), blob)
  return digest
}

export const writeReference = (content: ContentRoot, record: ReferenceRecord): void =>
  writeWhole(referenceFile(content, record.reference), `${JSON.stringify(record)}\n`)

const readReferenceFile = (path: string): ReferenceRecord | undefined => {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as ReferenceRecord
    return record.version === 1 ? record : undefined
  } catch {
    return undefined
  }
}

/** The reference as records have it: with its tag. Throws EREFERENCE. */
export const normalise = (reference: string): string => formatReference(parseReference(reference))

const isHost = (reference: string) => normalise(reference) === `${HOST_REFERENCE}:latest`

/** The parts of an OCI image configuration (`config` of image-spec config.md) that a container is made from. */
export const configOf = (blob: string): ImageConfig => {
  const { config = {} } = JSON.parse(blob) as { config?: Record<string, unknown> & { Labels?: object } }
  const text = (key: string) => (typeof config[key] === 'string' ? config[key] : '')
  const list = (key: string) => (Array.isArray(config[key]) ? config[key].map(String) : undefined)
  const keys = (key: string) => Object.keys((config[key] as object | undefined) ?? {})
  const entries = Object.entries((config.Labels as object | undefined) ?? {})
  return {
    ...{ user: text('User'), env: list('Env') ?? [], entrypoint: list('Entrypoint'), cmd: list('Cmd') },
    ...{ workingDir: text('WorkingDir') || '/', volumes: keys('Volumes'), exposedPorts: keys('ExposedPorts') },
    stopSignal: text('StopSignal') || undefined,
    labels: Object.fromEntries(entries.map(([key, value]) => [key, String(value)])),
  }
}

const notHere = (reference: string): never => {
  throw new CaissonError(
    'ENOIMAGE',
    `image ${reference} is not on this machine, and pulling images is not supported yet`,
    {
      hint: `use ${HOST_REFERENCE}, or \`caisson image import ROOTFS.tar ${reference}\``,
    },
  )
}

/** Identity of an image without preparing it: for plans. Throws ENOIMAGE, EREFERENCE. */
export const imageId = (content: ContentRoot, reference: string): string =>
  isHost(reference)
    ? hostId()
    : (readReferenceFile(referenceFile(content, normalise(reference))) ?? notHere(reference)).id

/** The image, ready to be a root filesystem. Throws ENOIMAGE, EREFERENCE. */
export const resolveImage = (content: ContentRoot, reference: string): UnpackedImage => {
  if (isHost(reference)) return resolveHost(content)
  const record = readReferenceFile(referenceFile(content, normalise(reference))) ?? notHere(reference)
  return {
    id: record.id,
    reference: record.reference,
    config: configOf(readFileSync(blobOf(content, record.id), 'utf8')),
    layers: record.layers.map((chain) => `${layersOf(content)}/${chain}`),
    binds: [],
  }
}

/** Configuration of an image by its identity; undefined: it is not here any more. */
export const configById = (content: ContentRoot, id: string): ImageConfig | undefined => {
  if (id === hostId()) return HOST_CONFIG
  const blob = blobOf(content, id)
  return existsSync(blob) ? configOf(readFileSync(blob, 'utf8')) : undefined
}

const referenceRecords = (content: ContentRoot): readonly ReferenceRecord[] => {
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
  ...referenceRecords(content)
    .map(({ reference, id, importedAt, sizeBytes }) => ({ reference, id, createdAt: importedAt, sizeBytes }))
    .sort((a, b) => (a.reference < b.reference ? -1 : 1)),
]

/** Removes a reference, and its layers and configuration where no other reference has them. Throws ENOIMAGE. */
export const removeReference = (content: ContentRoot, reference: string): void => {
  if (isHost(reference)) throw new CaissonError('EIMAGE', `${HOST_REFERENCE} is built in and cannot be removed`)
  const record = readReferenceFile(referenceFile(content, normalise(reference))) ?? notHere(reference)
  rmSync(referenceFile(content, record.reference))
  const others = referenceRecords(content)
  const layers = new Set(others.flatMap((other) => other.layers))
  for (const layer of record.layers) {
    if (!layers.has(layer)) rmSync(`${layersOf(content)}/${layer}`, { recursive: true, force: true })
  }
  if (!others.some(({ id }) => id === record.id)) rmSync(blobOf(content, record.id), { force: true })
}

/** Whether the layer was unpacked before. */
export const hasLayer = (content: ContentRoot, chain: string): boolean =>
  statSync(`${layersOf(content)}/${chain}`, { throwIfNoEntry: false })?.isDirectory() ?? false
