/** Follows logs as they are written: what several containers write comes in the order of time, as far as 50 ms can tell. */
import { type FSWatcher, watch } from 'node:fs'
import type { NativeBinding } from '../native/binding.ts'
import { FOREVER, type LogInput, type LogPart, type LogRequest, Merger } from './read.ts'
import { logTime } from './time.ts'

export interface Follow<Source, Notice> {
  /** Inputs that have come since the last call. */
  readonly arrivals: () => readonly LogInput<Source, Notice>[]
  /** Nothing more comes: no line, no notice, no input. */
  readonly isOver: () => boolean
  /** Is given what to call when there is news of an input. */
  readonly onNews: (wake: () => void) => void
  readonly signal: AbortSignal | undefined
}

/** A line that is younger is held back: another container may have written an earlier one that is not in its file yet. */
const WINDOW_MS = 50
/** The monitor itself waits 200 ms before it writes a line without its end. */
const IDLE_MS = 100
/** How often all files are looked at where no notice comes; notices only make it faster. */
const POLL_MS = 250
const BLIND_POLL_MS = 50
/** Longest time without a look at signals and sockets. */
const BREATH_MS = 10

type Watched<Source, Notice> = Merger<Source, Notice>['readings'][number]

/** Sleeps until a file changes, somebody wakes it, or the time is over. */
class Sleeper<Source, Notice> {
  readonly #watchers: FSWatcher[] = []
  #blind: Watched<Source, Notice>[] = []
  #wake: () => void = () => {}
  #isAwake = false

  get pollMs(): number {
    return this.#blind.length === 0 ? POLL_MS : BLIND_POLL_MS
  }

  watch(reading: Watched<Source, Notice>): void {
    if (reading.input.directory === undefined) return
    try {
      const watcher = watch(reading.input.directory, { persistent: false }, () => {
        reading.isStale = true
        this.wake()
      })
      this.#watchers.push(watcher.on('error', () => {}))
    } catch {
      this.#blind.push(reading) // no inotify left, or no directory yet
    }
  }

  retry(): void {
    for (const reading of this.#blind.splice(0)) this.watch(reading)
  }

  wake(): void {
    this.#isAwake = true
    this.#wake()
  }

  async sleep(milliseconds: number): Promise<void> {
    if (!this.#isAwake) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = () => {}
    }
    this.#isAwake = false
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close()
  }
}

const breathe = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Hands parts on, with a look at everything else now and then. */
async function* gently<Part>(parts: Iterable<Part>, signal: AbortSignal | undefined): AsyncGenerator<Part> {
  let last = Date.now()
  for (const part of parts) {
    yield part
    if (signal?.aborted) return
    if (Date.now() - last < BREATH_MS) continue
    await breathe()
    last = Date.now()
  }
}

/** How long nothing is due. */
const pauseOf = <Source, Notice>({ readings }: Merger<Source, Notice>, pollMs: number): number => {
  if (readings.some(({ head, input, cutSince }) => (head !== undefined && cutSince === 0) || input.notices?.length))
    return WINDOW_MS / 2
  if (readings.some(({ cutSince }) => cutSince > 0)) return IDLE_MS / 2
  return pollMs
}

/** Ends when `follow` says so and all is given out, or its signal fires. */
export async function* followLogs<Source, Notice>(
  binding: Pick<NativeBinding, 'formatLog'>,
  request: LogRequest,
  follow: Follow<Source, Notice>,
): AsyncGenerator<LogPart<Source, Notice>> {
  const merger = new Merger<Source, Notice>(binding, request)
  const sleeper = new Sleeper<Source, Notice>()
  const { signal } = follow
  follow.onNews(() => sleeper.wake())
  signal?.addEventListener('abort', () => sleeper.wake(), { once: true })
  const { readings } = merger
  let lastLook = 0
  try {
    for (let round = 0; !signal?.aborted; round += 1) {
      const isLast = follow.isOver() // before the last look at the logs
      for (const input of follow.arrivals()) {
        sleeper.watch(merger.add(input, round > 0))
      }
      const now = Date.now()
      if (isLast || now - lastLook >= sleeper.pollMs) {
        sleeper.retry()
        for (const reading of readings) reading.isStale = reading.input.directory !== undefined
        lastLook = now
      }
      const horizon = isLast ? FOREVER : logTime(readings.length < 2 ? now + WINDOW_MS : now - WINDOW_MS)
      yield* gently(merger.upTo(horizon, now), signal)
      if (isLast) break
      yield* merger.showCut(now, IDLE_MS)
      await sleeper.sleep(pauseOf(merger, sleeper.pollMs))
    }
    if (!signal?.aborted) yield* merger.rest()
  } finally {
    sleeper.close()
    merger.close()
  }
}
