/** An output descriptor that is written in order and without holding up this process while its reader takes its time. */
import { write } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Beyond this, whoever fills it has to wait. */
const FULL_BYTES = 1 << 20
/** Between tries on a descriptor that somebody else has made non-blocking. */
const RETRY_MS = 5

const isFor = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code

export interface SinkEvents {
  readonly onFull: () => void
  readonly onDrained: () => void
  /** Nobody reads any more; what comes is dropped. */
  readonly onBroken: () => void
}

export class Sink {
  readonly #fd: number
  readonly #events: SinkEvents
  readonly #queue: Buffer[] = []
  #queued = 0
  #isBroken = false
  #writing: Promise<void> | undefined

  constructor(fd: number, events: SinkEvents) {
    this.#fd = fd
    this.#events = events
  }

  write(data: Buffer): void {
    if (this.#isBroken) return
    this.#queue.push(data)
    const before = this.#queued
    this.#queued += data.length
    if (before < FULL_BYTES && this.#queued >= FULL_BYTES) this.#events.onFull()
    this.#writing ??= this.#empty()
  }

  /** Everything so far is written, or nobody wants it. */
  async flush(): Promise<void> {
    await this.#writing
  }

  async #empty(): Promise<void> {
    while (this.#queue.length > 0) {
      const data = this.#queue.length === 1 ? (this.#queue[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#queue)
      this.#queue.length = 0
      await this.#put(data)
      const before = this.#queued
      this.#queued -= data.length
      if (before >= FULL_BYTES && this.#queued < FULL_BYTES) this.#events.onDrained()
    }
    this.#writing = undefined
  }

  async #put(data: Buffer): Promise<void> {
    for (let at = 0; at < data.length && !this.#isBroken; ) {
      try {
        at += await this.#writeOnce(data, at)
      } catch (error) {
        if (isFor(error, 'EAGAIN')) await sleep(RETRY_MS)
        else this.#break()
      }
    }
  }

  #writeOnce(data: Buffer, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#fd, data, at, data.length - at, null, (error, count) => (error ? reject(error) : resolve(count)))
    })
  }

  #break(): void {
    this.#isBroken = true
    this.#events.onBroken()
  }
}
