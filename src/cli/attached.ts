/** `up` in the foreground: output of all services until they end, Ctrl-C to stop, a second one to kill. */
import type { Project } from '../compose/project.ts'
import { type ContainerRow, type Engine, type LogItem, type LogSource, logTime, type UpOptions } from '../index.ts'
import type { UpValues } from './commands/up.ts'
import type { Context } from './context.ts'
import { hostAddress } from './render/container.ts'
import { createPrefix, shortName } from './render/log-prefix.ts'
import { plainStyle } from './render/style.ts'
import { createProgress, type Progress } from './render/progress.ts'
import { openEngine } from './runtime.ts'
import { EXIT } from './usage.ts'

/** Ctrl-C, by how often. SIGTERM, and SIGHUP of a closed terminal, count as the first. */
class Interrupts {
  count = 0
  /** Called for each one after the first that nobody had asked for yet. */
  onInterrupt: (count: number) => void = () => {}
  readonly #handle = (): void => {
    this.count++
    this.onInterrupt(this.count)
  }

  listen(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.#handle)
  }

  ignore(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.#handle)
  }
}

interface Session {
  readonly context: Context
  readonly engine: Engine
  readonly project: Project
  readonly options: UpOptions
  readonly values: UpValues
  readonly interrupts: Interrupts
}

/** Services whose output is shown. */
const attachedServices = ({ project, options, values }: Session): string[] => {
  const named =
    options.services.length === 0 || values.attachDependencies ? Object.keys(project.services) : options.services
  const chosen = values.attach.length > 0 ? values.attach : named
  return chosen.filter((service) => !values.noAttach.includes(service)).sort()
}

/** Decides when everything has to be stopped because one container ended. */
const endsAll = (values: UpValues, exitCode: number): boolean => {
  if (values.abortOnContainerExit || values.exitCodeFrom !== undefined) return true
  return values.abortOnContainerFailure && exitCode !== 0
}

const stopAll = ({ engine, project, options }: Session): Promise<unknown> =>
  engine.stop(
    { name: project.name, project },
    { services: options.services, timeoutMs: options.timeoutMs, dryRun: false },
  )

const killAll = ({ engine, project, options }: Session): Promise<unknown> =>
  engine.kill(
    { name: project.name, project },
    { services: options.services, timeoutMs: undefined, dryRun: false, signal: 'SIGKILL', removeOrphans: false },
  )

/** The stop that is under way, begun once. */
class Stopping {
  readonly #session: Session
  #stop: Promise<unknown> | undefined
  #kill: Promise<unknown> | undefined
  constructor(session: Session) {
    this.#session = session
  }

  begin(): void {
    this.#stop ??= stopAll(this.#session)
    this.#stop.catch(() => {})
  }

  force(): void {
    this.begin()
    this.#kill ??= killAll(this.#session)
    this.#kill.catch(() => {})
  }

  /** Throws what stopping threw, unless killing went through. */
  async end(): Promise<void> {
    if (this.#kill !== undefined) await this.#kill
    else await this.#stop
  }
}

const onInterrupt =
  (session: Session, stopping: Stopping) =>
  (count: number): void => {
    if (count === 1) {
      session.context.stderr.write('Gracefully Stopping... press Ctrl+C again to force\n')
      stopping.begin()
    } else stopping.force()
  }

/** Exit codes of what has ended: of the first of all, and of the service of --exit-code-from. */
class ExitCodes {
  first: number | undefined
  #named: number | undefined
  readonly #values: UpValues
  constructor(values: UpValues) {
    this.#values = values
  }

  add(source: LogSource, exitCode: number): void {
    if (source.service === this.#values.exitCodeFrom) this.#named ??= exitCode
    if (endsAll(this.#values, exitCode)) this.first ??= exitCode
  }

  get result(): number {
    return this.#named ?? this.first ?? EXIT.ok
  }
}

const showItem = ({ context, project, values }: Session, item: LogItem, shown: ReadonlySet<string>): void => {
  if (!shown.has(item.source.service)) return
  if (item.kind === 'output') context.stdout.write(item.stdout)
  else if (!values.noLogPrefix) {
    context.stdout.write(`${shortName(project.name, item.source)} exited with code ${item.exitCode}\n`)
  }
}

/** `web-1 is published at 127.0.0.1:8080`: what a user looks for first. */
const formatPublished = (project: string, rows: readonly ContainerRow[]): string =>
  rows
    .filter((row) => row.publishers.length > 0)
    .map((row) => `${shortName(project, row)} is published at ${row.publishers.map(hostAddress).join(', ')}\n`)
    .join('')

const followOutput = async (session: Session, stopping: Stopping, since: string): Promise<number> => {
  const { context, engine, project, options, values } = session
  const rows = await engine.ps(project.name)
  const shown = attachedServices(session)
  const attached = rows.filter((row) => shown.includes(row.service))
  const style = values.noColor ? plainStyle : context.stdout.style
  const prefix = createPrefix({ project: project.name, sources: attached, style })
  const names = attached.map((row) => shortName(project.name, row))
  if (!values.noLogPrefix) context.stderr.write(`Attaching to ${names.join(', ')}\n`)
  context.stderr.write(formatPublished(project.name, attached))
  const codes = new ExitCodes(values)
  const followed = options.services.length === 0 || endsAll(values, 1) ? [] : shown
  const items = engine.logs(project.name, {
    services: followed,
    index: undefined,
    follow: true,
    since,
    until: '',
    tail: undefined,
    timestamps: values.timestamps,
    prefix: values.noLogPrefix ? () => '' : prefix,
    separate: false,
    ...{ grep: undefined, signal: undefined, silent: undefined, expecting: undefined },
  })
  const visible = new Set(shown)
  for await (const item of items) {
    showItem(session, item, visible)
    if (item.kind !== 'exit') continue
    codes.add(item.source, item.exitCode)
    if (endsAll(values, item.exitCode)) stopping.begin()
  }
  return codes.result
}

/** Ctrl-C before everything ran means the same as after it, whether the rest went well or not. */
const start = async (session: Session, progress: Progress): Promise<void> => {
  const { engine, project, options, interrupts } = session
  try {
    await engine.up(project, options)
  } catch (error) {
    if (interrupts.count > 0) await stopAll(session)
    throw error
  } finally {
    await progress.close()
  }
}

/** Returns the exit code: 0 when all ended by themselves, 130 after Ctrl-C, a container's with the abort options. */
export const upAttached = async (
  context: Context,
  project: Project,
  options: UpOptions,
  values: UpValues,
): Promise<number> => {
  let progress = createProgress(context)
  const engine = openEngine(context, (event) => progress.emit(event))
  const interrupts = new Interrupts()
  const session: Session = { context, engine, project, options, values, interrupts }
  const stopping = new Stopping(session)
  const since = logTime(Date.now())
  interrupts.listen()
  try {
    // Until everything runs an interrupt is only remembered: what is half made must not be left.
    interrupts.onInterrupt = (count) => (count > 1 ? process.exit(EXIT.interrupted) : undefined)
    await start(session, progress)
    progress = createProgress(context)
    interrupts.onInterrupt = onInterrupt(session, stopping)
    if (interrupts.count > 0) interrupts.onInterrupt(interrupts.count)
    const exitCode = await followOutput(session, stopping, since)
    await stopping.end()
    return interrupts.count > 0 ? EXIT.interrupted : exitCode
  } finally {
    await progress.close()
    interrupts.ignore()
  }
}
