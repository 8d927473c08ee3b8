/** Media types of images, OCI's and Docker's: the same things under two names. */

const DOCKER = 'application/vnd.docker.distribution.manifest'

export type MediaKind = 'manifest' | 'index' | 'config' | 'layer' | 'other'

const KINDS: ReadonlyMap<string, MediaKind> = new Map(
  Object.entries({
    'application/vnd.oci.image.manifest.v1+json': 'manifest',
    [`${DOCKER}.v2+json`]: 'manifest',
    'application/vnd.oci.image.index.v1+json': 'index',
    [`${DOCKER}.list.v2+json`]: 'index',
    'application/vnd.oci.image.config.v1+json': 'config',
    'application/vnd.docker.container.image.v1+json': 'config',
    'application/vnd.docker.image.rootfs.diff.tar': 'layer',
    'application/vnd.docker.image.rootfs.diff.tar.gzip': 'layer',
    'application/vnd.docker.image.rootfs.diff.tar.zstd': 'layer',
    'application/vnd.docker.image.rootfs.foreign.diff.tar': 'layer',
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip': 'layer',
  } as const),
)

const OCI_LAYER = /^application\/vnd\.oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+(?:gzip|zstd))?$/

export const kindOf = (mediaType: string): MediaKind =>
  KINDS.get(mediaType) ?? (OCI_LAYER.test(mediaType) ? 'layer' : 'other')
