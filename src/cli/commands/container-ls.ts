import { defineCommand } from '../command.ts'
import { flag, list, text } from '../grammar.ts'
import { viewOf } from '../render/container.ts'
import { formatListing } from '../render/template.ts'
import { openReader } from '../runtime.ts'
import { matches, readFilters } from '../select.ts'

const COLUMNS = {
  ...{ ID: 'CONTAINER ID', Image: 'IMAGE', Command: 'COMMAND', RunningFor: 'CREATED', Status: 'STATUS' },
  ...{ Ports: 'PORTS', Names: 'NAMES' },
}

export const containerLs = defineCommand({
  usage: '',
  summary: 'List the containers of all projects',
  arity: [0, 0],
  options: {
    all: flag('Stopped containers too', 'a'),
    filter: list('KEY=VALUE', 'Only what matches: status, health, name, label; may be repeated', 'f'),
    format: text('FORMAT', 'table (default), json (one object per line), or a template such as "{{.Names}}"'),
    noTrunc: flag('Do not cut long values'),
    quiet: flag('Show ids only', 'q'),
  },
  run: async (context, { values }) => {
    const filters = readFilters(values.filter, [])
    const now = Date.now()
    const rows = (await openReader(context).ps(undefined))
      .filter(({ state }) => values.all || filters.status.size > 0 || !['created', 'exited', 'dead'].includes(state))
      .filter((row) => matches(row, filters))
      .sort((a, b) => b.createdAt - a.createdAt)
      .map((row) => viewOf(row, now, values.noTrunc) as unknown as Record<string, unknown>)
    const format = values.quiet ? '{{.ID}}' : (values.format ?? 'table')
    context.stdout.write(formatListing({ format, rows, columns: COLUMNS }))
    return 0
  },
})
