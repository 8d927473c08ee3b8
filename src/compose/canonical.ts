/** Short forms → long forms, by a table of paths. A long form takes the origin of the short one. */
import type { Entry, Node, ScalarNode, SequenceNode } from './node.ts'
import {
  assumed,
  get,
  isNull,
  map,
  mapItems,
  mapOf,
  mapValues,
  poisoned,
  printScalar,
  scalar,
  sequence,
  textOf,
  withEntries,
} from './node.ts'
import type { PatternNode } from './pattern.ts'
import { compilePatterns, stepItem, stepKey } from './pattern.ts'
import type { Origin } from './project.ts'
import type { Report } from './report.ts'
import { parsePort } from './short-port.ts'
import { parseVolume, volumeMistake } from './short-volume.ts'
import { nameOf, quoted, shown } from './words.ts'

interface Context {
  readonly report: Report
  /** Where we are: it grows and shrinks on the way. */
  readonly path: (string | number)[]
  /** false: values may still hold variables; what cannot be parsed stays as it is. */
  readonly strict: boolean
  /** false: of a file to extend from, where what is left unsaid is for the extending one to say. */
  readonly defaults: boolean
}

type Transform = (node: Node, context: Context) => Node

/** One step down, for what messages name. */
const below = <T>({ path }: Context, step: string | number, visit: () => T): T => {
  path.push(step)
  const result = visit()
  path.pop()
  return result
}

const text = (value: string | undefined, origin: Origin): ScalarNode | undefined =>
  value === undefined ? undefined : scalar(value, origin)
const flag = (value: boolean, origin: Origin): ScalarNode | undefined => (value ? scalar(true, origin) : undefined)

const asField =
  (name: string): Transform =>
  (node) =>
    node.kind === 'scalar' && node.value !== null ? mapOf({ [name]: node }, node.origin) : node

const asList: Transform = (node) =>
  node.kind === 'scalar' && node.value !== null ? sequence([node], node.origin) : node

/** An address that a variable left empty is none. */
const dnsServers: Transform = (node, context) => {
  const list = asList(node, context)
  if (list.kind !== 'sequence') return list
  const items = list.items.filter((item) => item.kind !== 'scalar' || (item.value !== null && item.value !== ''))
  return items.length === list.items.length ? list : { ...list, items }
}

const asText: Transform = (node) =>
  node.kind === 'scalar' && node.value !== null ? scalar(printScalar(node.value), node.origin) : node

/** `[a, b]` → `{a: …, b: …}`. */
const byName =
  (value: (origin: Origin) => Node): Transform =>
  (node) =>
    named(node, value)

const named = (node: Node, value: (origin: Origin) => Node): Node => {
  if (!isTextList(node)) return node
  const entries = new Map<string, Entry>()
  for (const item of node.items) {
    const name = textOf(item)
    if (name !== undefined) entries.set(name, { key: item.origin, value: value(item.origin) })
  }
  return map(entries, node.origin)
}

const dependsOn: Transform = (node) => {
  const long = named(node, (origin) => mapOf({}, origin))
  if (long.kind !== 'map') return long
  return mapValues(long, (value) =>
    value.kind === 'map'
      ? withEntries(value, {
          condition: get(value, 'condition') ?? scalar('service_started', assumed(value.origin)),
          required: get(value, 'required') ?? scalar(true, assumed(value.origin)),
        })
      : value,
  )
}

/** What is no text among the items is for the schema to say. */
const isTextList = (node: Node): node is SequenceNode =>
  node.kind === 'sequence' && node.items.every((item) => textOf(item) !== undefined)

const keyValueMap: Transform = (node, { report, path, strict }) => {
  if (!isTextList(node)) return node
  const entries = new Map<string, Entry>()
  for (const item of node.items) {
    const value = textOf(item) ?? ''
    const cut = value.indexOf('=')
    if (cut < 0 && !strict) return node
    if (cut < 0)
      report.add({
        code: 'value-not-allowed',
        path,
        message: `${nameOf(path)} has ${shown(item)} instead of NAME=VALUE`,
        origin: item.origin,
      })
    else entries.set(value.slice(0, cut), { key: item.origin, value: scalar(value.slice(cut + 1), item.origin) })
  }
  return map(entries, node.origin)
}

/** `default` is the agent; any other key has a path. `ID: PATH` is how the canonical form prints it. */
const sshKeys: Transform = (node, { report, path: place, strict }) => {
  if (!isTextList(node)) return node
  const entries = new Map<string, Entry>()
  for (const [index, item] of node.items.entries()) {
    const [id = '', path] = (textOf(item) ?? '').split(/(?:=|: )(.*)/s)
    if (path === undefined && id !== 'default' && strict) {
      const message = `${nameOf([...place, index])} is the key ${quoted(id)} without its path`
      const hint = `write default for the agent, or ${id || 'ID'}=PATH`
      report.add({ code: 'value-not-allowed', path: [...place, index], message, hint, origin: item.origin })
    }
    entries.set(id, { key: item.origin, value: scalar(path ?? null, item.origin) })
  }
  return map(entries, node.origin)
}

const envFile: Transform = (node, context) => {
  const list = asList(node, context)
  if (list.kind !== 'sequence') return list
  return mapItems(list, (item) => {
    const long = asField('path')(item, context)
    return long.kind === 'map'
      ? withEntries(long, { required: get(long, 'required') ?? scalar(true, assumed(long.origin)) })
      : long
  })
}

const secretMount: Transform = (node, context) => {
  const long = asField('source')(node, context)
  const source = get(long, 'source')
  if (long.kind !== 'map' || source?.kind !== 'scalar') return long
  return withEntries(long, {
    target: get(long, 'target') ?? scalar(`/run/secrets/${String(source.value)}`, assumed(long.origin)),
  })
}

const device: Transform = (node, { report, path, strict }) => {
  const short = textOf(node)
  if (short === undefined) return node
  const [source, target = source, permissions = 'rwm', ...rest] = short.split(':')
  if (rest.length > 0 && strict) {
    report.add({
      code: 'device-invalid',
      path,
      message: `${nameOf(path)} is ${shown(node)}, which has too many colons`,
      hint: 'write SOURCE:TARGET:PERMISSIONS, such as /dev/ttyUSB0:/dev/ttyUSB0:rw',
      origin: node.origin,
    })
    return poisoned(node.origin)
  }
  const { origin } = node
  const parts = short.split(':').length
  return mapOf(
    {
      source: text(source, origin),
      target: text(target || source, parts > 1 ? origin : assumed(origin)),
      permissions: text(permissions, parts > 2 ? origin : assumed(origin)),
    },
    origin,
  )
}

const volume: Transform = (node, { report, path, strict }) => {
  const short = textOf(node)
  if (short === undefined) return node
  const { origin } = node
  const parsed = parseVolume(short)
  if (!parsed) {
    if (!strict) return node
    report.add({
      code: 'volume-invalid',
      path,
      message: `${nameOf(path)} is ${shown(node)}, which is not a mount: ${volumeMistake(short)}`,
      hint: 'write SOURCE:TARGET or SOURCE:TARGET:OPTIONS, such as ./data:/var/lib/data:ro',
      origin,
    })
    return poisoned(origin)
  }
  for (const option of parsed.unknown) {
    const message = `${nameOf(path)} has the option "${option}", which has no effect`
    const hint = /^read[-_]?only$/i.test(option)
      ? 'did you mean "ro"?'
      : 'options are ro, rw, z, Z, nocopy and the propagations'
    report.add({ code: 'option-unknown', severity: 'warning', path, message, hint, origin, part: option })
  }
  const isBind = parsed.type === 'bind'
  const hasBind = isBind || parsed.propagation !== undefined || parsed.selinux !== undefined
  const bind = mapOf(
    {
      selinux: text(parsed.selinux, origin),
      propagation: text(parsed.propagation, origin),
      create_host_path: flag(isBind, assumed(origin)),
    },
    origin,
  )
  return mapOf(
    {
      type: scalar(parsed.type, origin),
      source: text(parsed.source, origin),
      target: scalar(parsed.target, origin),
      read_only: flag(parsed.readOnly, origin),
      bind: hasBind ? bind : undefined,
      // A target of one or two letters is read by itself in the reference.
      volume:
        short.length <= 2 || (isBind && !parsed.nocopy)
          ? undefined
          : mapOf({ nocopy: flag(parsed.nocopy, origin) }, origin),
    },
    origin,
  )
}

const ports: Transform = (node, context) => {
  if (node.kind !== 'sequence') return node
  const lists = node.items.map((item, index) => below(context, index, () => port(item, context)))
  const isComplete = lists.every((list) => list.every((item) => item.kind !== 'scalar'))
  // Without interpolation all of them stay as they are if one cannot be read.
  return context.strict || isComplete ? { ...node, items: lists.flat() } : node
}

const port = (item: Node, { report, path, strict }: Context): readonly Node[] => {
  if (item.kind === 'map') return [portDefaults(item)]
  if (item.kind !== 'scalar' || item.value === null) return [item]
  const { origin } = item
  const short = printScalar(item.value)
  const parsed = parsePort(short)
  if ('mistake' in parsed) {
    if (!strict) return [item]
    const hint =
      typeof item.value === 'number' && item.value > 65_535
        ? 'quote ports such as "22:22", or YAML may read them as one number'
        : undefined
    report.add({
      code: 'port-invalid',
      path,
      message: `${nameOf(path)} is ${shown(item)}: ${parsed.mistake}`,
      hint: hint ?? parsed.hint,
      origin,
      part: parsed.part,
    })
    return [poisoned(origin)]
  }
  return parsed.map((each) =>
    mapOf(
      {
        mode: scalar('ingress', assumed(origin)),
        host_ip: text(each.hostIp, origin),
        target: scalar(each.target, origin),
        published: text(each.published, origin),
        protocol: scalar(each.protocol, short.includes('/') ? origin : assumed(origin)),
      },
      origin,
    ),
  )
}

const portDefaults = (node: Node): Node =>
  node.kind === 'map'
    ? withEntries(node, {
        mode: get(node, 'mode') ?? scalar('ingress', assumed(node.origin)),
        protocol: get(node, 'protocol') ?? scalar('tcp', assumed(node.origin)),
      })
    : node

const gpus: Transform = (node) =>
  textOf(node) === 'all' ? sequence([mapOf({ count: node }, node.origin)], node.origin) : node

const deviceRequest: Transform = (node) =>
  node.kind === 'map' && !get(node, 'count') && !get(node, 'device_ids')
    ? withEntries(node, { count: scalar('all', assumed(node.origin)) })
    : node

const build: Transform = (node, context) => {
  const long = asField('context')(node, context)
  if (long.kind !== 'map' || !context.defaults || get(long, 'context')) return long
  return withEntries(long, { context: scalar('.', assumed(long.origin)) })
}

const maybeExternal: Transform = (node, { report, path }) => {
  const external = get(node, 'external')
  if (node.kind !== 'map' || external?.kind !== 'map') return node
  const inner = get(external, 'name')
  const name = get(node, 'name')
  if (inner) {
    const message = `${nameOf([...path, 'external', 'name'])} is an old form`
    report.add({
      code: 'external-name',
      severity: 'warning',
      path,
      message,
      hint: `write name: ${textOf(inner) ?? '…'} and external: true`,
      origin: external.origin,
    })
  }
  if (inner && name && textOf(inner) !== textOf(name)) {
    report.add({
      code: 'conflict',
      path,
      message: `${nameOf(path)} has two names: ${shown(name)} and ${shown(inner)}`,
      hint: 'keep name, and external: true',
      origin: inner.origin,
      related: { message: 'the other one is at', origin: name.origin },
    })
  }
  return withEntries(node, { external: scalar(true, external.origin), name: name ?? inner })
}

const RULES = compilePatterns<Transform>({
  'services.*.build': build,
  'services.*.build.additional_contexts': keyValueMap,
  'services.*.build.provenance': asText,
  'services.*.build.sbom': asText,
  'services.*.build.secrets.[]': asField('source'),
  'services.*.build.ssh': sshKeys,
  'services.*.configs.[]': asField('source'),
  'services.*.depends_on': dependsOn,
  'services.*.deploy.resources.reservations.devices.[]': deviceRequest,
  'services.*.develop.watch.[].ignore': asList,
  'services.*.develop.watch.[].include': asList,
  'services.*.devices.[]': device,
  'services.*.dns': dnsServers,
  'services.*.env_file': envFile,
  'services.*.gpus': gpus,
  'services.*.gpus.[]': deviceRequest,
  'services.*.label_file': asList,
  'services.*.models': byName((origin) => scalar(null, origin)),
  'services.*.networks': byName((origin) => scalar(null, origin)),
  'services.*.ports': ports,
  'services.*.secrets.[]': secretMount,
  'services.*.volumes.[]': volume,
  'networks.*': maybeExternal,
  'volumes.*': maybeExternal,
  'secrets.*': maybeExternal,
  'configs.*': maybeExternal,
})

/** The node itself first, then what is in its long form. */
const walk = (node: Node, rules: PatternNode<Transform> | undefined, context: Context): Node => {
  if (rules === undefined || node.kind === 'poisoned' || isNull(node)) return node
  const long = rules.value ? rules.value(node, context) : node
  if (long.kind === 'map') {
    return mapValues(long, (value, name) => {
      const next = stepKey(rules, name)
      return next ? below(context, name, () => walk(value, next, context)) : value
    })
  }
  const next = stepItem(rules)
  if (long.kind !== 'sequence' || !next) return long
  return mapItems(long, (item, index) => below(context, index, () => walk(item, next, context)))
}

export const canonicalise = (
  tree: Node,
  report: Report,
  { strict, defaults = true }: { readonly strict: boolean; readonly defaults?: boolean },
): Node => walk(tree, RULES, { report, path: [], strict, defaults })
