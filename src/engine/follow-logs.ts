/** Which containers of a project are followed, and what their monitors say meanwhile. Their lines: log/follow.ts. */
import { type FSWatcher, watch } from 'node:fs'
import { followLogs } from '../log/follow.ts'
import type { LogInput, LogRequest, Timed } from '../log/read.ts'
import { logTime } from '../log/time.ts'
import { type Condition, MonitorClient } from '../monitor/client.ts'
import { loadNative } from '../native/load.ts'
import { containerPaths, containersDirectory, lockFile, runPaths, runsDirectory } from '../state/layout.ts'
import type { ContainerRecord, Status } from '../state/records.ts'
import { namesIn, readRecord } from '../state/store.ts'
import { endsSince } from '../state/journal.ts'
import { isSilent, isWanted, sourceOf } from './logs.ts'
import { isAlive } from './ps.ts'
import type { EngineOptions, ExitStatus, LogItem, LogOptions, LogSource } from './types.ts'

type Notice = ExitStatus & { readonly restarting: boolean }

/** How often is looked for what no notice has told of. */
const LOOK_MS = 250
/** How long its lines wait for the first words of its monitor, which tell of ends that lie between them. */
const FIRST_WORDS_MS = 1000
/** Of a container whose end nobody wrote down. */
const KILLED: ExitStatus = { exitCode: 137, signal: 9, oomKilled: false }

/** Ends of the process that its policy has answered or is about to. */
const endsOf = ({ state, restarts }: Pick<Condition, 'state' | 'restarts'>): number =>
  restarts + (state === 'restarting' ? 1 : 0)

const restarted = (exitCode: number): Notice => ({
  exitCode,
  signal: exitCode > 128 ? exitCode - 128 : 0,
  oomKilled: false,
  restarting: true,
})

/** One container over all its runs. The end of each is told once: by the monitor, or by the files where that has gone. */
class Followed {
  readonly input: LogInput<LogSource, Notice>
  /** A run goes on whose end was not told yet. */
  isRunning = false
  /** What happened before we came is told: its lines can be put in between. */
  isReady: boolean
  readonly #bornMs = Date.now()
  readonly #engine: EngineOptions
  readonly #id: string
  readonly #notices: Timed<Notice>[] = []
  readonly #wake: () => void
  #client: MonitorClient | undefined
  #isConnecting = false
  #isClosed = false
  /** In the run that goes on: it is past the barrier. */
  #hasRun = false
  /** When the last run that was told of ended. */
  #told: string
  /** Ends in the run that goes on which its policy has answered, and that were told. */
  #restartsTold = 0
  /** Restarts count that nobody has seen happen. */
  readonly #wantsPast: boolean

  constructor(engine: EngineOptions, record: ContainerRecord, options: LogOptions, wake: () => void) {
    this.#engine = engine
    this.#id = record.id
    this.#wake = wake
    this.#wantsPast = options.since !== ''
    // The last lines wanted are those that are there now: they wait for nothing.
    this.isReady = !this.#wantsPast || options.tail !== undefined
    this.#told = options.since || (this.#exitRecord()?.finishedAt ?? '')
    const source = sourceOf(record)
    const directory = isSilent(record, options) ? undefined : containerPaths(engine, record.id).log
    this.input = { source, directory, prefix: options.prefix(source), notices: this.#notices }
  }

  look(): void {
    if (this.#isClosed) return
    if (isAlive(runPaths(this.#engine, this.#id))) {
      this.isRunning = true
      if (Date.now() - this.#bornMs > FIRST_WORDS_MS) this.#beReady()
      if (this.#client === undefined && !this.#isConnecting) void this.#connect()
      return
    }
    if (this.#client !== undefined || this.#isConnecting) return // its last words are on the way
    const exit = this.#exitRecord()
    if (exit !== undefined && exit.finishedAt > this.#told) this.#ended(exit)
    else if (this.isRunning) this.#vanished()
    this.#beReady()
  }

  close(): void {
    this.#isClosed = true
    this.#client?.close()
  }

  async #connect(): Promise<void> {
    this.#isConnecting = true
    try {
      const client = await MonitorClient.connect(runPaths(this.#engine, this.#id).control)
      if (this.#isClosed) return client.close()
      this.#client = client
      client.watch((condition) => this.#changed(condition))
      client.hello
        .then((condition) => this.#catchUp(condition))
        .catch(() => {})
        .finally(() => this.#beReady())
      void this.#awaitEnd(client)
    } catch {
      // Not listening yet, or not any more: the next look tells.
      this.#beReady()
    } finally {
      this.#isConnecting = false
    }
  }

  async #awaitEnd(client: MonitorClient): Promise<void> {
    let exit: ExitStatus | undefined
    try {
      const { code, signal, oomKilled } = await client.wait()
      exit = { exitCode: code, signal, oomKilled }
    } catch {
      // It was killed, or speaks another version: the files tell.
    }
    await client.closed
    this.#client = undefined
    // A container that was removed at once has no record any more; one that never ran has none and told of no change.
    if (exit !== undefined && (this.#exitRecord() !== undefined || this.#hasRun)) this.#ended(exit)
    else this.look()
  }

  /** The run is over and nobody wrote how: its monitor was killed, or it never came past the barrier. */
  #vanished(): void {
    const status = readRecord<Status>(runPaths(this.#engine, this.#id).status)
    if (status !== undefined && status.state !== 'created') {
      this.#tellMissed(endsOf(status))
      this.#ended(KILLED)
    }
    this.isRunning = false
  }

  /** What it has gone through before we were connected to it. */
  #catchUp(condition: Condition): void {
    this.#enter(condition.state)
    this.#tellMissed(endsOf(condition))
  }

  #changed(condition: Condition): void {
    this.#enter(condition.state)
    const ends = endsOf(condition)
    if (ends <= this.#restartsTold) return
    // A change that came in one piece with the monitor's first words is told before they are.
    this.#tellMissed(ends - 1)
    this.#restartsTold = ends
    this.#tell(restarted(condition.exitCode), this.#timeOfEnd(ends))
  }

  /** Lines of the next run may be here before the news of this end. undefined: there were more ends since. */
  #timeOfEnd(ends: number): string | undefined {
    const status = readRecord<Status>(runPaths(this.#engine, this.#id).status)
    return status !== undefined && endsOf(status) === ends ? status.finishedAt : undefined
  }

  /** `ends`: how many its policy has answered in this run, which `isOver` with one more. The journal has each. */
  #tellMissed(ends: number, isOver = false): void {
    const missed = ends - this.#restartsTold
    if (missed <= 0) return
    this.#restartsTold = ends
    if (!this.#wantsPast) return
    const found = endsSince(this.#engine, this.#id, this.#told)
    const answered = isOver ? found.slice(0, -1) : found.slice(0, ends)
    for (const { time, exitCode } of answered.slice(-missed)) this.#tell(restarted(exitCode), time)
  }

  #beReady(): void {
    if (this.isReady) return
    this.isReady = true
    this.#wake()
  }

  #enter(state: Condition['state']): void {
    this.#hasRun ||= state !== 'building' && state !== 'created'
  }

  #ended({ exitCode, signal, oomKilled }: ExitStatus): void {
    const record = this.#exitRecord()
    if (record !== undefined && record.finishedAt > this.#told) this.#tellMissed(record.restarts, true)
    this.isRunning = false
    this.#hasRun = false
    this.#restartsTold = 0
    this.#told = record?.finishedAt ?? this.#told
    this.#tell({ exitCode, signal, oomKilled, restarting: false })
  }

  #tell(notice: Notice, time = logTime(Date.now())): void {
    this.#notices.push({ time, notice })
    this.#wake()
  }

  #exitRecord(): Status | undefined {
    return readRecord<Status>(containerPaths(this.#engine, this.#id).exit)
  }
}

/** The containers of a project as they come and go. */
class Followers {
  wake: () => void = () => {}
  readonly #engine: EngineOptions
  readonly #project: string
  readonly #options: LogOptions
  readonly #known = new Map<string, Followed | undefined>()
  readonly #watchers: FSWatcher[] = []
  readonly #timer: NodeJS.Timeout
  #fresh: Followed[] = []

  constructor(engine: EngineOptions, project: string, options: LogOptions) {
    this.#engine = engine
    this.#project = project
    this.#options = options
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    for (const directory of [containersDirectory(engine), runsDirectory(engine)]) {
      try {
        const watcher = watch(directory, { persistent: false }, () => this.#lookSoon())
        this.#watchers.push(watcher.on('error', () => {}))
      } catch {
        // No inotify left, or nothing was ever started: the timer does it.
      }
    }
    this.#look()
  }

  arrivals(): readonly LogInput<LogSource, Notice>[] {
    const ready = this.#fresh.filter(({ isReady }) => isReady)
    this.#fresh = this.#fresh.filter(({ isReady }) => !isReady)
    return ready.map(({ input }) => input)
  }

  /** Nothing runs, nothing is expected, and no command is at work that might start something. */
  isOver(): boolean {
    const { until, expecting } = this.#options
    if (until !== '' && logTime(Date.now()) > until) return true
    if (expecting?.() || this.#someRun()) return false
    if (loadNative().isLocked(lockFile(this.#engine, `project-${this.#project}`))) return false
    this.#look()
    return !this.#someRun()
  }

  close(): void {
    clearInterval(this.#timer)
    for (const watcher of this.#watchers) watcher.close()
    for (const followed of this.#known.values()) followed?.close()
  }

  #someRun(): boolean {
    return [...this.#known.values()].some((followed) => followed?.isRunning)
  }

  #isSoon = false
  #lookSoon(): void {
    if (this.#isSoon) return
    this.#isSoon = true
    setTimeout(() => {
      this.#isSoon = false
      this.#look()
    }, 5).unref()
  }

  #look(): void {
    for (const id of namesIn(containersDirectory(this.#engine))) if (!this.#known.has(id)) this.#discover(id)
    for (const followed of this.#known.values()) followed?.look()
  }

  /** Directories whose record is not there yet are looked at again. */
  #discover(id: string): void {
    const record = readRecord<ContainerRecord>(containerPaths(this.#engine, id).record)
    if (record === undefined) return
    const isOurs = record.project === this.#project && isWanted(record, this.#options)
    const followed = isOurs ? new Followed(this.#engine, record, this.#options, () => this.wake()) : undefined
    this.#known.set(id, followed)
    if (followed === undefined) return
    this.#fresh.push(followed)
    this.wake()
  }
}

export async function* follow(
  engine: EngineOptions,
  project: string,
  options: LogOptions,
  request: LogRequest,
): AsyncGenerator<LogItem> {
  const followers = new Followers(engine, project, options)
  const parts = followLogs<LogSource, Notice>(loadNative(), request, {
    arrivals: () => followers.arrivals(),
    isOver: () => followers.isOver(),
    onNews: (wake) => {
      followers.wake = wake
    },
    signal: options.signal,
  })
  try {
    for await (const part of parts) {
      if (part.kind === 'output') yield part
      else yield { kind: 'exit', source: part.source, ...part.notice }
    }
  } finally {
    followers.close()
  }
}
