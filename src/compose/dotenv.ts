/**
 * The dialect of `.env` and `env_file`: `K=V`, `K: V`, `export K=V`, `K` alone (taken from elsewhere), comments, single quotes
 * (literal), double quotes (escapes, variables), values over several lines.
 */
import { substitute } from './template.ts'

export interface DotenvMistake {
  /** From 1. */
  readonly line: number
  readonly message: string
  readonly hint: string | undefined
  /** Offsets into the text. */
  readonly start: number
  readonly end: number
}

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
  readonly start: number
  readonly end: number
}

export interface DotenvResult {
  readonly variables: ReadonlyMap<string, string>
  readonly places: ReadonlyMap<string, DotenvPlace>
  /** Reading stops at the first one. */
  readonly mistake: DotenvMistake | undefined
  readonly unset: readonly UnsetVariable[]
}

type Lookup = (name: string) => string | undefined

const BYTE_ORDER_MARK = '\ufeff'
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

interface Words {
  readonly message: string
  readonly hint?: string
}

const mistakeAt = (text: string, { message, hint }: Words, start: number, end: number): DotenvMistake => ({
  line: text.slice(0, start).split('\n').length,
  ...{ message, hint, start, end },
})

const spaced = (name: string): Words => ({
  message: `The name "${name}" contains a space`,
  hint: `write ${name.trim().replaceAll(/\s+/g, '_')}=VALUE`,
})

class DotenvReader {
  readonly variables = new Map<string, string>()
  readonly places = new Map<string, DotenvPlace>()
  readonly unset: UnsetVariable[] = []
  mistake: DotenvMistake | undefined
  readonly #text: string
  readonly #lookup: Lookup
  #used = new Set<string>()
  #offset: number

  constructor(text: string, lookup: Lookup, known: ReadonlyMap<string, string>) {
    this.#text = text
    this.#offset = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0
    this.#lookup = (name) => lookup(name) ?? this.variables.get(name) ?? known.get(name)
  }

  read(): void {
    while (this.mistake === undefined && this.#skipToStatement()) this.#statement()
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

  #fail(words: Words, start: number, end = this.#lineEnd()): void {
    this.mistake = mistakeAt(this.#text, words, start, end)
  }

  #statement(): void {
    const start = this.#offset
    const line = this.#text.slice(start, this.#lineEnd())
    const prefix = /^export\s+/.exec(line)
    if (prefix) this.#offset += prefix[0].length
    KEY.lastIndex = this.#offset
    const key = KEY.exec(this.#text)?.[0] ?? ''
    const after = this.#offset + key.length
    const separator = this.#text[after]
    if (separator !== undefined && separator !== '=' && separator !== ':' && separator !== '\n') {
      const hint = 'names consist of letters, digits and "_": write NAME=VALUE'
      this.#fail({ message: `"${separator}" cannot stand in the name of a variable`, hint }, after, after + 1)
      return
    }
    const name = key.trim()
    const nameStart = this.#offset + key.indexOf(name)
    if (/\s/.test(name)) {
      this.#fail(spaced(name), this.#offset, this.#offset + key.trimEnd().length)
      return
    }
    this.#offset = Math.min(after + 1, this.#text.length)
    this.#used = new Set()
    if (separator === '=' || separator === ':') this.#assign(name)
    else this.#inherit(name)
    this.places.set(name, { start: nameStart, end: nameStart + name.length, used: [...this.#used] })
  }

  #inherit(name: string): void {
    const value = this.#lookup(name)
    this.#used.add(name)
    if (value !== undefined) this.variables.set(name, value)
  }

  #assign(name: string): void {
    while (BLANK.test(this.#text[this.#offset] ?? '')) this.#offset++
    const quote = this.#text[this.#offset]
    const value = quote === '"' || quote === "'" ? this.#quoted(quote) : this.#unquoted()
    if (value !== undefined) this.variables.set(name, value)
  }

  #unquoted(): string | undefined {
    const start = this.#offset
    const end = this.#lineEnd()
    this.#offset = Math.min(end + 1, this.#text.length)
    const raw = this.#text.slice(start, end).split(' #', 1)[0] ?? ''
    return this.#expand(raw.trimEnd(), start)
  }

  #quoted(quote: string): string | undefined {
    const start = this.#offset
    let value = ''
    for (let index = start + 1; index < this.#text.length; index++) {
      const character = this.#text[index] ?? ''
      if (character === quote) {
        this.#offset = index + 1
        // Lines end as in the file where it is read, not as on the machine where it was written.
        const lines = value.replaceAll('\r\n', '\n')
        return quote === '"' ? this.#expand(replaceEscapes(lines), start) : lines
      }
      const escaped = character === '\\' ? this.#text[index + 1] : undefined
      if (escaped === quote) value += quote
      else value += character + (escaped ?? '')
      if (escaped !== undefined) index++
    }
    const hint = `write ${quote} at the end of the value`
    this.#fail({ message: `The closing ${quote} is missing`, hint }, start)
    return undefined
  }

  /** Of a part of the value that starts at `start`: escapes before it may have made it wider than it reads. */
  #place(part: string, start: number): { start: number; end: number } {
    const found = this.#text.indexOf(part, start)
    return found < 0 ? { start, end: start + 1 } : { start: found, end: found + part.length }
  }

  #expand(text: string, start: number): string | undefined {
    if (!text.includes('$')) return text
    let message: string | undefined
    const value = substitute(text, {
      lookup: this.#lookup,
      used: (name) => this.#used.add(name),
      unset: (name, from, to) => this.unset.push({ name, ...this.#place(text.slice(from, to), start) }),
      required: (name, reason) => {
        message ??= `The variable ${name} needs a value${reason ? `: ${reason}` : ''}`
      },
      invalid: (from, to) => {
        message ??= `"${text.slice(from, to)}" is not a variable; write $$ for a dollar sign, or single quotes around the value`
      },
    })
    if (message === undefined) return value
    this.#fail({ message }, start, start + text.length)
    return undefined
  }
}

/** `lookup` wins over the file's own earlier variables, those over `known` (of files read before). */
export const parseDotenv = (
  text: string,
  lookup: Lookup,
  known: ReadonlyMap<string, string> = new Map(),
): DotenvResult => {
  const reader = new DotenvReader(text, lookup, known)
  reader.read()
  const { variables, places, mistake, unset } = reader
  return { variables, places, mistake, unset }
}

/** `format: raw`: every line is taken as it stands after the first `=`. */
export const parseRawEnvironment = (text: string, lookup: Lookup): DotenvResult => {
  const variables = new Map<string, string>()
  const places = new Map<string, DotenvPlace>()
  let start = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0
  for (const whole of text.slice(start).split('\n')) {
    const line = whole.replace(/\r$/, '').trimStart()
    const end = start + whole.length
    start = end + 1
    if (line === '' || line.startsWith('#')) continue
    const cut = line.indexOf('=')
    const name = cut < 0 ? line : line.slice(0, cut)
    const nameStart = end - whole.trimStart().length
    if (name === '' || /\s/.test(name)) {
      const words = name === '' ? { message: 'The name before = is missing' } : spaced(name)
      return { variables, places, mistake: mistakeAt(text, words, nameStart, end), unset: [] }
    }
    const value = cut < 0 ? lookup(name) : line.slice(cut + 1)
    if (value === undefined) continue
    variables.set(name, value)
    places.set(name, { start: nameStart, end: nameStart + name.length, used: cut < 0 ? [name] : [] })
  }
  return { variables, places, mistake: undefined, unset: [] }
}
