/**
 * Layers of imported and loaded images are kept as they came, often without compression, which costs nothing until they travel:
 * before their first push they are compressed, and the image has a manifest that says so from then on.
 */
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createHash } from 'node:crypto'
import { createGzip } from 'node:zlib'
import { parseManifest } from './documents.ts'
import { makeManifest, OCI_MANIFEST } from './manifest.ts'
import { blobOf, type ContentRoot, ingestOf } from './paths.ts'
import type { ManifestBytes } from './registry/types.ts'
import { semaphore } from './semaphore.ts'
import { writeBlob } from './store.ts'

const CHUNK = 1 << 20
/** A tenth larger than zlib's default, in less than half of its time. */
const LEVEL = 1

const isPlain = (mediaType: string): boolean => /\.tar$/.test(mediaType)

/** The digest of the compressed blob, which is in the store then. Equal layers give equal bytes: the header has no time. */
const compress = async (content: ContentRoot, digest: string): Promise<string> => {
  mkdirSync(ingestOf(content), { recursive: true, mode: 0o700 })
  const draft = `${ingestOf(content)}/gzip~${process.pid}-${digest.replace(':', '-')}`
  const hash = createHash('sha256')
  try {
    await pipeline(
      createReadStream(blobOf(content, digest), { highWaterMark: CHUNK }),
      createGzip({ level: LEVEL, chunkSize: CHUNK }),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk)
          yield chunk
        }
      },
      createWriteStream(draft, { mode: 0o600 }),
    )
    const compressed = `sha256:${hash.digest('hex')}`
    const path = blobOf(content, compressed)
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    if (!existsSync(path)) renameSync(draft, path)
    return compressed
  } finally {
    rmSync(draft, { force: true })
  }
}

/** The manifest to push: the one that was given where no layer of it gains by it. */
export const compressedManifest = async (content: ContentRoot, manifest: ManifestBytes): Promise<ManifestBytes> => {
  const { config, layers } = parseManifest(manifest.bytes, manifest.mediaType, manifest.digest)
  if (!layers.some(({ mediaType }) => isPlain(mediaType))) return manifest
  const places = semaphore(availableParallelism())
  const digests = await Promise.all(
    layers.map(({ mediaType, digest }) =>
      isPlain(mediaType) ? places.run(() => compress(content, digest)) : Promise.resolve(digest),
    ),
  )
  const bytes = Buffer.from(makeManifest(content, config.digest, digests))
  return { mediaType: OCI_MANIFEST, digest: writeBlob(content, bytes), size: bytes.length, bytes }
}
