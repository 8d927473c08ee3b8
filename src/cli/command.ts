/** What a command is: a row of the grammar and a function. One file for each under commands/. */
import type { Context } from './context.ts'
import { flag, type OptionTable, type Values } from './grammar.ts'

/** Every command has these. */
export const commonOptions = {
  dryRun: flag('Show what would change, and why; change nothing'),
  help: flag('Show this help', 'h'),
}

export type CommonValues = Values<typeof commonOptions>

export interface Command<Table extends OptionTable = OptionTable> {
  /** Positional arguments as help shows them: `SERVICE COMMAND [ARGS…]`. */
  readonly usage: string
  readonly summary: string
  readonly options: Table
  /** false: options end at the first word that is none, so that those of the user's own command are left alone. */
  readonly interspersed?: false
  /** Further paragraphs of help. */
  readonly details?: string
  readonly examples?: readonly string[]
  /** Least and most number of positional arguments. */
  readonly arity?: readonly [least: number, most: number]
  /** Returns the exit code. */
  readonly run: (context: Context, call: Call<Table>) => Promise<number> | number
}

export interface Call<Table extends OptionTable> {
  readonly values: Values<Table> & CommonValues
  readonly positionals: readonly string[]
  readonly given: ReadonlySet<string>
}

export const defineCommand = <Table extends OptionTable>(command: Command<Table>): Command<Table> => command
