/**
 * The dialect of `.env` and `env_file`: `K=V`, `K: V`, `export K=V`, `K` alone (taken from elsewhere), comments, single quotes
 * (literal), double quotes (escapes, variables), values over several lines.
 */
import { type DotenvMistake, mistakeAt, NAME_HINT, namesOf, noVariable, spaced, type Words } from './dotenv-mistakes.ts'
import { substitute, type TemplateContext } from './template.ts'

/** Where a variable has its value from. */
export interface DotenvPlace {
  /** Offsets of its name in the text. */
  readonly start: number
  readonly end: number
  /** Other variables that the value was made of. */
  readonly used: readonly string[]
}

/** A name that was used in a value and has none. Offsets into the text. */
export interface UnsetVariable {
  readonly name: string
  /** Of the variable whose value it is. */
  readonly user: string
  /** Without braces, the name may be a part of a password that has a dollar sign. */
  readonly braced: boolean
  readonly start: number
  readonly end: number
}

export interface DotenvResult {
  readonly variables: ReadonlyMap<string, string>
  readonly places: ReadonlyMap<string, DotenvPlace>
  /** In the order of the file. Neither they nor their places quote a value. */
  readonly mistakes: readonly DotenvMistake[]
  /** Names that wrong lines were to give a value: that they have none was said thereby. */
  readonly wrong: ReadonlySet<string>
  readonly unset: readonly UnsetVariable[]
}

export type Lookup = (name: string) => string | undefined

export const BYTE_ORDER_MARK = '\ufeff'
const BLANK = /[\t\v\f\r \u0085\u00a0]/
const KEY = /(?:[\p{L}\p{N}_.[\]-]|[\t\v\f\r \u0085\u00a0])*/uy
const ESCAPE = /\\(?:([abcfnrtv"\\])|(\$)|0(\d{0,3}))/g
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '"': '"',
  '\\': '\\',
}

/** `\$` becomes `$$`, which the substitution turns into a dollar sign. */
const replaceEscapes = (text: string): string =>
  text.replaceAll(
    ESCAPE,
    (match, letter: string | undefined, dollar: string | undefined, octal: string | undefined) => {
      if (dollar) return '$$'
      if (letter !== undefined) return ESCAPES[letter] ?? match
      return octal?.length === 3 && Number.parseInt(octal, 8) < 256 && /^[0-7]+$/.test(octal)
        ? String.fromCharCode(Number.parseInt(octal, 8))
        : match
    },
  )

/** A line that is no part of a value of several lines whose end is missing. */
const ASSIGNMENT = /^[\t ]*(?:export[\t ]+)?[A-Za-z_]\w*[\t ]*=[\t ]*[^\s=]/gm

class DotenvReader {
  readonly variables = new Map<string, string>()
  readonly places = new Map<string, DotenvPlace>()
  readonly unset: UnsetVariable[] = []
  readonly mistakes: DotenvMistake[] = []
  readonly wrong = new Set<string>()
  readonly #text: string
  readonly #lookup: Lookup
  readonly #known: KnownVariables
  #used = new Set<string>()
  #offset: number
  /** The last value of several lines. */
  #long: { readonly name: string; readonly start: number; readonly end: number } | undefined

  constructor(text: string, lookup: Lookup, known: KnownVariables) {
    this.#text = text
    this.#offset = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0
    this.#known = known
    this.#lookup = (name) => lookup(name) ?? this.variables.get(name) ?? known.values?.get(name)
  }

  read(): void {
    while (this.#skipToStatement()) this.#statement()
  }

  #skipToStatement(): boolean {
    for (;;) {
      while (this.#offset < this.#text.length && /\s|\u0085/.test(this.#text[this.#offset] ?? '')) this.#offset++
      if (this.#offset >= this.#text.length) return false
      if (this.#text[this.#offset] !== '#') return true
      this.#offset = this.#lineEnd()
    }
  }

  #lineEnd(): number {
    const end = this.#text.indexOf('\n', this.#offset)
    return end < 0 ? this.#text.length : end
  }

  #fail(words: Words, start: number, end: number): void {
    this.mistakes.push(mistakeAt(this.#text, words, start, end))
  }

  /** The line is no assignment: it goes on with the next one. */
  #failLine(words: Words, start: number, end: number): void {
    this.#fail({ ...words, ...this.#endedEarly() }, start, end)
    for (const name of namesOf(this.#text.slice(this.#offset, this.#lineEnd()))) this.wrong.add(name)
    this.#offset = this.#lineEnd()
  }

  /** A quote that is missing ends its value at the next one, lines below. */
  #endedEarly(): { readonly hint?: string } {
    const { name, start, end } = this.#long ?? { name: '', start: 0, end: -1 }
    if (end < 0 || this.#text.slice(end, this.#offset).includes('\n')) return {}
    const line = this.#text.slice(0, start).split('\n').length
    const swallowed = this.#text.slice(start, end).match(ASSIGNMENT) ?? []
    for (const each of [name, ...swallowed.flatMap(namesOf)]) this.wrong.add(each)
    this.variables.delete(name)
    return {
      hint: `the value of ${name}, which begins in line ${line}, ends here: its own closing quote may be missing`,
    }
  }

  #statement(): void {
    const prefix = /^export\s+/.exec(this.#text.slice(this.#offset, this.#lineEnd()))
    if (prefix) this.#offset += prefix[0].length
    KEY.lastIndex = this.#offset
    const key = KEY.exec(this.#text)?.[0] ?? ''
    const after = this.#offset + key.length
    const separator = this.#text.codePointAt(after)
    const character = separator === undefined ? '\n' : String.fromCodePoint(separator)
    const name = key.trim()
    const nameStart = this.#offset + key.indexOf(name)
    if (!['=', ':', '\n'].includes(character)) {
      const message = `"${character}" cannot stand in the name of a variable`
      this.#failLine({ message, hint: NAME_HINT }, after, after + character.length)
      return
    }
    if (/\s/.test(name)) {
      const { words, start, end } = spaced(name, character === '=')
      this.#failLine(words, nameStart + start, nameStart + end)
      return
    }
    this.#offset = Math.min(after + 1, this.#text.length)
    this.#used = new Set()
    if (character === '\n') this.#inherit(name)
    else this.#assign(name, nameStart)
    this.places.set(name, { start: nameStart, end: nameStart + name.length, used: [...this.#used] })
  }

  #inherit(name: string): void {
    const value = this.#lookup(name)
    this.#used.add(name)
    if (value !== undefined) this.variables.set(name, value)
  }

  #assign(name: string, nameStart: number): void {
    while (BLANK.test(this.#text[this.#offset] ?? '')) this.#offset++
    const quote = this.#text[this.#offset]
    const value = quote === '"' || quote === "'" ? this.#quoted(quote, name, nameStart) : this.#unquoted(name)
    if (value === undefined) this.wrong.add(name)
    else this.variables.set(name, value)
  }

  #unquoted(name: string): string | undefined {
    const start = this.#offset
    const end = this.#lineEnd()
    this.#offset = Math.min(end + 1, this.#text.length)
    const raw = this.#text.slice(start, end).split(' #', 1)[0] ?? ''
    return this.#expand(raw.trimEnd(), name, start)
  }

  #quoted(quote: string, name: string, nameStart: number): string | undefined {
    const start = this.#offset
    let value = ''
    for (let index = start + 1; index < this.#text.length; index++) {
      const character = this.#text[index] ?? ''
      if (character === quote) {
        this.#offset = index + 1
        if (value.includes('\n')) this.#long = { name, start, end: this.#offset }
        // Lines end as in the file where it is read, not as on the machine where it was written.
        const lines = value.replaceAll('\r\n', '\n')
        return quote === '"' ? this.#expand(replaceEscapes(lines), name, start) : lines
      }
      const escaped = character === '\\' ? this.#text[index + 1] : undefined
      if (escaped === quote) value += quote
      else value += character + (escaped ?? '')
      if (escaped !== undefined) index++
    }
    const hint = `write ${quote} at the end of the value`
    this.#fail({ message: `The closing ${quote} of ${name} is missing`, hint }, nameStart, start + 1)
    this.#skipToAssignment()
    return undefined
  }

  /** The lines up to there may be those of the value. */
  #skipToAssignment(): void {
    ASSIGNMENT.lastIndex = this.#lineEnd()
    this.#offset = ASSIGNMENT.exec(this.#text)?.index ?? this.#text.length
  }

  /** Of a part of the value that starts at `start`: escapes before it may have made it wider than it reads. */
  #place(part: string, start: number, width: number): { start: number; end: number } {
    const found = this.#text.indexOf(part, start)
    return found < 0 ? { start, end: start + 1 } : { start: found, end: found + width }
  }

  /** A wrong line was to give it a value. */
  #isWrong(name: string): boolean {
    return this.wrong.has(name) || this.#known.wrong?.has(name) === true
  }

  /** The value of the variable `user`, which starts at `start`; undefined: something in it is wrong. */
  #expand(text: string, user: string, start: number): string | undefined {
    if (!text.includes('$')) return text
    const usable = { is: true }
    const value = substitute(text, this.#template(text, { user, start, usable }))
    return usable.is ? value : undefined
  }

  #template(text: string, { user, start, usable }: Value): TemplateContext {
    const fail = (words: Words, from: number, to: number, width: number): void => {
      const place = this.#place(text.slice(from, to), start, width)
      usable.is = false
      this.#fail(words, place.start, place.end)
    }
    return {
      lookup: this.#lookup,
      used: (name) => this.#used.add(name),
      unset: (name, from, to) => {
        const braced = text.startsWith('${', from)
        const place = this.#place(text.slice(from, to), start, braced ? name.length + 2 : 1)
        if (this.#isWrong(name)) usable.is = false
        else this.unset.push({ name, user, braced, ...place })
      },
      required: (name, reason, from, to) => {
        const message = `The variable ${name} needs a value${reason ? `: ${reason}` : ''}`
        if (this.#isWrong(name)) usable.is = false
        else fail({ message }, from, to, name.length + 2)
      },
      invalid: (from, to) => fail(noVariable(user), from, to, 2),
    }
  }
}

/** A value that is being read. */
interface Value {
  /** The variable that gets it. */
  readonly user: string
  readonly start: number
  /** Told by whoever finds something wrong in it. */
  readonly usable: { is: boolean }
}

/** What files before this one have said. */
export interface KnownVariables {
  readonly values?: ReadonlyMap<string, string>
  /** Names that wrong lines of theirs were to give a value. */
  readonly wrong?: ReadonlySet<string>
}

/** `lookup` wins over the file's own earlier variables, those over what is known. */
export const parseDotenv = (text: string, lookup: Lookup, known: KnownVariables = {}): DotenvResult => {
  const reader = new DotenvReader(text, lookup, known)
  reader.read()
  const { variables, places, mistakes, wrong, unset } = reader
  return { variables, places, mistakes, wrong, unset }
}
