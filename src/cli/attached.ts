/** `up` in the foreground: output of the services until they end, Ctrl-C to stop them, a second one to kill them. */
import { randomBytes } from 'node:crypto'
import type { Project } from '../compose/project.ts'
import { CaissonError } from '../errors.ts'
import { type ContainerRow, type Engine, type EngineEvent, type LogItem, logTime, type UpOptions } from '../index.ts'
import { awaitedServices, Cascade } from './cascade.ts'
import type { UpValues } from './commands/up.ts'
import type { Context } from './context.ts'
import { HookOutput } from './hook-output.ts'
import { Interrupts } from './interrupts.ts'
import { ciOf, formatGuard, harmless } from './render/ci.ts'
import { hostAddress } from './render/container.ts'
import { createPrefix, shortName } from './render/log-prefix.ts'
import { createProgress, type Progress } from './render/progress.ts'
import { plainStyle } from './render/style.ts'
import { openEngine } from './runtime.ts'
import { EXIT } from './usage.ts'

/** Whose output is shown, and whose ends count. */
interface Audience {
  /** Those of the command line, or all: these are stopped too. */
  readonly watched: readonly string[]
  readonly shown: readonly string[]
}

const noSuchService = (name: string, what: string): CaissonError =>
  new CaissonError('ENOSERVICE', `${what}: ${name}`, { hint: 'name a service that this `up` starts' })

/** Throws ENOSERVICE for names of options that are no services of this `up`. */
export const audienceOf = (
  project: Project,
  services: readonly string[],
  values: Pick<UpValues, 'attach' | 'attachDependencies' | 'noAttach' | 'exitCodeFrom'>,
): Audience => {
  const all = Object.keys(project.services)
  const watched = services.length === 0 ? all : services
  const unknown = values.attach.find((name) => project.services[name] === undefined)
  if (unknown !== undefined) throw noSuchService(unknown, 'cannot attach to a service that is not started')
  if (values.exitCodeFrom !== undefined && project.services[values.exitCodeFrom] === undefined) {
    throw noSuchService(values.exitCodeFrom, 'no such service')
  }
  const named = (values.attachDependencies ? all : watched).filter((name) => project.services[name]?.attach !== false)
  const shown = values.attach.length > 0 ? values.attach : named
  return { watched, shown: shown.filter((name) => !values.noAttach.includes(name)).sort() }
}

interface Session {
  readonly context: Context
  readonly engine: Engine
  readonly project: Project
  readonly options: UpOptions
  readonly values: UpValues
  readonly audience: Audience
  readonly cascade: Cascade
  readonly hookOutput: HookOutput
}

/** The change that is under way, until the logs take its place on the screen: then its events are lines between them. */
class View {
  /** Resolves once what has started should be seen, although the change is not through. */
  readonly wantsLogs: Promise<void>
  readonly #context: Context
  #progress: Progress
  #want: () => void = () => {}

  constructor(context: Context) {
    this.#context = context
    this.#progress = createProgress(context)
    this.wantsLogs = new Promise((resolve) => {
      this.#want = resolve
    })
  }

  emit(event: EngineEvent): void {
    this.#progress.emit(event)
    // A change without waits is through by then, and its list stays whole.
    if (event.kind === 'done' && event.node.operation.kind === 'startContainer') setTimeout(this.#want, 300).unref()
  }

  async giveWay(): Promise<void> {
    await this.close()
    this.#progress = createProgress(this.#context, false)
  }

  close(): Promise<void> {
    return this.#progress.close()
  }
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

/** The stop that is under way, begun once, when `started` is over. */
class Stopping {
  readonly #session: Session
  readonly #started: Promise<void>
  #stop: Promise<unknown> | undefined
  #kill: Promise<unknown> | undefined

  constructor(session: Session, started: Promise<void>) {
    this.#session = session
    this.#started = started
  }

  get isBegun(): boolean {
    return this.#stop !== undefined
  }

  begin(): void {
    this.#stop ??= this.#started.then(() => stopAll(this.#session))
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

/** `web-1 is published at 127.0.0.1:8080`: what a user looks for first. */
const formatPublished = (project: string, rows: readonly ContainerRow[]): string =>
  rows
    .filter((row) => row.publishers.length > 0)
    .map((row) => `${shortName(project, row)} is published at ${row.publishers.map(hostAddress).join(', ')}\n`)
    .join('')

const announce = ({ context, project, values }: Session, rows: readonly ContainerRow[]): void => {
  const names = rows.map((row) => shortName(project.name, row))
  if (!values.noLogPrefix && names.length > 0) context.stderr.write(`Attaching to ${names.join(', ')}\n`)
  context.stderr.write(formatPublished(project.name, rows))
}

interface FollowOptions {
  readonly since: string
  readonly signal: AbortSignal
  readonly expecting: () => boolean
  readonly stopping: Stopping
}

const openLogs = (session: Session, rows: readonly ContainerRow[], options: FollowOptions): AsyncIterable<LogItem> => {
  const { context, engine, project, values, audience } = session
  const style = values.noColor ? plainStyle : context.stdout.style
  const prefix = createPrefix({ project: project.name, sources: rows, style })
  const { since, signal, expecting } = options
  return engine.logs(project.name, {
    services: [...new Set([...audience.watched, ...audience.shown])],
    silent: audience.watched.filter((name) => !audience.shown.includes(name)),
    ...{ index: undefined, follow: true, since, until: '', tail: undefined, timestamps: values.timestamps },
    prefix: values.noLogPrefix ? () => '' : prefix,
    ...{ separate: false, grep: undefined, signal, expecting },
  })
}

/** Counts an end, and tells of it. */
const showEnd = (
  session: Session,
  { source, exitCode, restarting }: LogItem & { kind: 'exit' },
  stopping: Stopping,
) => {
  const { context, project, values, audience, cascade } = session
  if (audience.shown.includes(source.service) && !values.noLogPrefix) {
    const suffix = restarting ? ' (restarting)' : ''
    context.stdout.write(`${shortName(project.name, source)} exited with code ${exitCode}${suffix}\n`)
  }
  if (!audience.watched.includes(source.service)) return
  if (!cascade.add({ service: source.service, exitCode }) || stopping.isBegun) return
  context.stderr.write(`${context.stderr.style('red', 'Aborting on container exit...')}\n`)
  stopping.begin()
}

const followOutput = async (session: Session, options: FollowOptions): Promise<void> => {
  const { context, engine, project, audience, hookOutput } = session
  const { stdout, env } = context
  const rows = (await engine.ps(project.name)).filter((row) => !row.oneOff && audience.shown.includes(row.service))
  announce(session, rows)
  const ci = ciOf(env)
  const guard = formatGuard(ci, randomBytes(16).toString('hex'))
  stdout.write(guard.begin)
  hookOutput.open(rows)
  try {
    for await (const item of openLogs(session, rows, options)) {
      if (item.kind === 'output') stdout.write(harmless(ci, item.stdout))
      else showEnd(session, item, options.stopping)
      await stdout.drained()
    }
  } finally {
    hookOutput.close()
    stdout.write(guard.end)
  }
}

const isAborted = (error: unknown): boolean => error instanceof CaissonError && error.code === 'EABORTED'

/** Its error is kept: by the time it is told, the logs have to be off the screen. */
class Starting {
  isOver = false
  failure: unknown
  readonly over: Promise<void>

  constructor(up: Promise<unknown>) {
    this.over = up.then(
      () => {
        this.isOver = true
      },
      (error) => {
        this.isOver = true
        if (!isAborted(error)) this.failure = error
      },
    )
  }
}

const reportEnd = async (session: Session): Promise<void> => {
  const { context, project, cascade } = session
  if (cascade.culprit === undefined || cascade.culprit.exitCode === 0) return
  const { reportFailed } = await import('./last-words.ts')
  await reportFailed(context, { project: project.name, services: [cascade.culprit.service], label: 'error:' })
}

/** Until everything has ended, or the user has left it. */
const attend = async (
  session: Session,
  view: View,
  interrupts: Interrupts,
  stopping: (started: Starting) => Stopping,
) => {
  const { context, engine, project, options, values } = session
  const since = logTime(Date.now())
  const leaving = new AbortController()
  const starting = new Starting(engine.up(project, { ...options, signal: interrupts.signal }))
  const stop = stopping(starting)
  await Promise.race([starting.over, view.wantsLogs])
  await view.giveWay()
  void starting.over.then(() => {
    if (starting.failure !== undefined) leaving.abort()
  })
  const closeMenu = isMenuWanted(context, values)
    ? (await import('./menu.ts')).openMenu(context, {
        interrupt: () => interrupts.raise(),
        detach: () => leaving.abort(),
      })
    : () => {}
  try {
    const expecting = () => !starting.isOver
    await followOutput(session, { since, signal: leaving.signal, expecting, stopping: stop })
    await starting.over
    await stop.end()
  } finally {
    closeMenu()
  }
  return starting.failure
}

const isMenuWanted = ({ env }: Context, { menu }: UpValues): boolean => menu ?? env.COMPOSE_MENU === 'true'

/** Returns the exit code: 0 when all ended by themselves, 130 after Ctrl-C, a container's with the abort options. */
export const upAttached = async (
  context: Context,
  project: Project,
  options: UpOptions,
  values: UpValues,
): Promise<number> => {
  const view = new View(context)
  const audience = audienceOf(project, options.services, values)
  const { noLogPrefix, noColor } = values
  const hookOutput = new HookOutput(context, { project: project.name, shown: audience.shown, noLogPrefix, noColor })
  const engine = openEngine(context, (event) =>
    event.kind === 'hookOutput' ? hookOutput.add(event) : view.emit(event),
  )
  const cascade = new Cascade(values, awaitedServices(project))
  const session: Session = { context, engine, project, options, values, audience, cascade, hookOutput }
  let stop: Stopping | undefined
  const interrupts = new Interrupts((count) => {
    if (count > 2) process.exit(EXIT.interrupted)
    if (count > 1) return stop?.force()
    context.stderr.write('Gracefully Stopping... press Ctrl+C again to force\n')
    stop?.begin()
  })
  interrupts.listen()
  let failure: unknown
  try {
    failure = await attend(session, view, interrupts, (starting) => {
      stop = new Stopping(session, starting.over)
      return stop
    })
    await view.close()
    await reportEnd(session)
  } finally {
    await view.close()
    if (values.junit !== undefined) {
      const judged = { project: project.name, services: Object.keys(project.services), failure }
      await (await import('./junit-file.ts')).writeJunit(context, values.junit, { engine, ...judged })
    }
    interrupts.ignore()
  }
  if (failure === undefined) return interrupts.count > 0 ? EXIT.interrupted : cascade.exitCode
  if (interrupts.count === 0) throw failure
  ;(await import('./render/error.ts')).reportError(context, failure)
  return EXIT.interrupted
}
