import type { ProjectRow } from '../../index.ts'
import { defineCommand } from '../command.ts'
import { choice, flag, list } from '../grammar.ts'
import { formatTable, WIDE } from '../render/table.ts'
import { openReader } from '../runtime.ts'
import { UsageError } from '../usage.ts'

const RUNNING: ReadonlySet<string> = new Set(['running', 'paused', 'restarting'])

const isRunning = ({ counts }: ProjectRow): boolean => counts.running + counts.paused + counts.restarting > 0

const formatCounts = (row: ProjectRow, all: boolean): string =>
  Object.entries(row.counts)
    .filter(([state, count]) => count > 0 && (all || RUNNING.has(state)))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([state, count]) => `${state}(${count})`)
    .join(', ')

const readFilters = (filters: readonly string[]): RegExp[] =>
  filters.map((filter) => {
    if (!filter.startsWith('name=')) throw new UsageError(`--filter takes name=PATTERN, not "${filter}"`)
    try {
      return new RegExp(filter.slice('name='.length))
    } catch {
      throw new UsageError(`--filter: not a pattern: "${filter.slice('name='.length)}"`)
    }
  })

export const ls = defineCommand({
  usage: '',
  summary: 'List the projects of this machine',
  arity: [0, 0],
  options: {
    all: flag('What does not run too', 'a'),
    filter: list('name=PATTERN', 'Only projects whose name matches; may be repeated'),
    format: choice(['table', 'json'], 'table', 'Form of the output'),
    quiet: flag('Show names only', 'q'),
  },
  run: async (context, { values }) => {
    const filters = readFilters(values.filter)
    const rows = (await openReader(context).ls())
      .filter((row) => values.all || isRunning(row))
      .filter((row) => filters.every((pattern) => pattern.test(row.name)))
    const views = rows.map((row) => ({
      Name: row.name,
      Status: formatCounts(row, values.all),
      ConfigFiles: row.composeFiles.join(','),
    }))
    const { stdout } = context
    if (values.quiet) stdout.write(rows.map((row) => `${row.name}\n`).join(''))
    else if (values.format === 'json') stdout.write(`${JSON.stringify(views)}\n`)
    else
      stdout.write(
        formatTable(
          ['NAME', 'STATUS', 'CONFIG FILES'],
          views.map((view) => Object.values(view)),
          WIDE,
        ),
      )
    return 0
  },
})
