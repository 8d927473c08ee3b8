/** The part of Go templates that people use with --format: `{{.Name}}`, `{{json .}}`, `{{json .Name}}`, `table …\t…`. */
import { UsageError } from '../usage.ts'
import { formatTable } from './table.ts'

type Row = Readonly<Record<string, unknown>>

const EXPRESSION = /\{\{\s*(json\s+)?\.(\w*)\s*\}\}/g

const withControls = (template: string): string => template.replaceAll('\\t', '\t').replaceAll('\\n', '\n')

const fieldOf = (row: Row, field: string): unknown => {
  if (field === '') return row
  if (!(field in row))
    throw new UsageError(`--format: there is no field .${field}`, `fields: ${Object.keys(row).join(', ')}`)
  return row[field]
}

const fill = (template: string, row: Row): string =>
  template.replaceAll(EXPRESSION, (_, json: string | undefined, field: string) => {
    const value = fieldOf(row, field)
    return json === undefined && typeof value !== 'object' ? String(value) : JSON.stringify(value)
  })

/** Throws UsageError for what it does not know of Go's templates. */
export const formatTemplate = (
  format: string,
  rows: readonly Row[],
  headers: Readonly<Record<string, string>>,
): string => {
  const isTable = format.startsWith('table ')
  const template = withControls(isTable ? format.slice('table '.length) : format)
  if (template.replaceAll(EXPRESSION, '').includes('{{')) {
    throw new UsageError(`--format: only {{.Field}} and {{json .}} are known of Go templates, not ${template}`)
  }
  if (!isTable) return rows.map((row) => `${fill(template, row)}\n`).join('')
  const titles = template.replaceAll(EXPRESSION, (_, _json, field: string) => headers[field] ?? field.toUpperCase())
  return formatTable(
    titles.split('\t'),
    rows.map((row) => fill(template, row).split('\t')),
  )
}
