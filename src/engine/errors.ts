import { CaissonError } from '../errors.ts'

/** How a container came to its end, for the message of a failed `up`. */
export interface ServiceFailure {
  readonly service: string
  readonly container: string
  /** undefined: the process never ran. */
  readonly exitCode: number | undefined
  /** Number of the signal that ended it; 0: none. */
  readonly signal: number
  readonly oomKilled: boolean
  /** Last lines of its log, at most 20, without time and stream. */
  readonly logTail: readonly string[]
}

/** One service that could not be brought up. */
export class ServiceError extends CaissonError {
  readonly failure: ServiceFailure
  constructor(failure: ServiceFailure, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super('ESERVICE', message, options)
    this.name = 'ServiceError'
    this.failure = failure
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
