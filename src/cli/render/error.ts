/** Errors as a person reads them: what, where in the file, why, what to do. Never a stack trace, unless CAISSON_DEBUG asks for it. */
import { CaissonError, type Diagnostic, ProjectError, type TreePath } from '../../errors.ts'
import { ChangeError, ExecError, ServiceError } from '../../index.ts'
import { type Context, isForPrograms, type Output } from '../context.ts'
import { EXIT, UsageError } from '../usage.ts'
import { ciOf, formatAnnotation } from './ci.ts'
import { formatDiagnostic, formatDiagnostics, placeOf, placeOfService } from './diagnostic.ts'
import { formatDetails } from './failure.ts'

/** Codes that say: not on this machine, or not as this user. */
const HOST_CODES: ReadonlySet<string> = new Set(['EHOST', 'ENOADDON'])

const exitCodeOf = (error: unknown): number => {
  if (error instanceof UsageError) return EXIT.usage
  if (error instanceof ProjectError) return EXIT.project
  if (error instanceof ExecError) return error.exitCode
  if (error instanceof ChangeError) return exitCodeOfChange(error)
  return isHostError(error) ? EXIT.host : EXIT.failure
}

/** Failures of one kind have its code; any other among them is a failure like any. */
const exitCodeOfChange = ({ errors }: ChangeError): number => {
  if (errors.length > 0 && errors.every(isHostError)) return EXIT.host
  return errors.length > 0 && errors.every(({ code }) => code === 'EWAITTIMEOUT') ? EXIT.timeout : EXIT.failure
}

const isHostError = (error: unknown): boolean => error instanceof CaissonError && HOST_CODES.has(error.code)

const headline = ({ style }: Output, label: string, message: string): string =>
  `${style('red', `${label}:`)} ${message}\n`

const hintLine = ({ style }: Output, hint: string | undefined): string =>
  hint === undefined ? '' : `${style('dim', '  hint:')} ${hint}\n`

/** For GitHub: errors beside the lines of the file that they are about. */
const annotate = (context: Context, diagnostics: readonly Diagnostic[]): string =>
  ciOf(context.env) !== 'github'
    ? ''
    : diagnostics
        .filter(({ severity }) => severity === 'error')
        .map((each) => {
          const annotation = { title: 'Compose file', message: each.message, place: placeOf(context, each) }
          return formatAnnotation(annotation, context.env.GITHUB_WORKSPACE)
        })
        .join('')

/** What a service that failed has left behind; for GitHub, beside its key. */
const formatService = (context: Context, error: CaissonError): string => {
  if (!(error instanceof ServiceError)) return ''
  const { env, stderr } = context
  const ci = ciOf(env)
  const { service, message, exit, healthLog, output } = error
  const lines = formatDetails({ probes: exit === undefined ? healthLog : [], output }, ci, stderr.style)
  if (ci !== 'github') return lines
  const place = placeOfService(context, service)
  return formatAnnotation({ title: `service ${service}`, message, place }, env.GITHUB_WORKSPACE) + lines
}

/** An error that is about no file. */
const diagnosticOf = (error: CaissonError): Diagnostic => {
  const { code, message, hint } = error
  const path = error instanceof ServiceError ? ['services', error.service] : []
  return { code, severity: 'error', path, message, ...(hint === undefined ? {} : { hint }) }
}

const formatCaissonError = (context: Context, error: CaissonError): string => {
  const { stderr } = context
  if (error instanceof ProjectError)
    return formatDiagnostics(context, error.diagnostics) + annotate(context, error.diagnostics)
  if (error instanceof ChangeError) return error.errors.map((each) => formatCaissonError(context, each)).join('')
  if (error.cause instanceof ProjectError) return formatDiagnostics(context, error.cause.diagnostics)
  if (isForPrograms(context)) return formatDiagnostic(context, diagnosticOf(error))
  return headline(stderr, 'error', error.message) + hintLine(stderr, error.hint) + formatService(context, error)
}

interface NodeSystemError extends Error {
  readonly code: string
  readonly syscall: string
}

const isNodeSystemError = (error: unknown): error is NodeSystemError =>
  error instanceof Error && 'code' in error && 'syscall' in error && typeof error.code === 'string'

const UNEXPECTED_HINT =
  'this is a mistake in caisson: CAISSON_DEBUG=1 shows where; please report it with the command line'

const formatUnexpected = (context: Context, error: unknown): string => {
  const { stderr } = context
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  if (!isForPrograms(context)) return headline(stderr, 'internal error', message) + hintLine(stderr, UNEXPECTED_HINT)
  const diagnostic: Diagnostic = { code: 'EINTERNAL', severity: 'error', path: [], message, hint: UNEXPECTED_HINT }
  return formatDiagnostic(context, diagnostic)
}

const formatSystemError = (context: Context, { code, message }: NodeSystemError): string =>
  isForPrograms(context)
    ? formatDiagnostic(context, { code, severity: 'error', path: [], message })
    : headline(context.stderr, 'error', message)

const formatError = (context: Context, error: unknown): string => {
  if (error instanceof CaissonError) return formatCaissonError(context, error)
  return isNodeSystemError(error) ? formatSystemError(context, error) : formatUnexpected(context, error)
}

/** Writes the error to stderr and returns the exit code that belongs to it. */
export const reportError = (context: Context, error: unknown): number => {
  context.stderr.write(formatError(context, error))
  if (context.env.CAISSON_DEBUG && error instanceof Error) context.stderr.write(`${error.stack}\n${causes(error)}`)
  return exitCodeOf(error)
}

const causes = (error: Error): string =>
  error.cause instanceof Error ? `caused by ${error.cause.stack}\n${causes(error.cause)}` : ''

interface Warning {
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
  readonly path: TreePath | undefined
}

/** A warning of the engine, with its place where the project was loaded. */
export const formatWarning = (context: Context, { code, message, hint, path }: Warning): string => {
  const diagnostic: Diagnostic = {
    code,
    severity: 'warning',
    path: path ?? [],
    message,
    ...(hint === undefined ? {} : { hint }),
  }
  return formatDiagnostic(context, diagnostic)
}
