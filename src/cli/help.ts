/** Help texts, written from the tables. */
import { type AnyCommand, COMMANDS } from './registry.ts'
import { commonOptions } from './command.ts'
import { globalOptions } from './global-options.ts'
import { longName, type Option, type OptionTable } from './grammar.ts'

const WIDTH = 80

const wrap = (text: string, indent: number): string => {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > WIDTH - indent) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`)
}

const optionLabel = (key: string, option: Option<unknown>): string => {
  const short = option.short === undefined ? '    ' : `-${option.short}, `
  return `  ${short}${longName(key)}${option.value === undefined ? '' : ` ${option.value}`}`
}

const formatRows = (rows: readonly (readonly [label: string, summary: string])[]): string => {
  const width = Math.min(34, Math.max(...rows.map(([label]) => label.length)))
  return rows
    .map(([label, summary]) => {
      const head = label.length > width ? `${label}\n${' '.repeat(width)}` : label.padEnd(width)
      return `${head}  ${wrap(summary, width + 2)}\n`
    })
    .join('')
}

const formatOptions = (table: OptionTable): string =>
  formatRows(
    Object.entries(table)
      .filter(([, option]) => !option.hidden)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, option]) => [optionLabel(key, option), option.summary] as const),
  )

export const commandHelp = (name: string, command: AnyCommand): string => {
  const usage = `caisson ${name} [OPTIONS]${command.usage === '' ? '' : ` ${command.usage}`}`
  const examples = (command.examples ?? []).map((line) => `  ${line}\n`).join('')
  return [
    `Usage: ${usage}\n`,
    `${wrap(command.summary, 0)}\n`,
    ...(command.details === undefined ? [] : [`${wrap(command.details, 0)}\n`]),
    `Options:\n${formatOptions({ ...command.options, ...commonOptions })}`,
    ...(examples === '' ? [] : [`Examples:\n${examples}`]),
  ].join('\n')
}

const TITLES = { Run: 'Run a project', Look: 'Look at it', Host: 'Images and this machine' } as const

const commandRows = (group: keyof typeof TITLES): string =>
  formatRows(
    Object.entries(COMMANDS)
      .filter(([, entry]) => entry.group === group)
      .map(([name, entry]) => [`  ${name}`, entry.summary] as const),
  )

const EXAMPLES = `Examples:
  caisson up -d                  start the project of this folder
  caisson logs -f web            follow the output of one service
  caisson down                   stop and remove it
`

/** Without arguments: what one needs first. */
export const shortHelp = (): string =>
  `Usage: caisson [OPTIONS] COMMAND

Runs Compose projects without Docker.

${EXAMPLES}
Commands: ${wrap(Object.keys(COMMANDS).join(', '), 0)}
All options and what commands do: caisson --help
`

export const fullHelp = (): string =>
  [
    'Usage: caisson [OPTIONS] COMMAND\n\nRuns Compose projects without Docker.\n',
    ...(['Run', 'Look', 'Host'] as const).map((group) => `${TITLES[group]}:\n${commandRows(group)}`),
    `Options, before the command:\n${formatOptions(globalOptions)}`,
    EXAMPLES,
    'More on a command: caisson COMMAND --help\n',
  ].join('\n')
