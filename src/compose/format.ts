/** The output of `config`: the canonical form as YAML or JSON, and lists of names. Equal to the reference's. */
import { compareNaturally } from './natural-order.ts'
import { pointerOf } from '../errors.ts'
import type { LoadResult, Project } from './project.ts'
import type { Provenances } from './provenance.ts'
import type { Shape } from './shape.ts'
import { inShapeOrder, PROJECT } from './shape.ts'
import type { AskedVariable } from './variables.ts'
import type { YamlMap, YamlValue } from './yaml-text.ts'
import { Noted, writeYaml } from './yaml-text.ts'

export interface FormatOptions {
  /** As given to `load`: without interpolation the model is untyped, sorted, and `$` is what it was. */
  readonly interpolated: boolean
}

type Compare = (one: string, other: string) => number
const compareBytes: Compare = (one, other) => (one < other ? -1 : one > other ? 1 : 0)

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const sorted = (value: Readonly<Record<string, unknown>>, compare: Compare): (readonly [string, unknown])[] =>
  Object.keys(value)
    .sort(compare)
    .map((key) => [key, value[key]] as const)

/** Everything in alphabetical order: what no shape says more about. */
const sortDeep = (value: unknown, compare: Compare): YamlValue => {
  if (Array.isArray(value)) return value.map((item) => sortDeep(item, compare))
  if (!isRecord(value)) return value as YamlValue
  return new Map(sorted(value, compare).map(([key, member]) => [key, sortDeep(member, compare)]))
}

const LIMIT: Shape = { fields: { soft: 'integer?', hard: 'integer?' } }

/** Keys of the format in its order, then the user's own. */
const arrange = (value: unknown, shape: Shape, compare: Compare): YamlValue => {
  if (shape === 'limit' && isRecord(value)) return arrange(value, LIMIT, compare)
  if (typeof shape === 'string') return sortDeep(value, compare)
  if ('list' in shape && Array.isArray(value)) return value.map((item) => arrange(item, shape.list, compare))
  if (!isRecord(value) || 'list' in shape) return value as YamlValue
  if ('each' in shape)
    return new Map(sorted(value, compare).map(([key, member]) => [key, arrange(member, shape.each, compare)]))
  const members = new Map<string, YamlValue>()
  const own: string[] = []
  for (const key of inShapeOrder(new Set(Object.keys(value)), shape)) {
    const field = shape.fields[key]
    if (field) members.set(key, arrange(value[key], field, compare))
    else own.push(key)
  }
  for (const key of own.sort(compare)) members.set(key, sortDeep(value[key], compare))
  return members
}

const escapeDollars = (text: string, { interpolated }: FormatOptions): string =>
  interpolated ? text.replaceAll('$', '$$$$') : text

const arrangeForYaml = (canonical: LoadResult['canonical'], { interpolated }: FormatOptions): YamlMap =>
  (interpolated ? arrange(canonical, PROJECT, compareNaturally) : sortDeep(canonical, compareNaturally)) as YamlMap

export const formatYaml = (canonical: LoadResult['canonical'], options: FormatOptions): string =>
  escapeDollars(writeYaml(arrangeForYaml(canonical, options)), options)

/** Every value with its comment; a map or a list where it replaces one as a whole. Dollars are escaped here: comments have none. */
const annotate = (value: YamlValue, pointer: string, notes: Provenances, options: FormatOptions): YamlValue => {
  const noted = (inner: Exclude<YamlValue, Noted>): YamlValue => {
    const note = notes.comment(pointer)
    return note === undefined ? inner : new Noted(inner, note)
  }
  if (value instanceof Map && value.size > 0) {
    const members = [...value].map(
      ([key, member]) =>
        [escapeDollars(key, options), annotate(member, pointer + pointerOf([key]), notes, options)] as const,
    )
    return notes.replaces(pointer) ? noted(new Map(members)) : new Map(members)
  }
  if (Array.isArray(value) && value.length > 0) {
    const items = value.map((item, index) => annotate(item, `${pointer}/${index}`, notes, options))
    return notes.replaces(pointer) ? noted(items) : items
  }
  return noted(typeof value === 'string' ? escapeDollars(value, options) : (value as Exclude<YamlValue, Noted>))
}

/** YAML of the same meaning as `formatYaml`, with a comment behind each value that says where it came from. */
export const formatWithOrigins = (
  canonical: LoadResult['canonical'],
  notes: Provenances,
  options: FormatOptions,
): string => writeYaml(annotate(arrangeForYaml(canonical, options), '', notes, options) as YamlMap)

/** JSON shows more than YAML: commands that are not there, and the groups that are part of their owner; but no extensions. */
const complete = (value: YamlValue, shape: Shape): YamlValue => {
  if (typeof shape === 'string') return value
  if ('list' in shape) return Array.isArray(value) ? value.map((item: YamlValue) => complete(item, shape.list)) : value
  if (!(value instanceof Map)) return value
  if ('each' in shape) return new Map([...value].map(([key, member]) => [key, complete(member, shape.each)]))
  const members = new Map<string, YamlValue>()
  for (const [key, field] of Object.entries(shape.fields)) {
    const member = value.get(key) ?? absent(field)
    if (member !== undefined) members.set(key, complete(member, field))
  }
  return members
}

const absent = (shape: Shape): YamlValue | undefined => {
  if (shape === 'command') return null
  return typeof shape === 'object' && 'optional' in shape ? new Map() : undefined
}

/** Go escapes what could end a script element. */
const writeText = (text: string): string =>
  JSON.stringify(text).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const writeJson = (value: YamlValue, indent: string): string => {
  const inner = `${indent}  `
  if (typeof value === 'string') return writeText(value)
  if (Array.isArray(value)) {
    const items = value.map((item: YamlValue) => inner + writeJson(item, inner))
    return items.length === 0 ? '[]' : `[\n${items.join(',\n')}\n${indent}]`
  }
  if (value instanceof Map) {
    const members = [...value].map(([key, member]) => `${inner}${writeText(key)}: ${writeJson(member, inner)}`)
    return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`
  }
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
}

export const formatJson = (canonical: LoadResult['canonical'], options: FormatOptions): string => {
  if (!options.interpolated) return writeJson(sortDeep(canonical, compareBytes), '')
  const arranged = arrange(canonical, PROJECT, compareBytes) as YamlMap
  const extensions = [...arranged].filter(([key]) => key.startsWith('x-'))
  const shaped = complete(arranged, PROJECT) as YamlMap
  const all = new Map<string, YamlValue>([['services', new Map()], ...shaped, ...extensions])
  const ordered = new Map([...all].sort(([one], [other]) => compareBytes(one, other)))
  return escapeDollars(writeJson(ordered, ''), options)
}

/** Fields of the reference, in its order. */
const VARIABLE_FIELDS = [
  ['Name', 'name'],
  ['DefaultValue', 'fallback'],
  ['PresenceValue', 'alternate'],
  ['Required', 'required'],
] as const

const variableMap = (variables: readonly AskedVariable[], named: (field: string) => string): YamlMap =>
  new Map(
    variables.map((variable) => [
      variable.name,
      new Map(VARIABLE_FIELDS.map(([field, key]) => [named(field), variable[key]])),
    ]),
  )

/** `config --variables --format json`, indented as it is there. */
export const formatVariablesJson = (variables: readonly AskedVariable[]): string =>
  writeJson(
    variableMap(variables, (field) => field),
    '',
  ).replaceAll(/^ +/gm, '$&$&')

/** `config --variables --format yaml`, indented by four. */
export const formatVariablesYaml = (variables: readonly AskedVariable[]): string =>
  [...variableMap(variables, (field) => field.toLowerCase())]
    .map(([name, fields]) => {
      const head = writeYaml(new Map([[name, null]])).replace(' null', '')
      return head + writeYaml(fields as YamlMap).replaceAll(/^(?=.)/gm, '    ')
    })
    .join('')

export type ListKind = 'services' | 'volumes' | 'networks' | 'images' | 'models' | 'profiles'

/** What a model is called where it is run. */
const modelsOf = (canonical: LoadResult['canonical']): readonly string[] => {
  const models = isRecord(canonical.models) ? Object.values(canonical.models) : []
  const names = models.map((model) => (isRecord(model) ? String(model.model) : ''))
  return [...new Set(names)].filter((name) => name !== '').sort()
}

/** Names, one for each line of `config --services` and its relatives; sorted: the reference has them in another order each time. */
export const listNames = (project: Project, canonical: LoadResult['canonical'], kind: ListKind): readonly string[] => {
  const services = Object.keys(project.services).sort()
  switch (kind) {
    case 'services':
      return services
    case 'images':
      return services.map((name) => project.services[name]?.image ?? `${project.name}-${name}`).sort()
    case 'profiles': {
      const all = [...Object.values(project.services), ...Object.values(project.disabledServices)]
      return [...new Set(all.flatMap((service) => service.profiles))].sort()
    }
    case 'models':
      return modelsOf(canonical)
    case 'volumes':
    case 'networks':
      return Object.keys(project[kind]).sort()
  }
}
