/** Reads the logs of several containers: merged by time as far as they are written, then followed. */
import { type FSWatcher, watch } from 'node:fs'
import type { NativeBinding } from '../native/binding.ts'
import { Cursor, type Range, startOf } from './cursor.ts'

export interface LogInput<Source> {
  readonly source: Source
  /** Directory of its segments. */
  readonly directory: string
  /** Text before each line. */
  readonly prefix: string
}

export interface LogRequest<Source> extends Range {
  readonly timestamps: boolean
  /** stderr apart from stdout. */
  readonly separate: boolean
  /** undefined: end with what is written now. */
  readonly follow:
    | { readonly hasEnded: (source: Source) => boolean; readonly signal: AbortSignal | undefined }
    | undefined
}

export type LogPart<Source> =
  | { readonly kind: 'output'; readonly source: Source; readonly stdout: Buffer; readonly stderr: Buffer }
  /** Its process has ended, and all it wrote was given out. */
  | { readonly kind: 'end'; readonly source: Source }

/** How often a followed log is looked at when no notice comes; notices only make it faster. */
const POLL_MS = 50

interface Reading<Source> extends LogInput<Source> {
  readonly cursor: Cursor
}

type Format = Pick<NativeBinding, 'formatLog'>

const format = <Source>(
  binding: Format,
  reading: Reading<Source>,
  length: number,
  request: LogRequest<Source>,
  final: boolean,
) => {
  const { timestamps, since, until, separate } = request
  const options = { prefix: reading.prefix, timestamps, since, until, separate, final }
  return binding.formatLog(reading.cursor.pending.subarray(0, length), options)
}

/**
 * Gives out `length` bytes from the front of a cursor, or more where a line goes on behind them, or nothing where its end
 * is not written yet (`final`: it never will be).
 */
function* emit<Source>(
  binding: Format,
  reading: Reading<Source>,
  length: number,
  request: LogRequest<Source>,
  final: boolean,
) {
  const { cursor, source } = reading
  let part = format(binding, reading, length, request, false)
  if (part.consumed === 0) part = format(binding, reading, cursor.pending.length, request, final)
  cursor.take(part.consumed)
  if (part.stdout.length + part.stderr.length > 0) {
    yield { kind: 'output', source, stdout: part.stdout, stderr: part.stderr } as const
  }
  return part.consumed
}

/** Everything that one cursor can give now. */
function* drain<Source>(binding: Format, reading: Reading<Source>, request: LogRequest<Source>, final: boolean) {
  for (;;) {
    const hasMore = reading.cursor.fill()
    if (reading.cursor.pending.length > 0) {
      yield* emit(binding, reading, reading.cursor.pending.length, request, final && !hasMore)
    }
    if (!hasMore) return
  }
}

/** A line is there at the front, or nothing more is written. */
const hasHead = <Source>({ cursor }: Reading<Source>): boolean => {
  while (cursor.headTime() === undefined) if (!cursor.fill()) return false
  return true
}

/** What is written now, by time over all containers; equal times in the order of the inputs. Runs of lines, not single ones. */
function* merge<Source>(binding: Format, readings: readonly Reading<Source>[], request: LogRequest<Source>) {
  for (let active = readings.filter(hasHead); active.length > 0; active = active.filter(hasHead)) {
    const heads = active.map((reading) => ({ reading, time: reading.cursor.headTime() ?? '' }))
    const first = heads.reduce((best, head) => (head.time < best.time ? head : best))
    const others = heads.filter((head) => head !== first).map(({ time }) => time)
    const limit = others.sort()[0] ?? '\uffff'
    const taken = yield* emit(binding, first.reading, first.reading.cursor.runUntil(limit), request, false)
    if (taken === 0 && !first.reading.cursor.fill()) active = active.filter((reading) => reading !== first.reading)
  }
}

/** Resolves at the next sign of a change below the directories, at the latest after POLL_MS. */
const changeWaiter = (directories: readonly string[], signal: AbortSignal | undefined) => {
  let wake = () => {}
  const watchers: FSWatcher[] = []
  for (const directory of directories) {
    try {
      watchers.push(watch(directory, { persistent: false }, () => wake()).on('error', () => {}))
    } catch {
      // No inotify left, or the directory is gone: polling does it.
    }
  }
  const next = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  signal?.addEventListener('abort', () => wake(), { once: true })
  return { next, close: () => watchers.forEach((watcher) => void watcher.close()) }
}

async function* follow<Source>(
  binding: Format,
  readings: readonly Reading<Source>[],
  request: LogRequest<Source>,
  { hasEnded, signal }: NonNullable<LogRequest<Source>['follow']>,
): AsyncGenerator<LogPart<Source>> {
  const changes = changeWaiter(
    readings.map(({ directory }) => directory),
    signal,
  )
  try {
    for (let open = [...readings]; open.length > 0 && !signal?.aborted; ) {
      const still: Reading<Source>[] = []
      for (const reading of open) {
        const ended = hasEnded(reading.source) // before the last look at its log
        yield* drain(binding, reading, request, ended)
        if (ended) yield { kind: 'end', source: reading.source }
        else still.push(reading)
      }
      open = still
      if (open.length > 0) await changes.next()
    }
  } finally {
    changes.close()
  }
}

/** Formatted output of `inputs`. Ends when all is read; when following: when every source has ended or the signal fires. */
export async function* readLogs<Source>(
  binding: Format,
  inputs: readonly LogInput<Source>[],
  request: LogRequest<Source>,
): AsyncGenerator<LogPart<Source>> {
  const readings = inputs.map((input) => ({
    ...input,
    cursor: new Cursor(input.directory, startOf(input.directory, request)),
  }))
  try {
    yield* merge(binding, readings, request)
    if (request.follow !== undefined) yield* follow(binding, readings, request, request.follow)
    else for (const reading of readings) yield* drain(binding, reading, request, true)
  } finally {
    for (const { cursor } of readings) cursor.close()
  }
}

/** The last `lines` lines, bare, as text: for messages about a service that failed. */
export const lastLines = (binding: Format, directory: string, lines: number): readonly string[] => {
  const range = { since: '', until: '', tail: lines }
  const cursor = new Cursor(directory, startOf(directory, range))
  try {
    while (cursor.fill());
    const options = { prefix: '', timestamps: false, since: '', until: '', separate: false, final: true }
    const { stdout } = binding.formatLog(cursor.pending, options)
    return stdout.toString('utf8').split('\n').slice(0, -1)
  } finally {
    cursor.close()
  }
}
