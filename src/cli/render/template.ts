/**
 * The part of Go templates that people use with --format: `{{.Name}}`, `{{.State.Health.Status}}`, `{{json .}}`,
 * `{{.Name | upper}}`, `{{index .Config.Labels "a"}}`, `{{join .X ","}}`, `table …\t…`. No `if`, no `range`.
 */
import { UsageError } from '../usage.ts'
import { formatTable } from './table.ts'

type Row = Readonly<Record<string, unknown>>
type Operand = (row: Row) => unknown
type Call = { readonly name: string | undefined; readonly operands: readonly Operand[] }

const ACTION = /\{\{-?((?:"(?:[^"\\]|\\.)*"|`[^`]*`|[^"`}])*)-?\}\}/g
const WORD = /"(?:[^"\\]|\\.)*"|`[^`]*`|\||[^\s|"`]+/g

const isObject = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)

/** As Go prints a value: lists as `[a b]`, maps as `map[k:v]`, records of a list as `{a b}`. */
const goText = (value: unknown, inList = false): string => {
  if (value === undefined || value === null) return '<no value>'
  if (Array.isArray(value)) return `[${value.map((item) => goText(item, true)).join(' ')}]`
  if (!isObject(value)) return String(value)
  if (inList)
    return `{${Object.values(value)
      .map((item) => goText(item))
      .join(' ')}}`
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${entries.map(([key, item]) => `${key}:${goText(item)}`).join(' ')}]`
}

const fail = (message: string, hint?: string): never => {
  throw new UsageError(`--format: ${message}`, hint)
}

const field =
  (path: string): Operand =>
  (row) => {
    let value: unknown = row
    for (const step of path.split('.').filter(Boolean)) {
      if (!isObject(value) || !Object.hasOwn(value, step)) {
        const known = isObject(value) ? `fields: ${Object.keys(value).join(', ')}` : undefined
        return fail(`there is no field ${path}`, known)
      }
      value = value[step]
    }
    return value
  }

const FUNCTIONS: Readonly<Record<string, (...args: readonly unknown[]) => unknown>> = {
  json: (value) => JSON.stringify(value) ?? 'null',
  upper: (value) => goText(value).toUpperCase(),
  lower: (value) => goText(value).toLowerCase(),
  len: (value) =>
    isObject(value) ? Object.keys(value).length : Array.isArray(value) ? value.length : [...goText(value)].length,
  join: (list, separator) =>
    Array.isArray(list) ? list.map((item) => goText(item)).join(goText(separator)) : goText(list),
  split: (text, separator) => goText(text).split(goText(separator)),
  index: (value, ...keys) =>
    keys.reduce((inner, key) => (inner as Record<string, unknown> | undefined)?.[goText(key)] ?? '', value),
  truncate: (text, width) => [...goText(text)].slice(0, Number(width)).join(''),
  print: (...args) => args.map((arg) => goText(arg)).join(' '),
  println: (...args) => `${args.map((arg) => goText(arg)).join(' ')}\n`,
}

const literal = (word: string): unknown => {
  if (word.startsWith('`')) return word.slice(1, -1)
  if (!word.startsWith('"')) return Number(word)
  try {
    return JSON.parse(word) as string
  } catch {
    return fail(`not a text: ${word}`)
  }
}

const unknown = (action: string): never =>
  fail(
    `not known of Go templates: {{${action}}}`,
    `known: {{.Field}}, {{.Field.Field}}, {{json .}}, and ${Object.keys(FUNCTIONS).join(', ')}`,
  )

const readOperand = (word: string, action: string): Operand => {
  if (word.startsWith('.')) return field(word)
  if (!/^(?:["`]|-?\d)/.test(word)) return unknown(action)
  const value = literal(word)
  return () => value
}

/** One command of a pipeline: a function with its operands, or a value. */
const readCall = (words: readonly string[], action: string): Call => {
  const [first = '', ...rest] = words
  const isFunction = Object.hasOwn(FUNCTIONS, first)
  if (!isFunction && words.length !== 1) return unknown(action)
  const operands = (isFunction ? rest : words).map((word) => readOperand(word, action))
  return { name: isFunction ? first : undefined, operands }
}

const readAction = (action: string): readonly Call[] => {
  const calls: string[][] = [[]]
  for (const [word] of action.matchAll(WORD)) {
    if (word === '|') calls.push([])
    else calls.at(-1)?.push(word)
  }
  return calls.map((words) => readCall(words, action.trim()))
}

const evaluate = (calls: readonly Call[], row: Row): string => {
  let piped: readonly unknown[] = []
  for (const { name, operands } of calls) {
    const values = [...operands.map((operand) => operand(row)), ...piped]
    piped = [name === undefined ? values[0] : FUNCTIONS[name]?.(...values)]
  }
  return goText(piped[0])
}

type Part = string | readonly Call[]

const readTemplate = (template: string): readonly Part[] => {
  const parts: Part[] = []
  let end = 0
  for (const match of template.matchAll(ACTION)) {
    parts.push(template.slice(end, match.index), readAction(match[1] ?? ''))
    end = match.index + match[0].length
  }
  const rest = template.slice(end)
  if (rest.includes('{{')) return unknown(rest.slice(rest.indexOf('{{') + 2))
  return [...parts, rest]
}

const fill = (parts: readonly Part[], row: Row): string =>
  parts.map((part) => (typeof part === 'string' ? part : evaluate(part, row))).join('')

const withControls = (template: string): string => template.replaceAll('\\t', '\t').replaceAll('\\n', '\n')

/** Title of a column: that of the first field in it. */
const titles = (template: string, headers: Readonly<Record<string, string>>): string[] =>
  template
    .replaceAll(ACTION, (_, action: string) => {
      const name = /\.(\w+)/.exec(action)?.[1] ?? ''
      return headers[name] ?? name.toUpperCase()
    })
    .split('\t')

/** Throws UsageError for what it does not know of Go's templates. */
export const formatTemplate = (
  format: string,
  rows: readonly Row[],
  headers: Readonly<Record<string, string>>,
): string => {
  const isTable = format.startsWith('table ')
  const template = withControls(isTable ? format.slice('table '.length) : format)
  const parts = readTemplate(template)
  if (!isTable) return rows.map((row) => `${fill(parts, row)}\n`).join('')
  return formatTable(
    titles(template, headers),
    rows.map((row) => fill(parts, row).split('\t')),
  )
}

export interface Listing {
  /** `table`, `json`, `table TEMPLATE`, or a template. */
  readonly format: string
  readonly rows: readonly Row[]
  /** Fields of the plain table, in order, with their titles. */
  readonly columns: Readonly<Record<string, string>>
  /** Titles of further fields. */
  readonly headers?: Readonly<Record<string, string>>
}

/** What every `--format` of docker's lists means: a table, one JSON object a line, or a template. */
export const formatListing = ({ format, rows, columns, headers = {} }: Listing): string => {
  if (format === 'json') return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  if (format !== 'table') return formatTemplate(format, rows, { ...headers, ...columns })
  const fields = Object.keys(columns)
  return formatTable(
    Object.values(columns),
    rows.map((row) => fields.map((name) => String(row[name]))),
  )
}
