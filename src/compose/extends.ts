/**
 * `extends`: a service over another one, of its own document or of another file, which may extend a third one. A chain is
 * walked to its end and then folded from there, so that its length is no matter of the stack.
 */
import { didYouMean } from '../units/suggest.ts'
import type { Growth, Mention } from './growth.ts'
import { mergeOver } from './merge.ts'
import type { MapNode, Node } from './node.ts'
import { get, isNull, poisoned, textOf, withEntries } from './node.ts'
import { resolvePath } from './paths.ts'
import type { Origin } from './project.ts'
import { isRemote } from './remote.ts'
import type { Report } from './report.ts'
import { arrows, commas } from './ring.ts'

/** Where services are looked up: a document with what it includes, or a file that one extends from. */
export interface ServiceSource {
  /** Absolute. */
  readonly file: string
  /** Absolute; `file:` of its services starts here. */
  readonly directory: string
  /** false: something of it could not be read, so that what is missing is no mistake. */
  readonly complete: boolean
  readonly names: readonly string[]
  find(name: string): Node | undefined
}

export interface ExtendsContext {
  readonly report: Report
  readonly home: string | undefined
  /** undefined: the file cannot be read, which was reported. */
  open(file: string, mention: Mention): Promise<ServiceSource | undefined>
  /** A file of the same project with a service of that name, for a hint. */
  holder(name: string): string | undefined
  /** `compose.yaml:3` */
  place(origin: Origin): string
  readonly growth: Growth
}

interface Extension {
  readonly service: string
  readonly file: string | undefined
  readonly node: Node
  readonly fileNode: Node | undefined
}

/** One service of a chain. */
interface Layer {
  readonly source: ServiceSource
  readonly name: string
  readonly service: Node
}

interface Chain {
  /** From the service that was asked for to the last one it builds on. */
  readonly layers: readonly Layer[]
  /** Below the last layer: known already; `failed`: what it extends cannot be had, which was reported. */
  readonly base: Node | 'failed' | undefined
}

/** undefined: there is none, or in no form that means one, which is for the schema to say. */
const extensionOf = (service: Node): Extension | undefined => {
  const node = get(service, 'extends')
  const name = node && (node.kind === 'map' ? get(node, 'service') : node)
  const fileNode = get(node, 'file')
  const named = textOf(name)
  if (!name || named === undefined || named === '') return undefined
  if (fileNode && !isNull(fileNode) && textOf(fileNode) === undefined) return undefined
  return { service: named, file: textOf(fileNode), node: name, fileNode }
}

const keyOf = ({ source, name }: Pick<Layer, 'source' | 'name'>): string => `${source.file} ${name}`

const failedOver = ({ service }: Layer): Node => {
  const extension = get(service, 'extends')
  return service.kind === 'map' && extension
    ? withEntries(service, { extends: poisoned(extension.origin) })
    : poisoned(service.origin)
}

const withoutExtends = (service: Node): Node => {
  if (service.kind !== 'map') return service
  return withEntries(service, { extends: undefined })
}

export class Extender {
  readonly #context: ExtendsContext
  readonly #known = new Map<ServiceSource, Map<string, Node>>()

  constructor(context: ExtendsContext) {
    this.#context = context
  }

  /** The services of a source, each with what it extends below it. */
  async extend(services: MapNode, source: ServiceSource): Promise<MapNode> {
    const changes: Record<string, Node> = Object.create(null) as Record<string, Node>
    for (const [name, { value }] of services.entries) {
      if (get(value, 'extends')) changes[name] = await this.#resolve({ source, name, service: value })
    }
    return withEntries(services, changes)
  }

  async #resolve(layer: Layer): Promise<Node> {
    const known = this.#find(layer)
    if (known) return known
    const { layers, base } = await this.#chain(layer)
    let below = base
    for (const each of layers.toReversed()) {
      below = this.#over(below, each)
      this.#remember(each, below)
    }
    return below === undefined || below === 'failed' ? layer.service : below
  }

  #find({ source, name }: Pick<Layer, 'source' | 'name'>): Node | undefined {
    return this.#known.get(source)?.get(name)
  }

  #remember({ source, name }: Layer, service: Node): void {
    const services = this.#known.get(source) ?? new Map<string, Node>()
    this.#known.set(source, services.set(name, service))
  }

  async #chain(first: Layer): Promise<Chain> {
    const layers = [first]
    const seen = new Set([keyOf(first)])
    let layer = first
    for (;;) {
      const extension = extensionOf(layer.service)
      if (!extension) return { layers, base: undefined }
      const next = await this.#next(layer, extension)
      const known = next && this.#find(next)
      if (known) return { layers, base: known }
      if (next && seen.has(keyOf(next))) this.#reportCycle(layers, next, extension)
      if (!next || seen.has(keyOf(next))) return { layers, base: 'failed' }
      seen.add(keyOf(next))
      layers.push(next)
      layer = next
    }
  }

  async #next(layer: Layer, extension: Extension): Promise<Layer | undefined> {
    this.#reportUnknownKeys(layer)
    const source = await this.#sourceOf(layer, extension)
    if (!source) return undefined
    const service = source.find(extension.service)
    if (service) return { source, name: extension.service, service }
    if (source.complete) this.#reportUndefined(layer, extension, source)
    return undefined
  }

  async #sourceOf({ source, name }: Layer, { file, fileNode }: Extension): Promise<ServiceSource | undefined> {
    if (file === undefined || !fileNode) return source
    const { home } = this.#context
    const mention = { path: ['services', name, 'extends', 'file'], origin: fileNode.origin }
    const path = isRemote(file) ? file : resolvePath(file, { workingDirectory: source.directory, home })
    return this.#context.open(path, mention)
  }

  #over(below: Chain['base'], layer: Layer): Node {
    if (below === undefined) return layer.service
    if (below === 'failed' || (below.kind !== 'map' && !isNull(below))) return failedOver(layer)
    const { report, growth } = this.#context
    const path = ['services', layer.name] as const
    if (!growth.admit(below, { path, origin: originOf(layer) })) return failedOver(layer)
    // A tag of the service as a whole is about earlier files, not about what it extends.
    const { tag, ...service } = withoutExtends(layer.service)
    const merged = mergeOver(below, service as Node, { report, path, where: 'in the service it extends' })
    return tag ? { ...merged, tag } : merged
  }

  #reportUnknownKeys({ service, name }: Layer): void {
    const extension = get(service, 'extends')
    if (extension?.kind !== 'map') return
    for (const [key, entry] of extension.entries) {
      if (key === 'service' || key === 'file') continue
      const path = ['services', name, 'extends']
      const message = `${path.join('.')} has no key "${key}"`
      const hint = didYouMean(key, ['service', 'file'])
      const origin = entry.key ?? entry.value.origin
      this.#context.report.add({ code: 'key-unknown', path: [...path, key], message, hint, origin })
    }
  }

  #reportUndefined(layer: Layer, { service, node, file }: Extension, source: ServiceSource): void {
    const path = ['services', layer.name, 'extends']
    const where = file === undefined ? '' : ` of ${source.file}`
    const message = `services.${layer.name} extends "${service}", which is not a service${where}`
    const holder = file === undefined ? this.#context.holder(service) : undefined
    const hint = holder
      ? `${holder} has it: extends looks into its own file unless file: names another one`
      : didYouMean(service, source.names)
    this.#context.report.add({ code: 'reference-undefined', path, message, hint, origin: node.origin })
  }

  /** Only the ring: what leads into it is none of it. */
  #reportCycle(layers: readonly Layer[], next: Layer, { node }: Extension): void {
    const { report, place } = this.#context
    const ring = layers.slice(layers.findIndex((layer) => keyOf(layer) === keyOf(next)))
    const names = arrows([...ring, next], ({ name }) => name)
    const places = commas(ring, (layer) => `${layer.name} in ${place(originOf(layer))}`)
    const path = ['services', ring.at(-1)?.name ?? '', 'extends']
    const message = `Services extend each other in a circle: ${names}`
    report.add({ code: 'cycle', path, message, hint: places, origin: node.origin })
  }
}

const originOf = ({ service }: Layer): Origin => get(service, 'extends')?.origin ?? service.origin
