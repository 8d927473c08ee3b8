/** The part of an OCI image configuration that a container is made from (image-spec config.md), in exact types. */
export interface ImageConfig {
  readonly user: string
  /** NAME=value. */
  readonly env: readonly string[]
  readonly entrypoint: readonly string[] | undefined
  readonly cmd: readonly string[] | undefined
  readonly workingDir: string
  readonly volumes: readonly string[]
  readonly exposedPorts: readonly string[]
  readonly stopSignal: string | undefined
  readonly labels: Readonly<Record<string, string>>
  /** Docker's extension of the specification (HEALTHCHECK); undefined: none. */
  readonly healthcheck: ImageHealthcheck | undefined
  /** Docker's extension (SHELL): what a line of CMD-SHELL is given to; undefined: `/bin/sh -c`. */
  readonly shell?: readonly string[] | undefined
}

export interface ImageHealthcheck {
  /** `NONE`; `CMD` and words; `CMD-SHELL` and a line; empty: a base image's. */
  readonly test: readonly string[]
  /** Here and below 0: not given. */
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly startPeriodMs: number
  readonly startIntervalMs: number
  readonly retries: number
}

/** An image ready to be a root filesystem. */
export interface UnpackedImage {
  /** Identity, changes when the content does: config digest, or `caisson/host@<version>`. */
  readonly id: string
  readonly reference: string
  readonly config: ImageConfig
  /** Unpacked layer directories, topmost first. */
  readonly layers: readonly string[]
  /** Read-only binds that belong to the image (`/usr` of caisson/host): absolute host source, target. */
  readonly binds: readonly { readonly source: string; readonly target: string }[]
}
