/** What the engine takes and gives about images. */
import type { CaissonError } from '../errors.ts'
import type { HistoryRow } from '../image/history.ts'
import type { Login, LoggedOut } from '../image/registry/login.ts'
import type { Found, Search, SearchFilter } from '../image/registry/search.ts'
import type { RemovedNames } from '../image/remove.ts'
import type { SaveFormat } from '../image/save.ts'
import type { ImageSummary } from '../image/summary.ts'
import type { StoreUsage } from '../image/usage.ts'
import type { Verified } from '../image/verify.ts'
import type { ContainerRow } from './types.ts'

export type { Found, LoggedOut, Login, SearchFilter }
export type { HistoryRow, ImageSummary, SaveFormat, Verified }

export interface ImageRow {
  /** Name and tag; of an image without a name its id. */
  readonly reference: string
  readonly id: string
  readonly createdAt: number
  readonly sizeBytes: number
}

export interface LoadImages {
  /** Path of a `docker save` or OCI archive, plain or compressed; `-`: stdin. */
  readonly archive: string
  /** `os/architecture[/variant]`; undefined: this machine's. */
  readonly platform: string | undefined
  /** Name for images of which the archive only says a tag, or nothing. */
  readonly name: string | undefined
}

export interface PullImage {
  readonly reference: string
  /** `os/architecture[/variant]`; undefined: this machine's. */
  readonly platform: string | undefined
}

export interface TransferOptions {
  readonly signal?: AbortSignal | undefined
}

/** What became of an image that was to be pulled or pushed. */
export interface Transferred {
  /** As it was asked for. */
  readonly image: string
  /** What the registry calls it. */
  readonly digest: string
  readonly isUpToDate: boolean
  /** Why it is not here, or not there. */
  readonly error: CaissonError | undefined
}

export interface DiskUsage {
  readonly images: readonly (ImageSummary & { readonly containers: number })[]
  readonly store: StoreUsage
  readonly containers: readonly { readonly row: ContainerRow; readonly sizeBytes: number }[]
  readonly volumes: readonly { readonly name: string; readonly links: number; readonly sizeBytes: number }[]
}

export interface PrunedImages extends RemovedNames {
  readonly reclaimedBytes: number
}

export interface PruneWish {
  /** Anonymous volumes too. */
  readonly volumes: boolean
  /** What filters say; createdAt: milliseconds since the epoch. */
  readonly isWanted: (thing: {
    readonly labels: Readonly<Record<string, string>>
    readonly createdAt: number
  }) => boolean
  readonly dryRun: boolean
}

/** Of one project. */
export interface PrunedProjects {
  readonly containers: readonly { readonly id: string; readonly name: string }[]
  readonly networks: readonly string[]
  readonly volumes: readonly string[]
  readonly reclaimedBytes: number
}

/** What can be asked of, and done to, images that are here. */
export interface ImageStore {
  /** All of them, each once. */
  imageSummaries(): Promise<readonly ImageSummary[]>
  /** The last step first. Throws ENOIMAGE. */
  imageHistory(name: string): Promise<readonly HistoryRow[]>
  tagImage(source: string, target: string): Promise<void>
  /** An archive. Of a name without a tag every tag. Throws ENOIMAGE, ENOMANIFEST, ENOBLOB before the first byte. */
  saveImages(names: readonly string[], format: SaveFormat): AsyncIterable<Buffer>
  /** Reads every blob again. Empty `names`: all. `fix`: damaged blobs go, and the next pull or load brings them. */
  verifyImages(names: readonly string[], fix: boolean): Promise<readonly Verified[]>
  /** By name, or by an id or its beginning. `force`: from under stopped containers, and all names of an id. */
  removeImage(reference: string, options: { readonly force: boolean; readonly dryRun: boolean }): Promise<RemovedNames>
  /** Images that no container was made from, of those that are wanted. `dryRun`: only says which. */
  pruneImages(isWanted: (image: ImageSummary) => boolean, dryRun: boolean): Promise<PrunedImages>
  /** Containers that do not run, and what they leave, of every project. Throws ChangeError. */
  pruneProjects(wish: PruneWish): AsyncIterable<PrunedProjects>
  diskUsage(): Promise<DiskUsage>
}

/** What can be asked of registries beside images. `host`: as the user wrote it; empty: Docker Hub. */
export interface Registries {
  /** Tries it, and says where it is kept. Throws EUNAUTHORISED, EHELPER, EAUTHFILE. */
  login(login: Login): Promise<string>
  logout(host: string): Promise<LoggedOut>
  searchImages(search: Search): Promise<readonly Found[]>
}
