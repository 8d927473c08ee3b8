/** Text of `command` and `entrypoint` → words, quoted as in a shell but without one: no variables, no pipes. */

export interface CommandWords {
  readonly words: readonly string[]
  /** Offset of an unquoted `;`, `&`, `|`, `<` or `>`, at which the reference stops reading without a word. */
  readonly cutAt: number | undefined
}

interface Mistake {
  readonly mistake: string
}

const SPACE = /[ \t\r\n]/
const STOP = /[;&|<>]/
/** What ends each kind of quote. */
const CLOSING: Readonly<Record<string, string>> = { '"': '"', "'": "'", '`': '`', '(': ')' }

class Splitter {
  readonly #line: string
  readonly #words: string[] = []
  #word = ''
  #started = false
  #quote = ''
  #offset = 0

  constructor(line: string) {
    this.#line = line
  }

  split(): CommandWords | Mistake {
    for (; this.#offset < this.#line.length; this.#offset++) {
      const character = this.#line[this.#offset] ?? ''
      if (this.#quote === '' && STOP.test(character)) return this.#finish(this.#offset)
      if (this.#quote === '' && this.#isBareBracket(character)) return { mistake: `${character} has to be in quotes` }
      if (character === '\\' && this.#quote !== "'") {
        if (++this.#offset >= this.#line.length) return { mistake: 'it ends with a backslash' }
        this.#take(this.#line[this.#offset] ?? '')
      } else this.#step(character)
    }
    if (this.#quote !== '') return { mistake: `the closing ${CLOSING[this.#quote]} is missing` }
    return this.#finish(undefined)
  }

  #step(character: string): void {
    const { [this.#quote]: closing } = CLOSING
    if (closing === character) this.#close(character)
    else if (this.#quote === '' && this.#opens(character)) this.#open(character)
    else if (this.#quote === '' && SPACE.test(character)) this.#end()
    else this.#take(character)
  }

  #isBareBracket(character: string): boolean {
    return character === ')' || (character === '(' && !this.#word.endsWith('$'))
  }

  #opens(character: string): boolean {
    return character in CLOSING && (character !== '(' || this.#word.endsWith('$'))
  }

  /** Quotes go; what is to be run stays as it is written, in one word: nothing here runs it. */
  #open(character: string): void {
    this.#quote = character
    this.#started = true
    if (character === '`' || character === '(') this.#word += character
  }

  #close(character: string): void {
    if (this.#quote === '`' || this.#quote === '(') this.#word += character
    this.#quote = ''
  }

  #take(character: string): void {
    this.#word += character
    this.#started = true
  }

  #end(): void {
    if (this.#started) this.#words.push(this.#word)
    this.#word = ''
    this.#started = false
  }

  #finish(cutAt: number | undefined): CommandWords {
    // `2>` is one token of a redirection.
    if (cutAt !== undefined && this.#line[cutAt] === '>' && /^\d/.test(this.#word)) this.#started = false
    this.#end()
    return { words: this.#words, cutAt }
  }
}

export const splitCommand = (line: string): CommandWords | Mistake => new Splitter(line).split()
