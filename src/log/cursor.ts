/**
 * Reads the numbered segments of one container's log in order. A segment that was rotated away while it was read is read to
 * its end; one that was rotated away before leaves a line that says so.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'

const CHUNK = 256 * 1024
const NEWLINE = 10
/** `2026-11-20T20:00:00.123456789Z` */
const TIME_LENGTH = 30
/** Of the tag in `<time> <stdout|stderr> <F|P> …`. */
const TAG_AT = TIME_LENGTH + ' stdout '.length
/** First letter in which stdout and stderr differ. */
const STREAM_AT = TIME_LENGTH + ' std'.length
const PARTIAL = 'P'.charCodeAt(0)

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT'

/** Numbers of the segments, ascending. */
export const segmentsOf = (directory: string): readonly number[] => {
  try {
    return readdirSync(directory)
      .filter((name) => /^[1-9][0-9]*$/.test(name))
      .map(Number)
      .sort((a, b) => a - b)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

const openSegment = (directory: string, segment: number): number | undefined => {
  try {
    return openSync(`${directory}/${segment}`, 'r')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

const firstTime = (directory: string, segment: number): string => {
  const fd = openSegment(directory, segment)
  if (fd === undefined) return ''
  try {
    const time = Buffer.alloc(TIME_LENGTH)
    return time.toString('latin1', 0, readSync(fd, time, 0, TIME_LENGTH, 0))
  } finally {
    closeSync(fd)
  }
}

export interface Range {
  /** RFC 3339 bounds; empty = none. */
  readonly since: string
  readonly until: string
  /** Last lines wanted; undefined: all. */
  readonly tail: number | undefined
  /** Which lines `tail` counts, by their content; undefined: all. Of a line in parts the last one is looked at. */
  readonly matches?: ((content: Buffer) => boolean) | undefined
}

export interface Position {
  readonly segment: number
  readonly offset: number
}

/**
 * A line that `tail` counts. Lines come from the end: a part whose stream has something behind it (`ended`, by the letter
 * that tells stdout and stderr apart) belongs to what is behind it; one that has not is a line without its end.
 */
const counts = (line: Buffer, { until, matches }: Range, ended: Set<number>): boolean => {
  if (until !== '' && line.toString('latin1', 0, TIME_LENGTH) > until) return false
  const stream = line[STREAM_AT] ?? 0
  const isPart = line[TAG_AT] === PARTIAL && ended.has(stream)
  ended.add(stream)
  return !isPart && (matches?.(line.subarray(TAG_AT + 2)) ?? true)
}

/**
 * Offset of the start of the last `wanted` whole lines of a segment, counting those up to `until`; and how many it has.
 * A line in parts (P … F) counts once.
 */
const tailOf = (
  fd: number,
  wanted: number,
  range: Range,
  ended: Set<number>,
): { readonly offset: number; readonly lines: number } => {
  let end = fstatSync(fd).size
  let rest = Buffer.alloc(0) // start of the line that the previous chunk began in
  let lines = 0
  while (end > 0) {
    const start = Math.max(0, end - CHUNK)
    const chunk = Buffer.allocUnsafe(end - start)
    readSync(fd, chunk, 0, chunk.length, start)
    const text = Buffer.concat([chunk, rest])
    let lineEnd = text.lastIndexOf(NEWLINE)
    while (lineEnd > 0) {
      const before = text.lastIndexOf(NEWLINE, lineEnd - 1)
      if (before === -1 && start > 0) break
      const lineStart = before + 1
      if (counts(text.subarray(lineStart, lineEnd), range, ended)) {
        if (lines === wanted) return { offset: start + lineEnd + 1, lines }
        lines += 1
      }
      lineEnd = before
    }
    rest = lineEnd <= 0 ? Buffer.alloc(0) : text.subarray(0, lineEnd + 1)
    end = start
  }
  return { offset: 0, lines }
}

/** Where reading starts: whole segments before `since` and before the tail are never read. */
export const startOf = (directory: string, range: Range): Position => {
  const { since, tail } = range
  const segments = segmentsOf(directory)
  let first = 0
  while (since !== '' && first + 1 < segments.length && firstTime(directory, segments[first + 1] ?? 0) < since)
    first += 1
  if (tail !== undefined) {
    const ended = new Set<number>()
    let wanted = tail
    for (const segment of segments.slice(first).reverse()) {
      const fd = openSegment(directory, segment)
      if (fd === undefined) break
      try {
        const { offset, lines } = tailOf(fd, wanted, range, ended)
        if (offset > 0) return { segment, offset }
        wanted -= lines
      } finally {
        closeSync(fd)
      }
    }
  }
  return { segment: segments[first] ?? 1, offset: 0 }
}

/** Bytes of a log from a position on, in chunks. `pending` is what was read and not yet taken. */
export class Cursor {
  pending: Buffer = Buffer.alloc(0)
  private readonly directory: string
  private segment: number
  private offset: number
  private fd: number | undefined

  constructor(directory: string, { segment, offset }: Position) {
    this.directory = directory
    this.segment = segment
    this.offset = offset
  }

  /** Appends up to 256 KiB to `pending`; false: there is nothing more now. */
  fill(): boolean {
    for (;;) {
      this.fd ??= openSegment(this.directory, this.segment)
      const hasNext = segmentsOf(this.directory).some((segment) => segment > this.segment)
      // After the look for a next one: only then is the end of this one its end for ever.
      if (this.read()) return true
      if (!hasNext) return false
      this.advance()
    }
  }

  take(length: number): void {
    this.pending = this.pending.subarray(length)
  }

  /** Time of the first line; undefined: there is no whole line. */
  headTime(): string | undefined {
    return this.pending.includes(NEWLINE) ? this.pending.toString('latin1', 0, TIME_LENGTH) : undefined
  }

  /** Stream of the first line, ` stdout ` or ` stderr `; there must be one. */
  headStream(): string {
    return this.pending.toString('latin1', TIME_LENGTH, TIME_LENGTH + ' stdout '.length)
  }

  /** Length of the first line; 0: there is no whole line. */
  headLength(): number {
    return this.pending.indexOf(NEWLINE) + 1
  }

  /** Length of the whole lines at the front that are no later than `limit`; at least one line where there is one. */
  runUntil(limit: string): number {
    const whole = this.pending.lastIndexOf(NEWLINE) + 1
    let end = this.pending.indexOf(NEWLINE) + 1
    const lastLine = whole < 2 ? 0 : this.pending.lastIndexOf(NEWLINE, whole - 2) + 1
    if (this.timeAt(lastLine) <= limit) return whole
    while (end < whole && this.timeAt(end) <= limit) end = this.pending.indexOf(NEWLINE, end) + 1
    return end
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd)
    this.fd = undefined
  }

  private timeAt(index: number): string {
    return this.pending.toString('latin1', index, index + TIME_LENGTH)
  }

  private read(): boolean {
    if (this.fd === undefined) return false
    const rest = this.pending.length
    // Behind what is left of the last chunk, mostly a piece of a line: what was read is not copied again.
    const chunk = Buffer.allocUnsafe(rest + CHUNK)
    const size = readSync(this.fd, chunk, rest, CHUNK, this.offset)
    if (size === 0) return false
    this.offset += size
    this.pending.copy(chunk)
    this.pending = chunk.subarray(0, rest + size)
    return true
  }

  private advance(): void {
    this.close()
    const next = segmentsOf(this.directory).find((segment) => segment > this.segment)
    if (next === undefined) return
    if (next > this.segment + 1) {
      const gap = `${firstTime(this.directory, next)} stderr F caisson: lines are missing: segments ${this.segment + 1} to ${next - 1} were rotated away\n`
      this.pending = Buffer.concat([this.pending, Buffer.from(gap)])
    }
    this.segment = next
    this.offset = 0
  }
}
