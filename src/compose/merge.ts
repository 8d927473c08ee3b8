/** Several files into one tree: maps merge, scalars replace, lists append, and a table of places where it is otherwise. */
import type { TreePath } from '../errors.ts'
import type { Entry, MapNode, Node } from './node.ts'
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
} from './node.ts'
import type { PatternNode } from './pattern.ts'
import { compilePatterns, stepKey } from './pattern.ts'
import type { Report } from './report.ts'
import { nameOf } from './words.ts'

interface Context {
  readonly report: Report
  readonly path: TreePath
  readonly rules: PatternNode<Rule> | undefined
  /** Where the base stands, in words: `in an earlier file`. */
  readonly where: string
  /** The result meets another base yet, which its `!reset` and `!override` count against too. */
  readonly keepTags: boolean
}

type Rule = (base: Node, over: Node, context: Context) => Node

const replace: Rule = (base, over) => replaced(base, over)

/** Both forms of a key-value list as a map: a key of the later file replaces, also one that says nothing but its name. */
const byKey: Rule = (base, over, context) => {
  const [old, now] = [keyValues(base), keyValues(over)]
  if (old.kind !== 'map' || now.kind !== 'map') return mergePlain(old, now, context)
  const entries = new Map(old.entries)
  for (const [name, entry] of now.entries) {
    if (entry.value.tag === 'reset' && !context.keepTags) entries.delete(name)
    else entries.set(name, replacing(entries.get(name), entry))
  }
  return { ...old, entries, origin: now.origin }
}

const replacing = (old: Entry | undefined, { key, value }: Entry): Entry => ({
  key,
  value: old ? replaced(old.value, value) : value,
})

/** `[a, b]` as `{a: …, b: …}`, then merged by key. */
const byName =
  (value: (item: Node) => Node): Rule =>
  (base, over, context) =>
    mergePlain(named(base, value), named(over, value), context)

const append: Rule = (base, over, context) => mergePlain(listed(base), listed(over), context)

const appendHosts: Rule = (base, over, context) => {
  const left = hostList(base)
  const right = hostList(over)
  if (left.kind !== 'sequence' || right.kind !== 'sequence') return mergePlain(left, right, context)
  const known = new Set(left.items.map((item) => (item.kind === 'scalar' ? item.value : undefined)))
  const fresh = right.items.filter((item) => item.kind !== 'scalar' || !known.has(item.value))
  return sequence([...left.items, ...fresh], right.origin)
}

/** Options are a driver's own: they merge only while the driver stays the same. */
const mergeLogging: Rule = (base, over, context) => {
  const [old, now] = [get(base, 'driver'), get(over, 'driver')]
  const same = !old || !now || (old.kind === 'scalar' && now.kind === 'scalar' && old.value === now.value)
  return same ? mergePlain(base, over, context) : replaced(base, over)
}

const mergeBuild: Rule = (base, over, context) => {
  const expand = (node: Node): Node =>
    node.kind === 'scalar' && node.value !== null ? mapOf({ context: node }, node.origin) : node
  return mergePlain(expand(base), expand(over), context)
}

const mergeIpamConfig: Rule = (base, over, context) => {
  if (base.kind !== 'sequence' || over.kind !== 'sequence') return mergePlain(base, over, context)
  const items = [...base.items]
  for (const item of over.items) {
    const index = items.findIndex((other) => subnet(other) === subnet(item))
    const old = items[index]
    if (old === undefined) items.push(item)
    else items[index] = mergePlain(old, item, context)
  }
  return sequence(items, over.origin)
}

const subnet = (node: Node): unknown => {
  const value = get(node, 'subnet')
  return value?.kind === 'scalar' ? value.value : undefined
}

const started = ({ origin }: Node): Node =>
  mapOf({ condition: scalar('service_started', assumed(origin)), required: scalar(true, assumed(origin)) }, origin)
const nothing = (item: Node): Node => scalar(null, item.origin)

const RULES = compilePatterns<Rule>({
  'networks.*.ipam.config': mergeIpamConfig,
  'networks.*.labels': byKey,
  'volumes.*.labels': byKey,
  'services.*.annotations': byKey,
  'services.*.build': mergeBuild,
  'services.*.build.args': byKey,
  'services.*.build.additional_contexts': byKey,
  'services.*.build.extra_hosts': appendHosts,
  'services.*.build.labels': byKey,
  'services.*.command': replace,
  'services.*.depends_on': byName(started),
  'services.*.deploy.labels': byKey,
  'services.*.dns': append,
  'services.*.dns_opt': append,
  'services.*.dns_search': append,
  'services.*.entrypoint': replace,
  'services.*.env_file': append,
  'services.*.label_file': append,
  'services.*.environment': byKey,
  'services.*.extra_hosts': appendHosts,
  'services.*.healthcheck.test': replace,
  'services.*.labels': byKey,
  'services.*.logging': mergeLogging,
  'services.*.models': byName(nothing),
  'services.*.networks': byName(nothing),
  'services.*.sysctls': byKey,
  'services.*.tmpfs': append,
  'services.*.ulimits.*': replace,
})

const replaced = (base: Node, over: Node): Node => ({ ...over, origin: { ...over.origin, replaced: base.origin } })

const keyValues = (node: Node): Node => {
  if (node.kind !== 'sequence') return node
  const entries = new Map<string, Entry>()
  for (const item of node.items) {
    if (item.kind !== 'scalar' || item.value === null) return node
    const text = printScalar(item.value)
    const cut = text.indexOf('=')
    const key = cut < 0 ? text : text.slice(0, cut)
    entries.set(key, { key: item.origin, value: scalar(cut < 0 ? null : text.slice(cut + 1), item.origin) })
  }
  return map(entries, node.origin)
}

const named = (node: Node, value: (item: Node) => Node): Node => {
  if (node.kind !== 'sequence') return node
  const entries = new Map<string, Entry>()
  for (const item of node.items) {
    if (item.kind !== 'scalar' || typeof item.value !== 'string') return node
    entries.set(item.value, { key: item.origin, value: value(item) })
  }
  return map(entries, node.origin)
}

const listed = (node: Node): Node =>
  node.kind === 'scalar' && node.value !== null ? sequence([node], node.origin) : node

const hostList = (node: Node): Node => {
  if (node.kind !== 'map') return node
  const items: Node[] = []
  for (const [host, entry] of node.entries) {
    const addresses = entry.value.kind === 'sequence' ? entry.value.items : [entry.value]
    for (const address of addresses) {
      if (address.kind !== 'scalar' || address.value === null) return node
      items.push(scalar(`${host}=${printScalar(address.value)}`, address.origin))
    }
  }
  return sequence(items, node.origin)
}

/** Without looking at the table for the node itself: what a rule does once it has brought both sides to one form. */
const mergePlain = (base: Node, over: Node, context: Context): Node => {
  if (over.tag === 'override') return replaced(base, over)
  if (isNull(over)) return base
  if (isNull(base) || base.kind === 'poisoned' || over.kind === 'poisoned') return replaced(base, over)
  if (base.kind !== over.kind && (base.kind !== 'scalar' || context.path.length === 0)) {
    const { report, path, where } = context
    const words = { map: 'a map', sequence: 'a list', scalar: 'a single value' }
    const message = `${nameOf(path)} is ${words[over.kind]} here and ${words[base.kind]} ${where}`
    report.add({
      code: 'merge-mismatch',
      path,
      message,
      hint: 'use the same form in both, or !override',
      origin: over.origin,
      related: { message: 'the earlier one is at', origin: base.origin },
    })
    return poisoned(over.origin)
  }
  if (base.kind === 'map' && over.kind === 'map') return mergeMaps(base, over, context)
  if (base.kind === 'sequence' && over.kind === 'sequence') return { ...over, items: [...base.items, ...over.items] }
  return replaced(base, over)
}

const mergeMaps = (base: MapNode, over: MapNode, context: Context): MapNode => {
  const entries = new Map(base.entries)
  for (const [name, entry] of over.entries) {
    const old = entries.get(name)
    if (entry.value.tag === 'reset') {
      if (context.keepTags) entries.set(name, entry)
      else entries.delete(name)
      continue
    }
    const inner = { ...context, path: [...context.path, name], rules: stepKey(context.rules, name) }
    entries.set(name, { key: entry.key, value: old ? mergeNodes(old.value, entry.value, inner) : entry.value })
  }
  return { ...base, entries, origin: over.origin }
}

const mergeNodes = (base: Node, over: Node, context: Context): Node => {
  // One included tree that came by two ways.
  if (base === over) return base
  if (over.tag === 'override') return replaced(base, over)
  const rule = context.rules?.value
  return rule && !isNull(base) ? rule(base, over, context) : mergePlain(base, over, context)
}

const withoutTag = ({ tag: _, ...bare }: Node): Node => bare as Node

const withoutReset = (node: MapNode): MapNode => {
  let entries: Map<string, Entry> | undefined
  node.entries.forEach((entry, name) => {
    if (entry.value.tag !== 'reset') return
    entries ??= new Map(node.entries)
    entries.delete(name)
  })
  return entries ? { ...node, entries } : node
}

const clean = (node: Node): Node => {
  const untagged = node.tag ? withoutTag(node) : node
  if (untagged.kind === 'map') return mapValues(withoutReset(untagged), clean)
  if (untagged.kind !== 'sequence') return untagged
  const isKept = (item: Node): boolean => item.tag !== 'reset'
  const { items } = untagged
  return mapItems(items.every(isKept) ? untagged : { ...untagged, items: items.filter(isKept) }, clean)
}

/** Trees in order, a later one over the earlier ones. `!reset` and `!override` mean what is there so far, and are gone then. */
export const merge = (trees: readonly Node[], report: Report): Node | undefined => {
  const context: Context = { report, path: [], rules: RULES, where: 'in an earlier file', keepTags: false }
  let result: Node | undefined
  for (const tree of trees) result = clean(result ? mergeNodes(result, tree, context) : tree)
  return result
}

export interface Place {
  readonly report: Report
  /** Of both: a section and a name in it. */
  readonly path: readonly [string, string]
  /** Where the base stands, for messages: `in the service it extends`. */
  readonly where: string
}

/** A service or resource over another one. Tags of `over` stay, for merging with earlier files. */
export const mergeOver = (base: Node, over: Node, { report, path, where }: Place): Node => {
  const [section, name] = path
  const rules = stepKey(stepKey(RULES, section), name)
  const merged = mergeNodes(clean(base), over, { report, path, rules, where, keepTags: true })
  return over.tag ? { ...merged, tag: over.tag } : merged
}
