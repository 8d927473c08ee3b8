import { CaissonError } from '../errors.ts'
import type { HealthRecord } from '../state/records.ts'

/** How a container's process ended for good. */
export interface ExitFacts {
  /** 128 + signal where a signal ended it. */
  readonly code: number
  /** 0: none. */
  readonly signal: number
  readonly oomKilled: boolean
}

/** What is known of a container that failed, for whoever reports it: text, JSON, CI annotations. */
export interface FailureFacts {
  /** undefined: it has not ended. */
  readonly exit: ExitFacts | undefined
  /** What the last probes said, oldest first; empty: none was made. */
  readonly healthLog: HealthRecord['log']
  /** Its last lines, stdout and stderr merged; without line ends. */
  readonly output: readonly string[]
}

const NOTHING_KNOWN: FailureFacts = { exit: undefined, healthLog: [], output: [] }

/**
 * One service that could not be brought up. ESERVICE: its container was not built, its process never ran, it ended or became
 * unhealthy while it was waited for. EWAITTIMEOUT: it was waited for until the deadline, and goes on.
 */
export class ServiceError extends CaissonError {
  readonly service: string
  readonly container: string
  readonly exit: ExitFacts | undefined
  readonly healthLog: HealthRecord['log']
  readonly output: readonly string[]
  constructor(
    subject: { readonly service: string; readonly container: string },
    message: string,
    options: { hint?: string; cause?: unknown; code?: 'ESERVICE' | 'EWAITTIMEOUT'; facts?: FailureFacts } = {},
  ) {
    super(options.code ?? 'ESERVICE', message, options)
    this.name = 'ServiceError'
    this.service = subject.service
    this.container = subject.container
    const { exit, healthLog, output } = options.facts ?? NOTHING_KNOWN
    this.exit = exit
    this.healthLog = healthLog
    this.output = output
  }
}

/** A hook that failed. */
export class HookError extends CaissonError {
  /** Its last lines. */
  readonly output: readonly string[]
  constructor(message: string, options: { hint: string; cause?: unknown; output: readonly string[] }) {
    super('EHOOK', message, options)
    this.name = 'HookError'
    this.output = options.output
  }
}

/** A change that did not get through: every operation that failed, in the order of failing. */
export class ChangeError extends CaissonError {
  readonly errors: readonly CaissonError[]
  constructor(errors: readonly CaissonError[]) {
    super('ECHANGE', errors.map((error) => error.message).join('\n'), { cause: errors[0] })
    this.name = 'ChangeError'
    this.errors = errors
  }
}

/** `exec` and `run` that failed before the process ran. */
export class ExecError extends CaissonError {
  /** 125: our own failure; 126: not executable; 127: not found. */
  readonly exitCode: 125 | 126 | 127
  constructor(exitCode: 125 | 126 | 127, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super('EEXEC', message, options)
    this.name = 'ExecError'
    this.exitCode = exitCode
  }
}

/** Somebody else changed the project while this command only waited. */
export const overtaken = (project: string, what: string): CaissonError =>
  new CaissonError('EOVERTAKEN', `project ${project} was changed by another command in the meantime: ${what}`, {
    hint: 'what that command did stands; run this one again if it is still wanted',
  })

/** The command was told to give up before it was through. Not a failure of anything. */
export const aborted = (): CaissonError => new CaissonError('EABORTED', 'interrupted before everything ran')
