/** The last lines of what comes in pieces. */
const NEWLINE = 0x0a
/** Of a line longer than this only the end is kept. */
const MOST_BYTES = 64 << 10

export class Tail {
  readonly #count: number
  readonly #lines: string[] = []
  #rest: Buffer = Buffer.alloc(0)

  constructor(count: number) {
    this.#count = count
  }

  add(data: Buffer): void {
    const end = data.lastIndexOf(NEWLINE) + 1
    if (end > 0) {
      const whole = Buffer.concat([this.#rest, data.subarray(0, end - 1)]).toString('utf8')
      this.#lines.push(...whole.split('\n').slice(-this.#count))
      this.#lines.splice(0, this.#lines.length - this.#count)
      this.#rest = Buffer.alloc(0)
    }
    this.#rest = Buffer.concat([this.#rest, data.subarray(end)]).subarray(-MOST_BYTES)
  }

  /** One without its end counts. */
  get lines(): readonly string[] {
    const last = this.#rest.length === 0 ? [] : [this.#rest.toString('utf8')]
    return [...this.#lines, ...last].slice(-this.#count)
  }
}
