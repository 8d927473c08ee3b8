import type { HistoryRow } from '../../index.ts'
import { defineCommand } from '../command.ts'
import { flag, text } from '../grammar.ts'
import { humanDuration, humanSize, truncate } from '../render/human.ts'
import { shortId } from '../render/image.ts'
import { formatListing } from '../render/template.ts'
import { openReader } from '../runtime.ts'

const COMMAND_WIDTH = 45

const COLUMNS = { ID: 'IMAGE', CreatedSince: 'CREATED', CreatedBy: 'CREATED BY', Size: 'SIZE', Comment: 'COMMENT' }
const EXACT_COLUMNS = { ...COLUMNS, CreatedSince: 'CREATED AT' }

interface View {
  readonly now: number
  readonly human: boolean
  readonly whole: boolean
}

const viewOf = (row: HistoryRow, { now, human, whole }: View) => {
  const createdAt = row.createdAt === undefined ? '' : new Date(row.createdAt).toISOString().replace('.000Z', 'Z')
  const since = row.createdAt === undefined ? '' : `${humanDuration(now - row.createdAt)} ago`
  const command = row.createdBy.replaceAll('\t', ' ')
  return {
    ...{ Comment: row.comment, CreatedAt: createdAt, CreatedBy: whole ? command : truncate(command, COMMAND_WIDTH) },
    CreatedSince: human ? since : createdAt,
    ID: row.id === undefined ? '<missing>' : whole ? row.id : shortId(row.id),
    Size: human ? humanSize(row.sizeBytes) : String(row.sizeBytes),
  }
}

export const imageHistory = defineCommand({
  usage: 'IMAGE',
  summary: 'Show how an image came about, the last step first',
  arity: [1, 1],
  options: {
    format: text('FORMAT', 'table (default), json (one object per line), or a template such as "{{.CreatedBy}}"'),
    human: { ...flag('Sizes and times for people (--human=false: bytes and points in time)', 'H'), initial: true },
    noTrunc: flag('Do not cut long values'),
    quiet: flag('Show ids only', 'q'),
  },
  run: async (context, { values, positionals: [name = ''] }) => {
    const view = { now: Date.now(), human: values.human, whole: values.noTrunc }
    const rows = (await openReader(context).imageHistory(name)).map((row) => viewOf(row, view))
    const format = values.quiet ? '{{.ID}}' : (values.format ?? 'table')
    context.stdout.write(formatListing({ format, rows, columns: values.human ? COLUMNS : EXACT_COLUMNS }))
    return 0
  },
})
