/** A registry in memory behind the interface that pull and push use, with faults to order. */
import { createHash } from 'node:crypto'
import { CaissonError } from '../../src/errors.ts'
import type { Descriptor } from '../../src/image/archive-file.ts'
import type { ManifestBytes, RegistryClient, Upload } from '../../src/image/registry/types.ts'

export interface MemoryRegistry extends RegistryClient {
  readonly blobs: Map<string, Buffer>
  readonly manifests: Map<string, ManifestBytes>
  /** What was asked, in its order: `blob sha256:… 0`. */
  readonly asked: string[]
  /** Called before each piece of a blob; throws to break the connection. */
  onPiece: (digest: string, offset: number) => void | Promise<void>
}

const PIECE = 4096

export const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export const described = (mediaType: string, bytes: Buffer): Descriptor => ({
  ...{ mediaType, digest: digestOf(bytes), size: bytes.length },
})

const missing = (what: string): never => {
  throw new CaissonError('ENOTFOUND', `${what} is not there`)
}

export const memoryRegistry = (): MemoryRegistry => {
  const blobs = new Map<string, Buffer>()
  const manifests = new Map<string, ManifestBytes>()
  const asked: string[] = []
  async function* pieces(digest: string, bytes: Buffer, offset: number): AsyncGenerator<Buffer> {
    for (let at = offset; at < bytes.length; at += PIECE) {
      await registry.onPiece(digest, at)
      yield bytes.subarray(at, at + PIECE)
    }
  }
  const registry: MemoryRegistry = {
    ...{ blobs, manifests, asked, onPiece: () => {} },
    manifest: async (_, reference) => {
      asked.push(`manifest ${reference}`)
      return manifests.get(reference) ?? missing(reference)
    },
    head: async (_, reference) => {
      asked.push(`head ${reference}`)
      return manifests.get(reference)
    },
    blob: async (_, { digest }, offset) => {
      asked.push(`blob ${digest} ${offset}`)
      const bytes = blobs.get(digest) ?? missing(digest)
      return { offset, chunks: pieces(digest, bytes, offset) }
    },
    hasBlob: async (_, digest) => blobs.has(digest),
    mount: async (_, digest, from) => {
      asked.push(`mount ${digest} ${from}`)
      return false
    },
    upload: async (_, { digest, open }: Upload) => {
      asked.push(`upload ${digest}`)
      const parts: Buffer[] = []
      for await (const part of open(0)) parts.push(part)
      blobs.set(digest, Buffer.concat(parts))
    },
    putManifest: async (_, reference, manifest) => {
      asked.push(`put ${reference}`)
      for (const name of [reference, manifest.digest]) manifests.set(name, manifest)
      return manifest.digest
    },
    tags: async () => [...manifests.keys()].filter((name) => !name.includes(':')),
    close: () => {},
  }
  return registry
}

const OCI = 'application/vnd.oci.image'

export interface PublishedImage {
  readonly layers: readonly Descriptor[]
  readonly manifest: ManifestBytes
}

/** Puts an image of these layers, as stored and as they are without compression, under a tag. */
export const publish = (
  registry: MemoryRegistry,
  tag: string,
  layers: readonly { readonly stored: Buffer; readonly tar: Buffer }[],
  architecture = process.arch === 'x64' ? 'amd64' : process.arch,
): PublishedImage => {
  const config = Buffer.from(
    JSON.stringify({
      ...{ os: 'linux', architecture, config: { Cmd: ['/bin/true'] } },
      rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => digestOf(tar)) },
    }),
  )
  const descriptors = layers.map(({ stored }) => described(`${OCI}.layer.v1.tar+gzip`, stored))
  const bytes = Buffer.from(
    JSON.stringify({
      ...{ schemaVersion: 2, mediaType: `${OCI}.manifest.v1+json` },
      ...{ config: described(`${OCI}.config.v1+json`, config), layers: descriptors },
    }),
  )
  const manifest = { ...described(`${OCI}.manifest.v1+json`, bytes), bytes }
  for (const blob of [config, ...layers.map(({ stored }) => stored)]) registry.blobs.set(digestOf(blob), blob)
  for (const name of [tag, manifest.digest]) registry.manifests.set(name, manifest)
  return { layers: descriptors, manifest }
}
