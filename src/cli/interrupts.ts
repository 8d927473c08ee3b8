/** What asks an attached command to end: Ctrl-C, SIGTERM, a terminal or a reader of its output that has gone. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export class Interrupts {
  count = 0
  /** Fires with the first one. */
  readonly signal: AbortSignal
  readonly #abort = new AbortController()
  readonly #onInterrupt: (count: number) => void
  readonly #handle = (): void => this.raise()
  /** Nobody reads any more: that is said once, and again by each write. */
  readonly #broken = (): void => {
    if (this.count === 0) this.raise()
  }

  /** Called for each, counted from 1. */
  constructor(onInterrupt: (count: number) => void) {
    this.#onInterrupt = onInterrupt
    this.signal = this.#abort.signal
  }

  raise(): void {
    this.count++
    this.#abort.abort()
    this.#onInterrupt(this.count)
  }

  listen(): void {
    for (const signal of SIGNALS) process.on(signal, this.#handle)
    for (const stream of [process.stdout, process.stderr]) stream.on('error', this.#broken)
  }

  /** Streams stay listened to: the last writes may fail yet. */
  ignore(): void {
    for (const signal of SIGNALS) process.off(signal, this.#handle)
  }
}
