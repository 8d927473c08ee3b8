import { CaissonError } from '../errors.ts'

/** One service that could not be brought up: its container was not built, or its process never ran. */
export class ServiceError extends CaissonError {
  readonly service: string
  readonly container: string
  constructor(
    subject: { readonly service: string; readonly container: string },
    message: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super('ESERVICE', message, options)
    this.name = 'ServiceError'
    this.service = subject.service
    this.container = subject.container
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

/** The command was told to give up before it was through. Not a failure of anything. */
export const aborted = (): CaissonError => new CaissonError('EABORTED', 'interrupted before everything ran')
