/** What the store asks of a registry (distribution-spec): the one interface between pull, push, and how they are carried out. */
import type { Descriptor } from '../archive-file.ts'

/** `host[:port]` and the path below it, as the protocol has them: `registry-1.docker.io`, `library/redis`. */
export interface Repository {
  readonly host: string
  readonly path: string
}

/** A manifest or index, its bytes as they came: they are its identity. */
export interface ManifestBytes extends Descriptor {
  readonly bytes: Buffer
}

export interface BlobStream {
  /** Where the bytes begin: what was asked for, or 0 from a registry that knows no ranges. */
  readonly offset: number
  readonly chunks: AsyncIterable<Buffer>
}

export interface Upload {
  readonly digest: string
  readonly size: number
  /** The blob from a byte on; called again when a connection broke. */
  readonly open: (offset: number) => AsyncIterable<Buffer>
  /** Called with bytes that were taken, in sum. */
  readonly onProgress: (sent: number) => void
}

/**
 * Connections to the registries of one command; tokens and connections are shared. Every method retries what may be retried and throws
 * a CaissonError that says what was asked of whom, what came back, and what to do: ENOTFOUND, EUNAUTHORISED, ERATELIMIT,
 * EDIGEST, EREGISTRY, ETLS, EDNS, ETIMEDOUT, ECONNECTION. `reference`: a tag or a digest.
 */
export interface RegistryClient {
  /** Verified against `reference` where that is a digest, and against Docker-Content-Digest. */
  manifest(repository: Repository, reference: string): Promise<ManifestBytes>
  /** Digest of a tag without the manifest, where the registry says it. undefined: there is none. */
  head(repository: Repository, reference: string): Promise<Descriptor | undefined>
  /** Not verified: the store does that while it unpacks. A connection that breaks is an error the caller resumes from. */
  blob(repository: Repository, blob: Descriptor, offset: number, signal?: AbortSignal): Promise<BlobStream>
  hasBlob(repository: Repository, digest: string): Promise<boolean>
  /** false: the registry wants it uploaded. `from`: a path at the same host. */
  mount(repository: Repository, digest: string, from: string): Promise<boolean>
  upload(repository: Repository, upload: Upload): Promise<void>
  /** The digest that the registry gave it. */
  putManifest(repository: Repository, reference: string, manifest: ManifestBytes): Promise<string>
  tags(repository: Repository): Promise<readonly string[]>
  close(): void
}
