/** Manifests of our own making, for images that came without one. */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import type { Descriptor } from './archive-file.ts'
import { compressionOf, MAGIC_BYTES } from './compression.ts'
import { blobOf, type ContentRoot } from './paths.ts'

const OCI = 'application/vnd.oci.image'
export const OCI_MANIFEST = `${OCI}.manifest.v1+json`
export const OCI_CONFIG = `${OCI}.config.v1+json`
const OCI_LAYER = `${OCI}.layer.v1.tar`

/** A blob of the store as a manifest names it. */
const describe = (content: ContentRoot, digest: string, mediaType: string): Descriptor => ({
  ...{ mediaType, digest },
  size: statSync(blobOf(content, digest)).size,
})

const firstBytes = (path: string): Buffer => {
  const fd = openSync(path, 'r')
  try {
    const first = Buffer.alloc(MAGIC_BYTES)
    return first.subarray(0, readSync(fd, first, 0, MAGIC_BYTES, 0))
  } finally {
    closeSync(fd)
  }
}

const layerType = (path: string): string => {
  const compression = compressionOf(firstBytes(path))
  return compression === 'gzip' || compression === 'zstd' ? `${OCI_LAYER}+${compression}` : OCI_LAYER
}

/** `layers`: digests, bottom first. The blobs are in the store; equal blobs give equal bytes. */
export const makeManifest = (content: ContentRoot, config: string, layers: readonly string[]): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: describe(content, config, OCI_CONFIG),
    layers: layers.map((digest) => describe(content, digest, layerType(blobOf(content, digest)))),
  })
