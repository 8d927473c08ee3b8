/** Writes tar archives and archives of images for tests, hostile ones too. */
import { createHash } from 'node:crypto'

export interface TarItem {
  readonly name: string
  readonly type?: string
  readonly link?: string
  readonly mode?: number
  readonly body?: string | Buffer
  readonly uid?: number
  /** Of a device. */
  readonly device?: readonly [major: number, minor: number]
}

const BLOCK = 512
const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`

export const header = ({ name, type = '0', link = '', mode = 0o644, body = '', uid = 0, device }: TarItem): Buffer => {
  const block = Buffer.alloc(BLOCK)
  block.write(name, 0, 100)
  block.write(octal(mode, 8), 100)
  block.write(octal(uid, 8), 108)
  block.write(octal(0, 8), 116)
  block.write(octal(Buffer.byteLength(body), 12), 124)
  block.write(octal(1_700_000_000, 12), 136)
  block.write('        ', 148)
  block.write(type, 156)
  block.write(link, 157, 100)
  block.write('ustar\0', 257)
  block.write('00', 263)
  if (device !== undefined) {
    block.write(octal(device[0], 8), 329)
    block.write(octal(device[1], 8), 337)
  }
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

const padded = (body: string | Buffer) => {
  const bytes = Buffer.from(body as string)
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)])
}

export const archive = (items: readonly TarItem[]): Buffer =>
  Buffer.concat([...items.flatMap((item) => [header(item), padded(item.body ?? '')]), Buffer.alloc(2 * BLOCK)])

/** One PAX record, with its own length counted in. */
export const paxRecord = (key: string, value: string): string => {
  const rest = ` ${key}=${value}\n`
  let length = rest.length + 1
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length
  return `${length}${rest}`
}

/** In pieces of an odd size, so that every read meets a border. */
export async function* inPieces(bytes: Buffer, size = 777): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const blobName = (bytes: Buffer): string => `blobs/sha256/${sha256(bytes)}`

/** What images call this machine. */
const HERE = process.arch === 'x64' ? 'amd64' : process.arch

export interface ImageParts {
  /** Uncompressed, bottom first. */
  readonly layers: readonly Buffer[]
  /** `config` of the configuration. */
  readonly config?: object
  readonly architecture?: string
  /** How a layer is stored. */
  readonly compress?: (layer: Buffer) => Buffer
}

export const configurationOf = ({ layers, config = {}, architecture = HERE }: ImageParts): Buffer =>
  Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => `sha256:${sha256(layer)}`) },
    }),
  )

/** As `docker save` before 25 wrote it: a directory for each layer, the second of two equal ones a link. */
export const oldDockerArchive = (parts: ImageParts, tags: readonly string[] | null): Buffer => {
  const config = configurationOf(parts)
  const names = parts.layers.map((layer, index) => `${sha256(Buffer.concat([layer, Buffer.from([index])]))}/layer.tar`)
  const first = (layer: Buffer) => parts.layers.findIndex((other) => other.equals(layer))
  const files = parts.layers.map((layer, index) =>
    first(layer) === index
      ? { name: names[index] ?? '', body: layer }
      : { name: names[index] ?? '', type: '2', link: `../${names[first(layer)]}` },
  )
  const manifest = [{ Config: `${sha256(config)}.json`, RepoTags: tags, Layers: names }]
  return archive([
    ...files,
    { name: `${sha256(config)}.json`, body: config },
    { name: 'manifest.json', body: JSON.stringify(manifest) },
    { name: 'repositories', body: '{}' },
  ])
}

const descriptor = (mediaType: string, bytes: Buffer) => ({
  mediaType,
  digest: `sha256:${sha256(bytes)}`,
  size: bytes.length,
})

export const OCI = 'application/vnd.oci.image'

/** Blobs of one image and the descriptor of its manifest. */
export const ociImage = (parts: ImageParts) => {
  const stored = parts.layers.map(parts.compress ?? ((layer) => layer))
  const config = configurationOf(parts)
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: `${OCI}.manifest.v1+json`,
      config: descriptor(`${OCI}.config.v1+json`, config),
      layers: stored.map((layer) =>
        descriptor(`${OCI}.layer.v1.tar${parts.compress === undefined ? '' : '+gzip'}`, layer),
      ),
    }),
  )
  const { architecture = HERE } = parts
  return {
    blobs: [...stored, config, manifest],
    descriptor: { ...descriptor(`${OCI}.manifest.v1+json`, manifest), platform: { os: 'linux', architecture } },
    config,
  }
}

export const ociIndex = (manifests: readonly object[]): Buffer =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests }))

export const indexDescriptor = (index: Buffer) => descriptor(`${OCI}.index.v1+json`, index)

export const ociArchive = (
  blobs: readonly Buffer[],
  manifests: readonly object[],
  more: readonly TarItem[] = [],
): Buffer =>
  archive([
    { name: 'blobs/', type: '5' },
    ...blobs.map((blob) => ({ name: blobName(blob), body: blob })),
    { name: 'oci-layout', body: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', body: ociIndex(manifests) },
    ...more,
  ])
