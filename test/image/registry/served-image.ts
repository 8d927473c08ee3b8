/** One image in the faulty registry, every document of which a test may replace before its digest is taken. */
import { gzipSync } from 'node:zlib'
import { archive } from '../archive.ts'
import { digestOf, type FaultyRegistry } from './faulty-registry.ts'

const OCI = 'application/vnd.oci.image'
export const MANIFEST = `${OCI}.manifest.v1+json`
export const INDEX = `${OCI}.index.v1+json`
export const CONFIG = `${OCI}.config.v1+json`
export const LAYER = `${OCI}.layer.v1.tar+gzip`

export const PATH = 'shop/web'
export const TAG = '1'
export const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch

export type Json = Record<string, unknown>
/** A document of ours to one that is served: a Buffer as it is, anything else as JSON. */
export type Change = (document: Json) => unknown

export interface Changes {
  /** Blobs, bottom first, as they are stored. */
  readonly layers?: readonly Buffer[]
  readonly config?: Change
  readonly manifest?: Change
  /** In front of the manifest; given its descriptor. */
  readonly index?: (manifest: Json) => unknown
  /** What the answer says of the topmost document. */
  readonly mediaType?: string
}

export const describe = (mediaType: string, bytes: Buffer): Json => ({
  ...{ mediaType, digest: digestOf(bytes), size: bytes.length },
})

export const bytesOf = (document: unknown): Buffer =>
  Buffer.isBuffer(document) ? document : Buffer.from(JSON.stringify(document))

export const tarOf = (name: string): Buffer => archive([{ name, body: `this is ${name}` }])

const TARS = [tarOf('one'), tarOf('two')]

const same: Change = (document) => document

/** The bytes of its topmost document. */
export const serveImage = (registry: FaultyRegistry, changes: Changes = {}): Buffer => {
  const { config = same, manifest = same, index, layers = TARS.map((tar) => gzipSync(tar)) } = changes
  const diffIds = TARS.slice(0, layers.length).map(digestOf)
  const configuration = bytesOf(
    config({
      ...{ os: 'linux', architecture: ARCHITECTURE, created: '2024-01-01T00:00:00Z', config: { Cmd: ['/bin/true'] } },
      rootfs: { type: 'layers', diff_ids: diffIds },
    }),
  )
  for (const blob of [configuration, ...layers]) registry.addBlob(PATH, blob)
  const bytes = bytesOf(
    manifest({
      ...{ schemaVersion: 2, mediaType: MANIFEST, config: describe(CONFIG, configuration) },
      layers: layers.map((blob) => describe(LAYER, blob)),
    }),
  )
  const { mediaType = index === undefined ? MANIFEST : INDEX } = changes
  registry.addManifest(PATH, TAG, bytes, index === undefined ? mediaType : MANIFEST)
  if (index === undefined) return bytes
  const top = bytesOf(index(describe(MANIFEST, bytes)))
  registry.addManifest(PATH, TAG, top, mediaType)
  return top
}
