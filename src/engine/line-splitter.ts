/** Text that comes in pieces, by lines. */
import { StringDecoder } from 'node:string_decoder'

/** A longer line is told in pieces: nobody's memory is for one that never ends. */
const MOST_CHARACTERS = 16 << 10

export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8')
  readonly #onLine: (line: string) => void
  #rest = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  add(data: Buffer): void {
    const parts = (this.#rest + this.#decoder.write(data)).split('\n')
    this.#rest = parts.pop() ?? ''
    for (const line of parts) this.#onLine(line)
    if (this.#rest.length < MOST_CHARACTERS) return
    this.#onLine(this.#rest)
    this.#rest = ''
  }

  /** A last line without its end counts. */
  end(): void {
    const rest = this.#rest + this.#decoder.end()
    if (rest !== '') this.#onLine(rest)
    this.#rest = ''
  }
}
