/** What the engine says while it works. Whatever draws (task list, lines, JSON) only draws these; nothing decides by them. */
import type { CaissonError, TreePath } from '../errors.ts'
import type { Plan, PlanNode } from '../plan/plan.ts'

/** What an operation touches, as the user knows it: noun and full name. */
export interface Subject {
  readonly noun: 'container' | 'network' | 'volume'
  readonly name: string
}

export interface LockHolder {
  readonly pid: number
  /** Command line, words joined by spaces. */
  readonly command: string
}

/** Whose hook it is. `name`: the full one. */
export interface HookOrigin {
  readonly name: string
  readonly service: string
  readonly number: number
}

export type Direction = 'pull' | 'push'

export type ImageEvent = {
  readonly kind: 'image'
  readonly direction: Direction
  readonly image: string
} & (
  | { readonly state: 'started' }
  /** `digest`: what the registry calls it. */
  | { readonly state: 'done' | 'unchanged'; readonly digest: string; readonly milliseconds: number }
  | { readonly state: 'failed'; readonly error: CaissonError }
)

export interface BlobEvent {
  readonly kind: 'blob'
  readonly direction: Direction
  readonly image: string
  readonly digest: string
  readonly phase: 'here' | 'there' | 'mounted' | 'waiting' | 'downloading' | 'unpacking' | 'uploading' | 'done'
  /** Bytes that have arrived, of `size`. */
  readonly bytes: number
  readonly size: number
}

export type EngineEvent =
  /** `path` resolves to a place in the Compose file; undefined where the warning has none. */
  | {
      readonly kind: 'warning'
      readonly code: string
      readonly message: string
      readonly hint: string | undefined
      readonly path: TreePath | undefined
    }
  /** Once for each plan, before its first operation. Empty plans too. */
  | { readonly kind: 'planned'; readonly plan: Plan }
  | { readonly kind: 'started'; readonly node: PlanNode; readonly subject: Subject }
  | { readonly kind: 'done'; readonly node: PlanNode; readonly subject: Subject; readonly milliseconds: number }
  | { readonly kind: 'failed'; readonly node: PlanNode; readonly subject: Subject; readonly error: CaissonError }
  /** Not done because node `because` failed or was skipped itself. `culprit`: what failed first in that chain. */
  | {
      readonly kind: 'skipped'
      readonly node: PlanNode
      readonly subject: Subject
      readonly because: number
      readonly culprit: Subject
    }
  /**
   * A container is waited for: when that begins, whenever what is known of it changes, and as a reminder (`isReminder`) after
   * 5 s and then every 10 s. `message`: `to be healthy (starting, 3 failed probes: connection refused)`.
   */
  | {
      readonly kind: 'waiting'
      readonly node: PlanNode
      readonly subject: Subject
      readonly message: string
      readonly isReminder: boolean
    }
  /** A line that a hook of the container wrote. */
  | { readonly kind: 'hookOutput'; readonly container: HookOrigin; readonly line: string }
  /** A container that has done its work is not run again. */
  | { readonly kind: 'finished'; readonly subject: Subject }
  /** An image comes from a registry, or goes to one. `image`: as the user wrote it. */
  | ImageEvent
  /** One blob of it; often. */
  | BlobEvent
  /** Another command changes the same thing; this one waits for it. */
  | { readonly kind: 'locked'; readonly lock: string; readonly holder: LockHolder | undefined }
  /** The rest of a container whose monitor was killed, or of a command that was, is undone. */
  | { readonly kind: 'recovered'; readonly name: string; readonly reason: string }

export type Emit = (event: EngineEvent) => void
