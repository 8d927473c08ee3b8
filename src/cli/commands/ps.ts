import type { ContainerRow } from '../../index.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { flag, list, text } from '../grammar.ts'
import { findTarget, requireServices } from '../target.ts'
import { columnsOf, COLUMNS, viewOf } from '../render/container.ts'
import { formatTable } from '../render/table.ts'
import { formatTemplate } from '../render/template.ts'
import { openReader } from '../runtime.ts'
import { UsageError } from '../usage.ts'

const STATES = ['paused', 'restarting', 'removing', 'running', 'dead', 'created', 'exited']

/** `--status` and `--filter status=`, checked. */
const wantedStates = (status: readonly string[], filter: string | undefined): ReadonlySet<string> => {
  const filtered = filter === undefined ? [] : [filter]
  const fromFilter = filtered.map((each) => {
    if (!each.startsWith('status=')) throw new UsageError(`--filter takes status=STATE, not "${each}"`)
    return each.slice('status='.length)
  })
  const wanted = [...status, ...fromFilter]
  const unknown = wanted.find((state) => !STATES.includes(state))
  if (unknown !== undefined) throw new UsageError(`unknown status "${unknown}"`, `known: ${STATES.join(', ')}`)
  return new Set(wanted)
}

interface Selection {
  readonly all: boolean
  readonly states: ReadonlySet<string>
  readonly services: readonly string[]
}

const select = (rows: readonly ContainerRow[], { all, states, services }: Selection): ContainerRow[] =>
  rows
    .filter((row) => services.length === 0 || services.includes(row.service))
    .filter((row) => (states.size > 0 ? states.has(row.state) : all || row.state === 'running'))
    .filter((row) => all || !row.oneOff)

const print = ({ stdout }: Context, rows: readonly ContainerRow[], format: string, whole: boolean): void => {
  const now = Date.now()
  const views = rows.map((row) => viewOf(row, now, whole))
  if (format === 'table') stdout.write(formatTable(Object.values(COLUMNS), views.map(columnsOf)))
  else if (format === 'json') stdout.write(views.map((view) => `${JSON.stringify(view)}\n`).join(''))
  else stdout.write(formatTemplate(format, views as unknown as Record<string, unknown>[], COLUMNS))
}

export const ps = defineCommand({
  usage: '[SERVICE…]',
  summary: 'List the containers of a project',
  options: {
    all: flag('Stopped containers too', 'a'),
    filter: text('status=STATE', 'Only containers in this state'),
    format: text(
      'FORMAT',
      'table (default), json (one object per line), or a template such as "{{.Name}} {{.Status}}"',
    ),
    noTrunc: flag('Do not cut long values'),
    orphans: flag('Containers of services that the project no longer has (default: shown)'),
    quiet: flag('Show ids only', 'q'),
    services: flag('Show names of services only'),
    status: list('STATE', 'Only containers in this state; may be repeated'),
  },
  run: async (context, { values, positionals, given }) => {
    const states = wantedStates(values.status, values.filter)
    const engine = openReader(context)
    const target = await findTarget(context, engine)
    const all = await engine.ps(target.name)
    await requireServices(context, { target, rows: all, services: positionals })
    const known = target.project
    const isOrphan = (row: ContainerRow): boolean => known !== undefined && known.services[row.service] === undefined
    const rows = select(all, { all: values.all, states, services: positionals }).filter(
      (row) => !given.has('orphans') || values.orphans || !isOrphan(row),
    )
    if (values.quiet) context.stdout.write(rows.map((row) => `${row.id}\n`).join(''))
    else if (values.services) context.stdout.write([...new Set(rows.map((row) => `${row.service}\n`))].join(''))
    else print(context, rows, values.format ?? 'table', values.noTrunc)
    return 0
  },
})
