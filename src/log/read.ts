/** Reads the logs of several containers, in the order of time over all of them. Following them: follow.ts. */
import type { NativeBinding } from '../native/binding.ts'
import { Cursor, type Range, startOf } from './cursor.ts'
import { filterLines, type Grep, matches } from './filter.ts'

/** Something to be told between the lines of one container. */
export interface Timed<Notice> {
  /** As log lines carry it. */
  readonly time: string
  readonly notice: Notice
}

export interface LogInput<Source, Notice = never> {
  readonly source: Source
  /** Directory of its segments; undefined: only its notices count. */
  readonly directory: string | undefined
  /** Text before each line. */
  readonly prefix: string
  /** In the order of time; its owner adds at the end. A notice says that all lines before it are written. */
  readonly notices?: Timed<Notice>[]
}

export interface LogRequest extends Omit<Range, 'matches'> {
  readonly timestamps: boolean
  /** stderr apart from stdout. */
  readonly separate: boolean
  /** undefined: all lines. */
  readonly grep: Grep | undefined
}

export type LogPart<Source, Notice = never> =
  | { readonly kind: 'output'; readonly source: Source; readonly stdout: Buffer; readonly stderr: Buffer }
  | { readonly kind: 'notice'; readonly source: Source; readonly notice: Notice }

/** `<time> ` before the content, where times are shown. */
const TIME_LENGTH = 31
/** Later than every time. */
export const FOREVER = '\uffff'

type Format = Pick<NativeBinding, 'formatLog'>

/** One container's log while it is read. */
export interface Reading<Source, Notice> {
  readonly input: LogInput<Source, Notice>
  readonly cursor: Cursor
  /** Time of the first line that was not given out; undefined: not looked for since the last one was. */
  head: string | undefined
  /** There may be more in its files than was read. */
  isStale: boolean
  /** Since when (ms) the front of it is a line whose end is missing; 0: it is not. */
  cutSince: number
}

/** A line that was shown although its end is missing: the cursor of the terminal stands behind it. */
interface OpenLine<Source, Notice> {
  readonly reading: Reading<Source, Notice>
  readonly stream: string
}

const EMPTY = Buffer.alloc(0)

/** Gives out what several readings have, run by run. */
export class Merger<Source, Notice> {
  readonly readings: Reading<Source, Notice>[] = []
  readonly #binding: Format
  readonly #request: LogRequest
  #open: OpenLine<Source, Notice> | undefined

  constructor(binding: Format, request: LogRequest) {
    this.#binding = binding
    this.#request = request
  }

  /** `tail` holds for what is there from the start; of later ones all lines are wanted. */
  add(input: LogInput<Source, Notice>, isLater: boolean): Reading<Source, Notice> {
    const { grep, since, until } = this.#request
    const range: Range = {
      ...{ since, until, tail: isLater ? undefined : this.#request.tail },
      matches: grep === undefined ? undefined : (content) => matches(grep, content),
    }
    const directory = input.directory ?? ''
    const start = input.directory === undefined ? { segment: 1, offset: 0 } : startOf(directory, range)
    const isStale = input.directory !== undefined
    const reading = { input, cursor: new Cursor(directory, start), head: undefined, isStale, cutSince: 0 }
    this.readings.push(reading)
    return reading
  }

  /** All lines and notices up to `horizon` that are there now. `isAll`: nothing more comes, so that cut lines have their turn too. */
  *upTo(horizon: string, now: number, isAll = false): Generator<LogPart<Source, Notice>> {
    let active = this.readings.filter((reading) => timeOf(reading) !== undefined)
    while (active.length > 0) {
      const first = active.reduce((best, reading) =>
        (timeOf(reading) ?? FOREVER) < (timeOf(best) ?? FOREVER) ? reading : best,
      )
      const time = timeOf(first) ?? FOREVER
      if (time > horizon) return
      const others = active.flatMap((reading) => (reading === first ? [] : [timeOf(reading) ?? FOREVER]))
      const limit = others.reduce((least, other) => (other < least ? other : least), horizon)
      const isThrough = yield* this.#give(first, limit, now, isAll)
      if (!isThrough || timeOf(first) === undefined) active = active.filter((reading) => reading !== first)
    }
  }

  /** Lines that are cut for `idleMs` are shown as far as they are; what follows them at once is put behind. */
  *showCut(now: number, idleMs: number): Generator<LogPart<Source, Notice>> {
    if (this.#request.grep !== undefined || this.#request.separate) return
    for (const reading of this.readings) {
      if (reading.cutSince === 0 || now - reading.cutSince < idleMs) continue
      reading.cutSince = 0
      const stream = reading.cursor.headStream()
      yield* this.#giveLength(reading, reading.cursor.pending.length, true, true)
      this.#open = { reading, stream }
    }
  }

  /** Nothing more comes: what is left, cut lines too. */
  *rest(): Generator<LogPart<Source, Notice>> {
    for (const reading of this.readings) {
      for (let more = reading.input.directory !== undefined; more; ) {
        more = reading.cursor.fill()
        yield* this.#giveLength(reading, reading.cursor.pending.length, !more, false)
      }
    }
    yield* this.#endLine()
  }

  close(): void {
    for (const { cursor } of this.readings) cursor.close()
  }

  /** One notice, or the lines up to `limit`. false: a line's end is missing. */
  *#give(
    reading: Reading<Source, Notice>,
    limit: string,
    now: number,
    isAll: boolean,
  ): Generator<LogPart<Source, Notice>, boolean> {
    const { input, cursor } = reading
    const [due] = input.notices ?? []
    if (due !== undefined && due.time <= (headOf(reading) ?? FOREVER)) {
      yield* this.#endLine()
      input.notices?.shift()
      yield { kind: 'notice', source: input.source, notice: due.notice }
      return true
    }
    const bound = due !== undefined && due.time < limit ? due.time : limit
    const isFirst = reading.cutSince === 0
    if ((yield* this.#giveLength(reading, cursor.runUntil(bound), false, false)) > 0) return true
    // Its end may lie behind the bound, but never behind a notice: what that tells of cut it off.
    const most = due === undefined ? cursor.pending.length : cursor.runUntil(due.time)
    if ((yield* this.#giveLength(reading, most, false, false)) > 0) return true
    if (cursor.fill()) return true
    if (due !== undefined) return (yield* this.#giveLength(reading, most, true, false)) > 0
    if (isAll) return (yield* this.#giveLength(reading, cursor.runUntil(bound), true, false)) > 0
    if (isFirst) reading.cutSince = now
    return false
  }

  /** Bytes from the front that were given out; none where the end of a line behind them is missing, unless `isFinal`. */
  *#giveLength(
    reading: Reading<Source, Notice>,
    length: number,
    isFinal: boolean,
    isOpen: boolean,
  ): Generator<LogPart<Source, Notice>, number> {
    if (length === 0) return 0
    const begun = yield* this.#continueLine(reading, length, isFinal, isOpen)
    if (begun >= length) return begun
    const part = this.#format(reading, length - begun, isFinal, reading.input.prefix)
    this.#take(reading, part.consumed)
    if (part.stdout.length + part.stderr.length > 0) {
      yield* this.#endLine()
      const stdout = isOpen ? part.stdout.subarray(0, -1) : part.stdout
      yield { kind: 'output', source: reading.input.source, stdout, stderr: part.stderr }
    }
    return begun + part.consumed
  }

  /** Puts the next line behind the open one where it is its rest. */
  *#continueLine(
    reading: Reading<Source, Notice>,
    length: number,
    isFinal: boolean,
    isOpen: boolean,
  ): Generator<LogPart<Source, Notice>, number> {
    const head = reading.cursor.headLength()
    const open = this.#open
    if (open?.reading !== reading || head === 0 || open.stream !== reading.cursor.headStream()) return 0
    const { stdout, consumed } = this.#format(reading, head, isFinal && head === length, undefined)
    if (consumed === 0) return 0
    this.#take(reading, consumed)
    this.#open = undefined
    const shown = isOpen ? stdout.subarray(0, -1) : stdout
    yield { kind: 'output', source: reading.input.source, stdout: shown, stderr: EMPTY }
    return consumed
  }

  *#endLine(): Generator<LogPart<Source, Notice>> {
    const open = this.#open
    this.#open = undefined
    if (open !== undefined) {
      yield { kind: 'output', source: open.reading.input.source, stdout: Buffer.from('\n'), stderr: EMPTY }
    }
  }

  #take(reading: Reading<Source, Notice>, length: number): void {
    if (length === 0) return
    reading.cursor.take(length)
    reading.head = undefined
    reading.cutSince = 0
  }

  /** `prefix` undefined: the rest of a line, without time. */
  #format(reading: Reading<Source, Notice>, length: number, final: boolean, prefix: string | undefined) {
    const { since, until, separate, grep } = this.#request
    const timestamps = prefix !== undefined && this.#request.timestamps
    const options = { prefix: grep === undefined ? (prefix ?? '') : '', timestamps, since, until, separate, final }
    const part = this.#binding.formatLog(reading.cursor.pending.subarray(0, length), options)
    if (grep === undefined) return part
    const filter = (output: Buffer) => filterLines(output, grep, prefix ?? '', timestamps ? TIME_LENGTH : 0)
    return { ...part, stdout: filter(part.stdout), stderr: filter(part.stderr) }
  }
}

/** Reads on where no whole line is at hand. */
const headOf = <Source, Notice>(reading: Reading<Source, Notice>): string | undefined => {
  if (reading.head !== undefined || !(reading.isStale || reading.cursor.pending.length > 0)) return reading.head
  reading.head = reading.cursor.headTime()
  while (reading.head === undefined && reading.isStale) {
    reading.isStale = reading.cursor.fill()
    reading.head = reading.cursor.headTime()
  }
  return reading.head
}

/** Time of what comes next, line or notice. */
const timeOf = <Source, Notice>(reading: Reading<Source, Notice>): string | undefined => {
  const line = headOf(reading)
  const notice = reading.input.notices?.[0]?.time
  if (line === undefined || notice === undefined) return line ?? notice
  return notice <= line ? notice : line
}

/** What is written now. */
export function* readLogs<Source>(
  binding: Format,
  inputs: readonly LogInput<Source>[],
  request: LogRequest,
): Generator<LogPart<Source>> {
  const merger = new Merger<Source, never>(binding, request)
  try {
    for (const input of inputs) merger.add(input, false)
    yield* merger.upTo(FOREVER, 0, true)
    yield* merger.rest()
  } finally {
    merger.close()
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
