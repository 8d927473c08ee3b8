/** Lists in which a later element replaces an earlier one of the same key: ports, mounts, capabilities … */
import type { Node, SequenceNode } from './node.ts'
import { get, mapItems, mapValues, printScalar } from './node.ts'
import type { PatternNode } from './pattern.ts'
import { compilePatterns, stepItem, stepKey } from './pattern.ts'
import { parseVolume } from './short-volume.ts'

/** Key of an element; undefined: it stands for itself. */
type Indexer = (item: Node) => string | undefined

const scalarText = (node: Node | undefined): string | undefined =>
  node?.kind === 'scalar' && node.value !== null ? printScalar(node.value) : undefined

const keyOf: Indexer = (item) => scalarText(item)?.split('=', 1)[0]
const wholeOf: Indexer = scalarText
const fileOf: Indexer = (item) => scalarText(item) ?? scalarText(get(item, 'path'))
const deviceOf: Indexer = (item) => {
  const [source, target] = scalarText(item)?.split(':') ?? []
  return target ?? source ?? scalarText(get(item, 'target'))
}
const mountOf: Indexer = (item) => {
  const short = scalarText(item)
  if (short !== undefined) return parseVolume(short)?.target
  return scalarText(get(item, 'target'))
}
const fileMountOf =
  (folder: string): Indexer =>
  (item) => {
    const source = scalarText(item) ?? scalarText(get(item, 'source'))
    return scalarText(get(item, 'target')) ?? (source === undefined ? undefined : `${folder}/${source}`)
  }
const portOf: Indexer = (item) => {
  if (item.kind !== 'map') return scalarText(item)
  const field = (name: string, fallback: string): string => scalarText(get(item, name)) ?? fallback
  return `${field('host_ip', '0.0.0.0')}:${field('published', '')}:${field('target', '')}/${field('protocol', 'tcp')}`
}

const INDEXERS = compilePatterns<Indexer>({
  'networks.*.labels': keyOf,
  'services.*.annotations': keyOf,
  'services.*.build.args': keyOf,
  'services.*.build.additional_contexts': keyOf,
  'services.*.build.labels': keyOf,
  'services.*.build.tags': keyOf,
  'services.*.cap_add': keyOf,
  'services.*.cap_drop': keyOf,
  'services.*.configs': fileMountOf(''),
  'services.*.deploy.labels': keyOf,
  'services.*.devices': deviceOf,
  'services.*.dns': keyOf,
  'services.*.dns_opt': keyOf,
  'services.*.dns_search': keyOf,
  'services.*.env_file': fileOf,
  'services.*.environment': keyOf,
  'services.*.expose': wholeOf,
  'services.*.labels': keyOf,
  'services.*.links': keyOf,
  'services.*.networks.*.aliases': keyOf,
  'services.*.networks.*.link_local_ips': keyOf,
  'services.*.ports': portOf,
  'services.*.profiles': keyOf,
  'services.*.secrets': fileMountOf('/run/secrets'),
  'services.*.sysctls': keyOf,
  'services.*.tmpfs': keyOf,
  'services.*.volumes': mountOf,
})

const deduplicate = (node: SequenceNode, indexer: Indexer): SequenceNode => {
  if (node.items.length < 2) return node
  const places = new Map<string, number>()
  const items: Node[] = []
  for (const item of node.items) {
    const key = indexer(item)
    const place = key === undefined ? undefined : places.get(key)
    if (place === undefined) {
      if (key !== undefined) places.set(key, items.length)
      items.push(item)
    } else {
      items[place] = item
    }
  }
  return items.length === node.items.length ? node : { ...node, items }
}

const walk = (node: Node, patterns: PatternNode<Indexer> | undefined): Node => {
  if (patterns === undefined) return node
  if (node.kind === 'map') return mapValues(node, (value, name) => walk(value, stepKey(patterns, name)))
  if (node.kind !== 'sequence') return node
  const unique = patterns.value ? deduplicate(node, patterns.value) : node
  return mapItems(unique, (item) => walk(item, stepItem(patterns)))
}

export const unique = (tree: Node): Node => walk(tree, INDEXERS)
