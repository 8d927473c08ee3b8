/** The canonical tree in exact types: every value in the form that the shape table wants, empty ones left out. */
import { BOOLEANS } from './booleans.ts'
import { formatDuration, parseDuration } from '../units/duration.ts'
import type { Code } from './codes.ts'
import { splitCommand } from './command-words.ts'
import type { Entry, MapNode, Node, ScalarNode, ScalarValue } from './node.ts'
import { get, isNull, map, mapItems, mapOf, poisoned, printScalar, scalar, sequence } from './node.ts'
import type { Report } from './report.ts'
import type { CompoundKind, ObjectShape, ScalarKind, Shape } from './shape.ts'
import { inShapeOrder, PROJECT } from './shape.ts'
import type { IntegerRange } from './numbers.ts'
import { narrow, outside, roundToSingle, SIGNED, toBytes, toInteger, toNumber, UNSIGNED } from './numbers.ts'
import { durationHint, numberHint, sizeHint } from './unit-hints.ts'
import { nameOf, quoted, shown } from './words.ts'

interface Context {
  readonly report: Report
  /** Where we are: it grows and shrinks on the way. */
  readonly path: (string | number)[]
}

/** undefined: there is nothing to say, leave the key out. */
type Bound = Node | undefined

const fail = (node: Node, { report, path }: Context, code: Code, wanted: string, hint?: string): Node => {
  report.add({
    code,
    path,
    message: `${nameOf(path)} is ${shown(node)}, which is not ${wanted}`,
    hint,
    origin: node.origin,
  })
  return poisoned(node.origin)
}

/** Values mostly stand as they are wanted: then the node does, too. */
const withValue = (node: ScalarNode, value: ScalarValue): ScalarNode =>
  node.value === value ? node : { ...node, value }

const integerOf = (node: ScalarNode, context: Context, range: IntegerRange, keepZero: boolean): Bound => {
  const value = toInteger(node.value ?? 0)
  const wanted = value === undefined ? 'a whole number' : outside(value, range)
  if (value === undefined || wanted !== undefined)
    return fail(node, context, 'not-a-number', wanted ?? 'a number', hintOf(node))
  return value === 0n && !keepZero ? undefined : withValue(node, narrow(value))
}

const hintOf = (node: ScalarNode): string | undefined => numberHint(String(node.value))

const numberOf = (node: ScalarNode, context: Context): Bound => {
  const value = toNumber(node.value ?? 0)
  if (!Number.isFinite(value)) return fail(node, context, 'not-a-number', 'a number', hintOf(node))
  return value === 0 ? undefined : { ...node, value: roundToSingle(value) }
}

const booleanOf = (node: ScalarNode, context: Context, keepFalse: boolean): Bound => {
  const value = typeof node.value === 'boolean' ? node.value : BOOLEANS[String(node.value).toLowerCase()]
  if (value === undefined) return fail(node, context, 'not-a-boolean', 'true or false')
  return value || keepFalse ? withValue(node, value) : undefined
}

const sizeOf = (node: ScalarNode, context: Context): Bound => {
  const value = toBytes(node.value ?? 0)
  if (value === undefined) {
    const hint = sizeHint(String(node.value))
    const isTooLarge = hint === `write ${String(node.value)}`
    return fail(
      node,
      context,
      'size-invalid',
      isTooLarge ? 'a size below 8192p' : 'a size',
      isTooLarge ? undefined : hint,
    )
  }
  return value === 0n ? undefined : { ...node, value: String(value) }
}

/** Microseconds; text with a unit is a duration. */
const microsecondsOf = (node: ScalarNode, context: Context): Bound => {
  const duration = typeof node.value === 'string' && /[a-z]/i.test(node.value) ? parseDuration(node.value) : undefined
  const whole = duration === undefined ? node : { ...node, value: Math.trunc(duration / 1000) }
  return integerOf(whole, context, SIGNED, false)
}

const durationOf = (node: ScalarNode, context: Context, keepZero: boolean): Bound => {
  const value = parseDuration(String(node.value))
  if (value === undefined) {
    const hint = durationHint(String(node.value))
    const isTooLong = hint === `write ${String(node.value)}`
    const wanted = isTooLong ? 'a time below 292 years' : 'a time'
    return fail(node, context, 'duration-invalid', wanted, isTooLong ? undefined : hint)
  }
  return value === 0 && !keepZero ? undefined : { ...node, value: formatDuration(value) }
}

/** Text is octal, as everywhere with permissions; a number is the bits themselves (YAML has read 0440 as octal already). */
const bitsOf = (value: ScalarValue): number | undefined => {
  if (typeof value === 'string')
    return /^0?o?[0-7]+$/.test(value) ? Number.parseInt(value.replace(/^0?o/, ''), 8) : undefined
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined
}

const modeOf = (node: ScalarNode, context: Context, asText: boolean): Bound => {
  const bits = bitsOf(node.value)
  if (bits === undefined)
    return fail(
      node,
      context,
      'mode-invalid',
      'an octal number',
      'write permissions as "0440": digits from 0 to 7, in quotes',
    )
  if (asText) return { ...node, value: `0${bits.toString(8)}` }
  return bits === 0 ? undefined : { ...node, value: bits }
}

const SCALARS: Readonly<Record<ScalarKind, (node: ScalarNode, context: Context) => Bound>> = {
  text: (node) => (node.value === null || node.value === '' ? undefined : withValue(node, printScalar(node.value))),
  'text?': (node) => (node.value === null ? undefined : withValue(node, printScalar(node.value))),
  integer: (node, context) => integerOf(node, context, SIGNED, false),
  'integer?': (node, context) => integerOf(node, context, SIGNED, true),
  natural: (node, context) => integerOf(node, context, UNSIGNED, false),
  'natural?': (node, context) => integerOf(node, context, UNSIGNED, true),
  number: numberOf,
  microseconds: microsecondsOf,
  boolean: (node, context) => booleanOf(node, context, false),
  'boolean?': (node, context) => booleanOf(node, context, true),
  size: sizeOf,
  duration: (node, context) => durationOf(node, context, false),
  'duration?': (node, context) => durationOf(node, context, true),
  mode: (node, context) => modeOf(node, context, true),
  bits: (node, context) => modeOf(node, context, false),
  count: (node, context) =>
    String(node.value).toLowerCase() === 'all' ? { ...node, value: -1 } : integerOf(node, context, SIGNED, false),
}

const textNode = (node: Node): Node =>
  node.kind === 'scalar' && node.value !== null ? withValue(node, printScalar(node.value)) : node

const texts = (node: Node): Bound => {
  if (node.kind === 'scalar') return sequence([textNode(node)], node.origin)
  if (node.kind !== 'sequence') return node
  return node.items.length === 0 ? undefined : mapItems(node, textNode)
}

const command = (node: Node, context: Context): Bound => {
  if (node.kind !== 'scalar') return node.kind === 'sequence' ? mapItems(node, textNode) : node
  const line = printScalar(node.value ?? '')
  const split = splitCommand(line)
  if ('mistake' in split) {
    const hint = 'close it, or write the words as a list: ["sh", "-c", "…"]'
    return fail(node, context, 'command-invalid', `a command: ${split.mistake}`, hint)
  }
  if (split.cutAt !== undefined) {
    const { report, path } = context
    const rest = line.slice(split.cutAt)
    const message = `${nameOf(path)} ends before ${quoted(rest)}: no shell reads it`
    const hint = `write ["sh", "-c", "…"] to run all of it in a shell, or put ${line[split.cutAt]} in quotes`
    report.add({ code: 'command-cut', severity: 'warning', path, message, hint, origin: node.origin, part: rest })
  }
  return sequence(
    split.words.map((word) => scalar(word, node.origin)),
    node.origin,
  )
}

const test = (node: Node): Bound => {
  if (node.kind !== 'scalar') return texts(node)
  return sequence([scalar('CMD-SHELL', node.origin), textNode(node)], node.origin)
}

/** `KEY=VALUE` of a list; a key without value has `absent`, which is null for variables: their names have no spaces. */
const keyValue = (item: Node, { report, path }: Context, absent: ScalarValue): readonly [string, Entry] => {
  const line = item.kind === 'scalar' && item.value !== null ? printScalar(item.value) : ''
  const cut = line.indexOf('=')
  const key = cut < 0 ? line : line.slice(0, cut)
  if (absent === null && /\s$/.test(key)) {
    const message = `The name ${quoted(key)} in ${nameOf(path)} ends with a space`
    const hint = `write ${key.trim()}=${cut < 0 ? '…' : line.slice(cut + 1).trim()} without spaces around =`
    report.add({ code: 'value-not-allowed', path, message, hint, origin: item.origin, part: key })
  }
  return [key, { key: item.origin, value: scalar(cut < 0 ? absent : line.slice(cut + 1), item.origin) }]
}

/** A list of `KEY=VALUE` or a map, as a map of texts. */
const keyValues = (node: Node, context: Context, absent: ScalarValue): Bound => {
  if (node.kind !== 'map' && node.kind !== 'sequence') return node
  const entries =
    node.kind === 'sequence'
      ? new Map(node.items.map((item) => keyValue(item, context, absent)))
      : new Map<string, Entry>()
  if (node.kind === 'map') {
    node.entries.forEach(({ key: origin, value }, key) => {
      entries.set(key, { key: origin, value: isNull(value) ? scalar(absent, value.origin) : textNode(value) })
    })
  }
  return entries.size === 0 ? undefined : map(entries, node.origin)
}

const hostLine = (item: Node, context: Context): readonly Node[] => {
  if (item.kind !== 'scalar') return [item]
  const line = printScalar(item.value ?? '')
  const cut = line.includes('=') ? line.indexOf('=') : line.indexOf(':')
  if (cut <= 0) return [fail(item, context, 'host-invalid', 'HOST=ADDRESS', 'write for example api.local=10.0.0.5')]
  return line
    .slice(cut + 1)
    .split(',')
    .map((address) => scalar(`${line.slice(0, cut)}=${unbracket(address)}`, item.origin))
}

const unbracket = (address: string): string => address.replace(/^\[(.+)\]$/, '$1')

const hostEntries = (node: MapNode): readonly Node[] =>
  [...node.entries].flatMap(([host, { value }]) =>
    (value.kind === 'sequence' ? value.items : [value]).flatMap((address) =>
      address.kind === 'scalar'
        ? [scalar(`${host}=${unbracket(printScalar(address.value ?? ''))}`, address.origin)]
        : [],
    ),
  )

const hosts = (node: Node, context: Context): Bound => {
  if (node.kind !== 'sequence' && node.kind !== 'map') return node
  const items =
    node.kind === 'map'
      ? [...hostEntries(node)]
      : node.items.flatMap((item, index) => hostLine(item, { ...context, path: [...context.path, index] }))
  const key = (item: Node): string => (item.kind === 'scalar' ? String(item.value) : '')
  items.sort((one, other) => (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0))
  const isEmpty = node.kind === 'sequence' ? node.items.length === 0 : node.entries.size === 0
  return isEmpty ? undefined : sequence(items, node.origin)
}

const LIMIT: ObjectShape = { fields: { soft: 'integer?', hard: 'integer?' } }

const limit = (node: Node, context: Context): Bound => {
  if (node.kind === 'scalar') return integerOf(node, context, SIGNED, true)
  if (node.kind !== 'map') return node
  // The reference has no room for extensions here.
  return bindObject(mapOf({ soft: get(node, 'soft'), hard: get(node, 'hard') }, node.origin), LIMIT, context)
}

const envFile = (node: Node): Bound => {
  if (node.kind !== 'sequence') return node
  const short = (item: Node): Node => {
    const required = get(item, 'required')
    const isRequired = required?.kind !== 'scalar' || required.value === true || required.value === 'true'
    return (isRequired && !get(item, 'format') ? get(item, 'path') : item) ?? item
  }
  return node.items.length === 0 ? undefined : mapItems(node, short)
}

const ssh = (node: Node): Bound => {
  if (node.kind !== 'map') return node
  const items = [...node.entries].map(([id, { value }]) =>
    scalar(value.kind === 'scalar' && value.value !== null ? `${id}: ${String(value.value)}` : id, value.origin),
  )
  return items.length === 0 ? undefined : sequence(items, node.origin)
}

const COMPOUNDS: Readonly<Record<CompoundKind, (node: Node, context: Context) => Bound>> = {
  texts,
  command,
  test,
  labels: (node, context) => keyValues(node, context, ''),
  options: (node, context) => keyValues(node, context, ''),
  variables: (node, context) => keyValues(node, context, null),
  hosts,
  limit,
  'env-file': envFile,
  ssh,
  any: (node) => node,
}

/** null is absent for single values; these kinds have a meaning for it, or for being empty. */
const bind = (node: Node, shape: Shape, context: Context): Bound => {
  if (node.kind === 'poisoned') return node
  if (typeof shape === 'string') {
    if (isNull(node)) return undefined
    if (shape in COMPOUNDS) return COMPOUNDS[shape as CompoundKind](node, context)
    return node.kind === 'scalar' ? SCALARS[shape as ScalarKind](node, context) : node
  }
  if ('list' in shape) return node.kind === 'sequence' ? bindList(node.items, shape.list, node, context) : undefined
  if ('each' in shape) return node.kind === 'map' ? bindKeyed(node, shape.each, context) : undefined
  if (node.kind === 'map') return bindObject(node, shape, context)
  return isNull(node) ? undefined : node
}

const bindAt = (step: string | number, node: Node, shape: Shape, context: Context): Bound => {
  context.path.push(step)
  const bound = bind(node, shape, context)
  context.path.pop()
  return bound
}

const bindList = (items: readonly Node[], shape: Shape, node: Node, context: Context): Bound => {
  const bound = items.map((item, index) => bindAt(index, item, shape, context) ?? mapOf({}, item.origin))
  return bound.length === 0 ? undefined : sequence(bound, node.origin)
}

/** A network, volume … of nothing is there; a key of a service may be null, and a model, of which {} lacks something. */
const bindKeyed = (node: MapNode, shape: Shape, context: Context): Bound => {
  const entries = new Map<string, Entry>()
  for (const [name, { key, value }] of node.entries) {
    const bound = bindAt(name, value, shape, context)
    const isEmpty = isNull(value) && (context.path.length > 1 || context.path[0] === 'models')
    // A list that is empty says nothing, whatever its name.
    const hasStand = typeof shape === 'object' && !('list' in shape)
    const kept = bound ?? (isEmpty ? value : hasStand ? mapOf({}, value.origin) : undefined)
    if (kept) entries.set(name, { key, value: kept })
  }
  return entries.size === 0 ? undefined : map(entries, node.origin)
}

/** In the order of the table; extensions and unknown keys stand behind it. */
const bindObject = (node: MapNode, shape: ObjectShape, context: Context): Bound => {
  const entries = new Map<string, Entry>()
  for (const name of inShapeOrder(node.entries, shape)) {
    const field = shape.fields[name]
    const entry = node.entries.get(name)
    if (!entry) continue
    const value = field ? bindAt(name, entry.value, field, context) : entry.value
    if (value) entries.set(name, value === entry.value ? entry : { key: entry.key, value })
  }
  return entries.size === 0 && shape.optional ? undefined : map(entries, node.origin)
}

export const bindTypes = (tree: MapNode, report: Report): MapNode => {
  const bound = bindObject(tree, PROJECT, { report, path: [] })
  return bound?.kind === 'map' ? bound : tree
}
