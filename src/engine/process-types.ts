/** Types of what has to do with one process: exec, run, attach. */
import type { LocalPath, ServicePath } from './copy-rules.ts'
import type { PullFlag } from '../plan/pull.ts'
import type { OneOffRequest } from '../plan/one-off.ts'
import type { ExitFacts } from './errors.ts'
import type { Outcome } from './types.ts'

export interface ExecOptions {
  readonly service: string
  /** Replica; undefined: the lowest. */
  readonly index: number | undefined
  readonly command: readonly string[]
  /** NAME=value. */
  readonly env: readonly string[]
  readonly workingDir: string | undefined
  readonly user: string | undefined
  readonly privileged: boolean
  readonly tty: boolean
  readonly interactive: boolean
  readonly detach: boolean
}

/** A container's stdio, as long as it is connected to. */
export interface Attached {
  readonly name: string
  readonly tty: boolean
  /** Its stdin is open. */
  readonly takesStdin: boolean
  /** Output from now on; how it ended, after the last of it. `stdin`: `send` is going to be used. */
  listen(onOutput: (stream: 'stdout' | 'stderr', data: Buffer) => void, stdin: boolean): Promise<ExitFacts>
  /** Resolves when it is taken. */
  send(data: Uint8Array): Promise<void>
  endStdin(): void
  resize(rows: number, columns: number): void
  signal(signal: number): Promise<void>
  /** Its own stop signal, its grace, SIGKILL. */
  stop(): Promise<void>
  pause(): void
  resume(): void
  /** Leaves it running. */
  close(): void
}

export interface RunOptions {
  readonly service: string
  readonly request: OneOffRequest
  /** undefined: `<project>-<service>-run-<12 hex>`. */
  readonly name: string | undefined
  /** As of UpOptions. */
  readonly pull: PullFlag | undefined
  readonly quietPull: boolean
  readonly autoRemove: boolean
  readonly noDeps: boolean
  readonly removeOrphans: boolean
  readonly lenient: boolean
  readonly dryRun: boolean
  /** A failed start takes what it started down again; otherwise `RunOutcome.takeDown` does. */
  readonly down: boolean
  /** Just before its process runs, which waits for this; undefined: it runs in the background. */
  readonly onAttached: ((attached: Attached) => Promise<void>) | undefined
}

export interface RunOutcome extends Outcome {
  /** Of the container. */
  readonly name: string
  /** Takes down what was started for it: dependencies, and networks that nobody uses any more. */
  readonly takeDown: () => Promise<void>
}

export interface AttachOptions {
  readonly service: string
  readonly index: number | undefined
}

export interface CopyOptions {
  /** One of the two is in a service. */
  readonly from: LocalPath | ServicePath
  readonly to: LocalPath | ServicePath
  /** Containers of `run` too. */
  readonly all: boolean
  /** Owners and set-id bits are kept on this machine. */
  readonly archive: boolean
  /** The source itself, if it is a symlink. */
  readonly followLink: boolean
  readonly index: number | undefined
}

/** Devices, FIFOs, sockets: names of the first hundred, and how many. */
export interface CopyOutcome {
  readonly skipped: readonly string[]
  readonly skippedCount: number
}
