/** Base classes of every error and diagnostic. Each layer owns its codes; nobody else invents one for it. */

/** A place in the Compose model, outermost key first: `['services', 'web', 'ports', 0]`. */
export type TreePath = readonly (string | number)[]

/** JSON Pointer (RFC 6901) of a path: the key of every map from path to Origin. */
export const pointerOf = (path: TreePath): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

export type Severity = 'error' | 'warning'

export interface Span {
  readonly file: string
  readonly start: number
  readonly end: number
}

/** One finding about the user's input. Only the CLI resolves `path` to `file:line:column`. */
export interface Diagnostic {
  readonly code: string
  readonly severity: Severity
  readonly path: TreePath
  /** Whole sentence without place or trailing full stop: subject, what is wrong, the value. */
  readonly message: string
  /** What to do about it, where that is known. */
  readonly hint?: string
  /** Place in a file that the tree has no node for (a YAML syntax error). Offsets in UTF-16 units. */
  readonly at?: Span
  /** Another place that has to do with it. `message` is followed by the place: `the first one is at`. */
  readonly related?: { readonly message: string; readonly at: Span }
}

/** An error that a user can meet. `message` is complete: subject, what failed, the value. */
export class CaissonError extends Error {
  readonly code: string
  readonly hint: string | undefined
  constructor(code: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CaissonError'
    this.code = code
    this.hint = options.hint
  }
}

/** A Compose project that cannot be used: every mistake of every file at once. */
export class ProjectError extends CaissonError {
  readonly diagnostics: readonly Diagnostic[]
  constructor(diagnostics: readonly Diagnostic[]) {
    const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error')
    super('EPROJECT', errors.map((diagnostic) => diagnostic.message).join('\n'))
    this.name = 'ProjectError'
    this.diagnostics = diagnostics
  }
}

export interface SystemFailure {
  /** Start-path section or operation that failed, e.g. `mounts`, `cgroup`. */
  readonly step: string
  readonly syscall: string
  /** Positive errno. */
  readonly errno: number
  readonly path?: string
  /** Index of the item in its section (third mount, second cgroup …); 0 where it has one item. */
  readonly index?: number
}

/** A failed system call, in Node's shape: `code`, negative `errno`, `syscall`, `path`; and our `step`. */
export class SystemError extends CaissonError {
  readonly errno: number
  readonly syscall: string
  readonly path: string | undefined
  readonly step: string
  constructor(
    failure: SystemFailure,
    code: string,
    description: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    const where = failure.path ? ` '${failure.path}'` : ''
    super(code, `${failure.step}: ${failure.syscall}${where}: ${code}: ${description}`, options)
    this.name = 'SystemError'
    this.errno = -failure.errno
    this.syscall = failure.syscall
    this.path = failure.path
    this.step = failure.step
  }
}
