/**
 * The grammar of options, as GNU and pflag have it: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-abc`, `--`.
 * A command is a table of options; what a table says about types, its values have.
 */
import { didYouMean } from '../units/suggest.ts'
import { UsageError } from './usage.ts'

export interface Option<T> {
  readonly short: string | undefined
  /** Placeholder of its value in help; undefined: it takes none. */
  readonly value: string | undefined
  readonly summary: string
  readonly initial: T
  /** `text` is undefined for an option without value. */
  readonly read: (text: string | undefined, previous: T, name: string) => T
  readonly hidden: boolean
  /** Known to Compose but not to this version: naming it is an error. */
  readonly refused: string | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds options of different types
export type OptionTable = Readonly<Record<string, Option<any>>>
export type Values<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer T> ? T : never
}

const TRUE = new Set(['1', 't', 'true', 'T', 'TRUE', 'True'])
const FALSE = new Set(['0', 'f', 'false', 'F', 'FALSE', 'False'])

/** A boolean as Go's strconv.ParseBool reads it; undefined: it is none. */
export const readBoolean = (text: string): boolean | undefined =>
  TRUE.has(text) ? true : FALSE.has(text) ? false : undefined

const base = { short: undefined, value: undefined, hidden: false, refused: undefined }

export const flag = (summary: string, short?: string): Option<boolean> => ({
  ...base,
  short,
  summary,
  initial: false,
  read: (text, _previous, name) => {
    const value = text === undefined ? true : readBoolean(text)
    if (value === undefined) throw new UsageError(`${name} takes true or false, not "${text}"`)
    return value
  },
})

export const text = (value: string, summary: string, short?: string): Option<string | undefined> => ({
  ...base,
  short,
  value,
  summary,
  initial: undefined,
  read: (given) => given,
})

export const list = (value: string, summary: string, short?: string): Option<readonly string[]> => ({
  ...base,
  short,
  value,
  summary,
  initial: [],
  read: (given = '', previous) => [...previous, given],
})

/** A whole number, `minimum` or more. */
export const integer = (value: string, summary: string, short?: string, minimum = 0): Option<number | undefined> => ({
  ...base,
  short,
  value,
  summary,
  initial: undefined,
  read: (given = '', _previous, name) => {
    if (!/^-?\d{1,9}$/.test(given) || Number(given) < minimum) {
      throw new UsageError(`${name} takes a whole number of at least ${minimum}, not "${given}"`)
    }
    return Number(given)
  },
})

export const choice = <const Choice extends string>(
  choices: readonly Choice[],
  initial: Choice,
  summary: string,
  short?: string,
): Option<Choice> => ({
  ...base,
  short,
  value: choices.join('|'),
  summary,
  initial,
  read: (given = '', _previous, name) => {
    const found = choices.find((each) => each === given)
    if (found === undefined)
      throw new UsageError(`${name} is one of ${choices.join(', ')}, not "${given}"`, didYouMean(given, choices))
    return found
  },
})

export const hidden = <T>(option: Option<T>): Option<T> => ({ ...option, hidden: true })

/** Known, not there yet. `reason` completes "--name is not supported yet: ". */
export const refused = <T>(option: Option<T>, reason: string): Option<T> => ({
  ...option,
  hidden: true,
  refused: reason,
})

/** Known and without effect here. */
export const accepted = <T>(option: Option<T>): Option<T> => ({ ...option, hidden: true })

export const longName = (key: string): string => `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

export interface ParseOptions {
  /** false: the first word that is no option ends them, as for `exec` and global options. */
  readonly interspersed: boolean
  /** Named in messages: `up`, or `caisson`. */
  readonly command: string
  /** Options that belong before the verb, for the hint of a misplaced one. */
  readonly globals?: OptionTable
}

export interface Parsed<Table extends OptionTable> {
  readonly values: Values<Table>
  readonly positionals: readonly string[]
  /** Keys that were given. */
  readonly given: ReadonlySet<string>
}

class Parser {
  readonly values: Record<string, unknown> = {}
  readonly positionals: string[] = []
  readonly given = new Set<string>()
  readonly #table: OptionTable
  readonly #options: ParseOptions
  readonly #words: string[]
  readonly #byLong = new Map<string, string>()
  readonly #byShort = new Map<string, string>()

  constructor(words: readonly string[], table: OptionTable, options: ParseOptions) {
    this.#words = [...words]
    this.#table = table
    this.#options = options
    for (const [key, option] of Object.entries(table)) {
      this.values[key] = option.initial
      this.#byLong.set(longName(key), key)
      if (option.short !== undefined) this.#byShort.set(option.short, key)
    }
  }

  parse(): void {
    for (let word = this.#words.shift(); word !== undefined; word = this.#words.shift()) {
      if (word === '--') this.#takeRest()
      else if (word.startsWith('--')) this.#long(word)
      else if (word.startsWith('-') && word !== '-') this.#shorts(word)
      else {
        this.positionals.push(word)
        if (!this.#options.interspersed) this.#takeRest()
      }
    }
  }

  #takeRest(): void {
    this.positionals.push(...this.#words.splice(0))
  }

  #long(word: string): void {
    const equals = word.indexOf('=')
    const name = equals < 0 ? word : word.slice(0, equals)
    const key = this.#byLong.get(name) ?? this.#unknown(name)
    this.#set(key, name, equals < 0 ? undefined : word.slice(equals + 1))
  }

  #shorts(word: string): void {
    for (let at = 1; at < word.length; at++) {
      const name = `-${word[at]}`
      const key = this.#byShort.get(word[at] ?? '') ?? this.#unknown(name)
      const rest = word.slice(at + 1)
      if (this.#table[key]?.value === undefined && !rest.startsWith('=')) {
        this.#set(key, name, undefined)
        continue
      }
      this.#set(key, name, rest === '' ? undefined : rest.replace(/^=/, ''))
      return
    }
  }

  #set(key: string, name: string, attached: string | undefined): void {
    const option = this.#table[key]
    if (option === undefined) return
    if (option.refused !== undefined) throw new UsageError(`${name} is not supported yet: ${option.refused}`)
    const value = option.value === undefined ? attached : (attached ?? this.#words.shift())
    if (option.value !== undefined && value === undefined)
      throw new UsageError(`${name} needs a value: ${name} ${option.value}`)
    this.values[key] = option.read(value, this.values[key], name)
    this.given.add(key)
  }

  #unknown(name: string): never {
    const { command, globals = {} } = this.#options
    const misplaced = Object.entries(globals).find(
      ([key, option]) => name === longName(key) || (option.short !== undefined && name === `-${option.short}`),
    )
    if (misplaced !== undefined) {
      throw new UsageError(
        `unknown flag ${name} of ${command}`,
        `${name} goes before the command: caisson ${name} … ${command}`,
      )
    }
    const known = Object.entries(this.#table).flatMap(([key, option]) => (option.hidden ? [] : [longName(key)]))
    throw new UsageError(
      `unknown flag ${name} of ${command}`,
      didYouMean(name, known) ?? `see: ${command === 'caisson' ? '' : 'caisson '}${command} --help`,
    )
  }
}

/** Throws UsageError. */
export const parse = <Table extends OptionTable>(
  words: readonly string[],
  table: Table,
  options: ParseOptions,
): Parsed<Table> => {
  const parser = new Parser(words, table, options)
  parser.parse()
  return { values: parser.values as Values<Table>, positionals: parser.positionals, given: parser.given }
}
