/** Digests of bytes that are at hand (image-spec descriptor.md). Large blobs are hashed on their way, by native/ingest. */
import { createHash } from 'node:crypto'

/** `sha256:…` or `sha512:…` */
export const digestOf = (bytes: Buffer, algorithm = 'sha256'): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`

/** By the algorithm of another digest. */
export const digestLike = (digest: string, bytes: Buffer): string =>
  digestOf(bytes, digest.slice(0, digest.indexOf(':')))
