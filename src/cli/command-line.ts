/** From words to a command and its values. Pure but for loading the command's module. Throws UsageError. */
import { type Call, commonOptions } from './command.ts'
import { globalOptions } from './global-options.ts'
import { type OptionTable, type Parsed, parse } from './grammar.ts'
import { type AnyCommand, COMMANDS, LATER, NOUNS, SHORT_FORMS } from './registry.ts'
import { didYouMean } from '../units/suggest.ts'
import { UsageError } from './usage.ts'

/** A command by name, and the words behind it. */
export interface Found {
  readonly name: string
  readonly words: readonly string[]
}

export interface Interpreted {
  readonly name: string
  readonly command: AnyCommand
  readonly call: Call<OptionTable>
}

/** Global options end at the command. `caisson compose up` and `caisson -p x compose up` mean `caisson up`. */
export const parseGlobals = (words: readonly string[]): Parsed<typeof globalOptions> => {
  const options = { interspersed: false, command: 'caisson' }
  const globals = parse(words, globalOptions, options)
  if (globals.positionals[0] !== 'compose') return globals
  const before = words.slice(0, words.length - globals.positionals.length)
  return parse([...before, ...globals.positionals.slice(1)], globalOptions, options)
}

const findInNoun = (noun: string, [verb, ...rest]: readonly string[]): Found => {
  const known = Object.keys(COMMANDS).flatMap((name) =>
    name.startsWith(`${noun} `) ? [name.slice(noun.length + 1)] : [],
  )
  if (verb === undefined || verb.startsWith('-')) throw new UsageError(`${noun} needs a command: ${known.join(', ')}`)
  if (COMMANDS[`${noun} ${verb}`] !== undefined) return { name: `${noun} ${verb}`, words: rest }
  throw new UsageError(`unknown command ${noun} ${verb}`, didYouMean(verb, known) ?? `known: ${known.join(', ')}`)
}

export const findCommand = ([verb = '', ...rest]: readonly string[]): Found => {
  if (Object.hasOwn(COMMANDS, verb)) return { name: verb, words: rest }
  const long = Object.hasOwn(SHORT_FORMS, verb) ? SHORT_FORMS[verb] : undefined
  if (long !== undefined) return { name: long, words: rest }
  if (NOUNS.has(verb)) return findInNoun(verb, rest)
  if (LATER.has(verb)) throw new UsageError(`the command ${verb} is not supported yet`)
  throw new UsageError(`unknown command ${verb}`, didYouMean(verb, Object.keys(COMMANDS)) ?? 'see: caisson --help')
}

const checkArity = (name: string, command: AnyCommand, count: number): void => {
  const [least, most] = command.arity ?? [0, Number.POSITIVE_INFINITY]
  if (count >= least && count <= most) return
  throw new UsageError(
    `${name} takes ${count < least ? 'more' : 'fewer'} arguments`,
    `usage: caisson ${name} ${command.usage}`,
  )
}

export const interpret = async ({ name, words }: Found): Promise<Interpreted> => {
  const command = await COMMANDS[name]?.load()
  if (command === undefined) throw new UsageError(`unknown command ${name}`)
  const table: OptionTable = { ...command.options, ...commonOptions }
  const parsed = parse(words, table, {
    interspersed: command.interspersed ?? true,
    command: name,
    globals: globalOptions,
  })
  const call = parsed as unknown as Call<OptionTable>
  if (!call.values.help) checkArity(name, command, call.positionals.length)
  return { name, command, call }
}
