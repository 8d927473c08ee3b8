import type { ContainerRow } from '../../index.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { flag, list, text } from '../grammar.ts'
import { findTarget, loadTarget, requireServices } from '../target.ts'
import { COLUMNS, viewOf } from '../render/container.ts'
import { formatListing } from '../render/template.ts'
import { openReader } from '../runtime.ts'
import { type Filters, matches, readFilters } from '../select.ts'

interface Selection {
  readonly all: boolean
  readonly filters: Filters
  readonly services: readonly string[]
}

/** Without -a: what has processes. */
const RUNNING: ReadonlySet<string> = new Set(['running', 'paused', 'restarting'])

const select = (rows: readonly ContainerRow[], { all, filters, services }: Selection): ContainerRow[] =>
  rows
    .filter((row) => services.length === 0 || services.includes(row.service))
    .filter((row) => all || filters.status.size > 0 || RUNNING.has(row.state))
    .filter((row) => matches(row, filters))
    .filter((row) => all || !row.oneOff)

const print = ({ stdout }: Context, rows: readonly ContainerRow[], format: string, whole: boolean): void => {
  const now = Date.now()
  const views = rows.map((row) => viewOf(row, now, whole) as unknown as Record<string, unknown>)
  stdout.write(formatListing({ format, rows: views, columns: COLUMNS }))
}

export const ps = defineCommand({
  usage: '[SERVICE…]',
  summary: 'List the containers of a project',
  options: {
    all: flag('Stopped containers too', 'a'),
    filter: list('KEY=VALUE', 'Only what matches: status, health, name, label; may be repeated'),
    format: text(
      'FORMAT',
      'table (default), json (one object per line), or a template such as "{{.Name}} {{.Status}}"',
    ),
    json: flag('One JSON document with everything: health log, restarts, exits'),
    noTrunc: flag('Do not cut long values'),
    orphans: flag('Containers of services that the project no longer has (default: shown)'),
    quiet: flag('Show ids only', 'q'),
    services: flag('Show names of services only'),
    status: list('STATE', 'Only containers in this state; may be repeated'),
  },
  examples: ['caisson ps -a --filter status=exited', 'caisson ps --json'],
  run: async (context, { values, positionals, given }) => {
    const filters = readFilters(values.filter, values.status)
    const engine = openReader(context)
    const withoutOrphans = given.has('orphans') && !values.orphans
    const target = await (withoutOrphans ? loadTarget : findTarget)(context, engine)
    const all = await engine.ps(target.name)
    await requireServices(context, { target, rows: all, services: positionals })
    const known = target.project
    const isOrphan = (row: ContainerRow): boolean => known !== undefined && known.services[row.service] === undefined
    const rows = select(all, { all: values.all, filters, services: positionals }).filter(
      (row) => !withoutOrphans || !isOrphan(row),
    )
    if (values.json) {
      const { psDocument } = await import('../render/document.ts')
      context.stdout.write(psDocument(target.name, await engine.details(rows.map(({ id }) => id))))
    } else if (values.quiet) context.stdout.write(rows.map((row) => `${row.id}\n`).join(''))
    else if (values.services) context.stdout.write([...new Set(rows.map((row) => `${row.service}\n`))].join(''))
    else print(context, rows, values.format ?? 'table', values.noTrunc)
    return 0
  },
})
