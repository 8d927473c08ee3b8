/** The command line: global options, the command, its options, its run, its exit code. */
import { commonOptions, type Call } from './command.ts'
import { type Context, createContext } from './context.ts'
import { globalOptions } from './global-options.ts'
import { type OptionTable, parse, type Parsed } from './grammar.ts'
import { type AnyCommand, COMMANDS, LATER, NOUNS } from './registry.ts'
import { didYouMean } from './suggest.ts'
import { EXIT, UsageError } from './usage.ts'

type Globals = Parsed<typeof globalOptions>

interface Found {
  readonly name: string
  readonly words: readonly string[]
}

/** `caisson compose up` and `caisson -p x compose up` mean `caisson up`. */
const parseGlobals = (words: readonly string[]): Globals => {
  const globals = parse(words, globalOptions, { interspersed: false, command: 'caisson' })
  const [verb] = globals.positionals
  if (verb !== 'compose') return globals
  const before = words.slice(0, words.length - globals.positionals.length)
  return parse([...before, ...globals.positionals.slice(1)], globalOptions, { interspersed: false, command: 'caisson' })
}

const findCommand = ([verb = '', ...rest]: readonly string[]): Found => {
  if (COMMANDS[verb] !== undefined) return { name: verb, words: rest }
  if (NOUNS.has(verb)) return findInNoun(verb, rest)
  if (LATER.has(verb)) throw new UsageError(`the command ${verb} is not supported yet`)
  throw new UsageError(`unknown command ${verb}`, didYouMean(verb, Object.keys(COMMANDS)) ?? 'see: caisson --help')
}

const findInNoun = (noun: string, [verb, ...rest]: readonly string[]): Found => {
  const known = Object.keys(COMMANDS).flatMap((name) =>
    name.startsWith(`${noun} `) ? [name.slice(noun.length + 1)] : [],
  )
  if (verb === undefined || verb.startsWith('-')) throw new UsageError(`${noun} needs a command: ${known.join(', ')}`)
  if (COMMANDS[`${noun} ${verb}`] !== undefined) return { name: `${noun} ${verb}`, words: rest }
  throw new UsageError(`unknown command ${noun} ${verb}`, didYouMean(verb, known) ?? `known: ${known.join(', ')}`)
}

const checkArity = (name: string, command: AnyCommand, count: number): void => {
  const [least, most] = command.arity ?? [0, Number.POSITIVE_INFINITY]
  if (count >= least && count <= most) return
  throw new UsageError(
    `${name} takes ${count < least ? 'more' : 'fewer'} arguments`,
    `usage: caisson ${name} ${command.usage}`,
  )
}

const parseCall = (name: string, command: AnyCommand, words: readonly string[]): Call<OptionTable> => {
  const table: OptionTable = { ...command.options, ...commonOptions }
  const call = parse(words, table, {
    interspersed: command.interspersed ?? true,
    command: name,
    globals: globalOptions,
  })
  return call as unknown as Call<OptionTable>
}

const runCommand = async (context: Context, { name, words }: Found): Promise<number> => {
  const command = await COMMANDS[name]?.load()
  if (command === undefined) return EXIT.usage
  const call = parseCall(name, command, words)
  if (call.values.help) {
    context.stdout.write((await import('./help.ts')).commandHelp(name, command))
    return EXIT.ok
  }
  checkArity(name, command, call.positionals.length)
  const dryRun = call.values.dryRun || context.globals.dryRun
  return command.run(context, { ...call, values: { ...call.values, dryRun } })
}

const showHelp = async (context: Context, words: readonly string[]): Promise<number> => {
  const help = await import('./help.ts')
  if (words.length === 0) {
    context.stdout.write(context.globals.help ? help.fullHelp() : help.shortHelp())
    return EXIT.ok
  }
  return runCommand(context, { ...findCommand(words), words: ['--help'] })
}

const dispatch = (context: Context, words: readonly string[]): Promise<number> => {
  const [verb, ...rest] = words
  if (context.globals.version) return runCommand(context, { name: 'version', words: [] })
  if (context.globals.help || verb === undefined) return showHelp(context, words)
  if (verb === 'help') return showHelp({ ...context, globals: { ...context.globals, help: true } }, rest)
  return runCommand(context, findCommand(words))
}

/** Runs one command line (without node and script) and returns its exit code. Writes every error itself. */
export const main = async (words: readonly string[]): Promise<number> => {
  let context: Context | undefined
  try {
    const { values, given, positionals } = parseGlobals(words)
    context = createContext(values, given)
    return await dispatch(context, positionals)
  } catch (error) {
    const { reportError } = await import('./render/error.ts')
    context ??= createContext(parse([], globalOptions, { interspersed: false, command: 'caisson' }).values, new Set())
    return reportError(context, error)
  }
}
