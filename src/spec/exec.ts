import type { ExecPlan } from '../native/launch-plan.ts'
import type { ProcessInput } from './runtime-spec.ts'

export interface ExecRequest {
  readonly args: readonly string[]
  /** `NAME=value`; `NAME` alone unsets. */
  readonly env: readonly string[]
  /** undefined: the container's. */
  readonly cwd: string | undefined
  /** As `user:`; undefined: the container's. */
  readonly user: string | undefined
  readonly tty: boolean
  readonly interactive: boolean
  readonly privileged: boolean
  /** Initial terminal size; 0 = unknown. */
  readonly rows: number
  readonly columns: number
  /** Path of the monitor's control socket. */
  readonly controlSocket: string
}

/**
 * The plan of a process beside the container's own, made from the definition that the container was made from: same
 * capabilities, filter, limits and groups unless asked otherwise. Pure. Throws CaissonError EUSER for an unknown user.
 */
export const lowerExec = (_request: ExecRequest, _container: ProcessInput): ExecPlan => {
  throw new Error('not yet')
}
