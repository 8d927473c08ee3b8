/** Relative paths of the files → absolute ones, from the project's directory. */
import type { MapNode, Node } from './node.ts'
import { get, mapItems, mapValues, scalar, textOf, withEntries } from './node.ts'
import type { PatternNode } from './pattern.ts'
import { compilePatterns, stepItem, stepKey } from './pattern.ts'
import { cleanPath } from './short-volume.ts'

export interface PathContext {
  /** Absolute, or relative to where the paths will be resolved again. */
  readonly workingDirectory: string
  readonly home: string | undefined
}

type Resolver = (node: Node, context: PathContext) => Node

export const joinPath = (directory: string, path: string): string =>
  path.startsWith('/') ? path : cleanPath(`${directory}/${path}`)

export const directoryOf = (path: string): string => cleanPath(`${path}/..`)

const expandHome = (path: string, home: string | undefined): string =>
  path.startsWith('~') && home !== undefined ? cleanPath(`${home}/${path.slice(1)}`) : path

/** `~` is the home directory; a relative path starts at the working directory, and stays relative where that is. */
export const resolvePath = (path: string, { workingDirectory, home }: PathContext): string =>
  joinPath(workingDirectory, expandHome(path, home))

/** From one absolute directory to another: `../other`, or `.`. */
export const relativePath = (from: string, to: string): string => {
  const [start, end] = [from, to].map((path) => path.split('/').filter((part) => part !== '')) as [string[], string[]]
  const fork = start.findIndex((part, index) => part !== end[index])
  const common = fork < 0 ? start.length : fork
  return [...start.slice(common).map(() => '..'), ...end.slice(common)].join('/') || '.'
}

const absolute: Resolver = (node, context) => {
  const path = textOf(node)
  if (path === undefined || path === '') return node
  const resolved = resolvePath(path, context)
  return resolved === path ? node : scalar(resolved, node.origin)
}

/** `C:\\x`, `\\\\host\\x`: of a machine with Windows, as they are. */
const WINDOWS = /^(?:.:[\\/]|[\\/]{2})/

const absoluteAnywhere: Resolver = (node, context) =>
  WINDOWS.test(textOf(node) ?? '') ? node : absolute(node, context)

const REMOTE = /:\/\/|^(?:service:|docker-image:|oci-layout:|github\.com\/|git@)/

const contextPath: Resolver = (node, context) => (REMOTE.test(textOf(node) ?? '') ? node : absolute(node, context))

const mountSource: Resolver = (node, context) => {
  const source = get(node, 'source')
  if (node.kind !== 'map' || textOf(get(node, 'type')) !== 'bind' || !source) return node
  return withEntries(node, { source: absoluteAnywhere(source, context) })
}

/** `driver: local` with `o: bind` is a bind mount in disguise. */
const boundDevice: Resolver = (node, context) => {
  const options = get(node, 'driver_opts')
  const path = get(options, 'device')
  if (node.kind !== 'map' || options?.kind !== 'map' || !path) return node
  if (textOf(get(node, 'driver')) !== 'local' || textOf(get(options, 'o')) !== 'bind') return node
  return withEntries(node, { driver_opts: withEntries(options, { device: absoluteAnywhere(path, context) }) })
}

const RESOLVERS = compilePatterns<Resolver>({
  'services.*.build.context': contextPath,
  'services.*.build.additional_contexts.*': contextPath,
  'services.*.build.ssh.*': absoluteAnywhere,
  'services.*.env_file.[].path': absolute,
  'services.*.label_file.[]': absolute,
  'services.*.develop.watch.[].path': absolute,
  'services.*.volumes.[]': mountSource,
  'configs.*.file': absoluteAnywhere,
  'secrets.*.file': absoluteAnywhere,
  'volumes.*': boundDevice,
})

const walk = (node: Node, resolvers: PatternNode<Resolver> | undefined, context: PathContext): Node => {
  if (resolvers === undefined) return node
  if (resolvers.value) return resolvers.value(node, context)
  if (node.kind === 'map') return mapValues(node, (value, name) => walk(value, stepKey(resolvers, name), context))
  if (node.kind === 'sequence') return mapItems(node, (item) => walk(item, stepItem(resolvers), context))
  return node
}

export const resolvePaths = (tree: MapNode, context: PathContext): MapNode =>
  mapValues(tree, (value, name) => walk(value, stepKey(RESOLVERS, name), context))
