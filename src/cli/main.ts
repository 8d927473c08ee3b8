/** The command line: global options, the command, its run, its exit code. */
import { type Found, findCommand, interpret, parseGlobals } from './command-line.ts'
import { type Context, createContext } from './context.ts'
import type { NoteText } from './files.ts'
import { EXIT } from './usage.ts'

const runCommand = async (context: Context, found: Found): Promise<number> => {
  const { name, command, call } = await interpret(found)
  if (call.values.help) {
    context.stdout.write((await import('./help.ts')).commandHelp(name, command))
    return EXIT.ok
  }
  const dryRun = call.values.dryRun || context.globals.dryRun
  return command.run(context, { ...call, values: { ...call.values, dryRun } })
}

const showHelp = async (context: Context, words: readonly string[], whole: boolean): Promise<number> => {
  if (words.length > 0) return runCommand(context, { ...findCommand(words), words: ['--help'] })
  const help = await import('./help.ts')
  context.stdout.write(whole ? help.fullHelp() : help.shortHelp())
  return EXIT.ok
}

const dispatch = (context: Context, words: readonly string[]): Promise<number> => {
  const { version, help } = context.globals
  if (version) return runCommand(context, { name: 'version', words: [] })
  if (words[0] === 'help') return showHelp(context, words.slice(1), true)
  if (help || words.length === 0) return showHelp(context, words, help)
  return runCommand(context, findCommand(words))
}

/**
 * Runs one command line (without node and script) and returns its exit code. Writes every error itself.
 * `noteText`: told of each text of a file that is read.
 */
export const main = async (words: readonly string[], noteText: NoteText = () => {}): Promise<number> => {
  let context: Context | undefined
  try {
    const { values, given, positionals } = parseGlobals(words)
    context = createContext(values, given, noteText)
    return await dispatch(context, positionals)
  } catch (error) {
    const { reportError } = await import('./render/error.ts')
    return reportError(context ?? createContext(parseGlobals([]).values, new Set(), noteText), error)
  }
}
