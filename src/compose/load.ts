/** Files → Project. The phases of `load`, in order; each takes a tree and returns one, and reports what it finds. */
import type { Diagnostic } from '../errors.ts'
import { bindTypes } from './bind.ts'
import { canonicalise } from './canonical.ts'
import { checkConsistency } from './consistency.ts'
import { createProject } from './create-project.ts'
import { foldVariableFiles } from './environment.ts'
import { interpolate } from './interpolate.ts'
import { merge } from './merge.ts'
import type { MapNode, Node, Plain } from './node.ts'
import { createOrigin, get, map, toPlain, withEntries } from './node.ts'
import { normalise } from './normalise.ts'
import { LazyOrigins } from './origins.ts'
import { resolvePaths } from './paths.ts'
import type { LoadResult, Project } from './project.ts'
import { chooseName } from './project-name.ts'
import { Report } from './report.ts'
import { checkSchema, type PassedCache } from './schema.ts'
import { dropUnused, selectServices } from './select.ts'
import { decodeTrees, encodeTrees } from './tree-codec.ts'
import { unique } from './unique.ts'
import { dropUnsupported } from './unsupported.ts'

/** Remembers what is a pure function of a text, so that a file seen before is not parsed again. */
export interface TreeCache {
  /** Key of a text: a cryptographic hash, since two texts of one key would be taken for each other. */
  hash(text: string): string
  get(key: string): Uint8Array | undefined
  set(key: string, bytes: Uint8Array): void
}

export interface LoadInput {
  /** Absolute paths in order of merging; `-` is read like any other. */
  readonly files: readonly string[]
  /** Absolute; relative paths start here. */
  readonly workingDirectory: string
  /** From the command line or COMPOSE_PROJECT_NAME; undefined: `name:` of the files, else the directory's name. */
  readonly projectName?: string | undefined
  /** Shell over .env. */
  readonly environment: Readonly<Record<string, string>>
  readonly profiles: readonly string[]
  /** Named services: their profiles are on, and the project consists of them and what they need. Empty: all. */
  readonly services?: readonly string[]
  /** undefined: there is no such file. */
  readFile(path: string): string | undefined
  readonly cache?: TreeCache | undefined
  readonly options?: LoadOptions
}

/** What `config --no-…` switches off. Each is true unless set to false. */
export interface LoadOptions {
  /** false: variables stay, and the result is the untyped model. */
  readonly interpolate?: boolean
  readonly resolvePaths?: boolean
  readonly normalise?: boolean
  readonly consistency?: boolean
  /** false: `env_file` stays what it is. */
  readonly resolveEnvironment?: boolean
  /** false: named services come without what they depend on. */
  readonly dependencies?: boolean
  /** false: also networks, volumes … that nobody uses. */
  readonly dropUnused?: boolean
}

/** One run of the phases: what they share. */
class Loading {
  readonly report = new Report()
  readonly sources = new Map<string, string>()
  readonly input: LoadInput
  /** A file is missing or is not YAML: what the others say would be judged without it. */
  broken = false

  constructor(input: LoadInput) {
    this.input = input
  }

  on(option: keyof LoadOptions): boolean {
    return this.input.options?.[option] ?? true
  }

  readonly readFile = (path: string): string | undefined => {
    const text = this.sources.get(path) ?? this.input.readFile(path)
    if (text !== undefined) this.sources.set(path, text)
    return text
  }

  async parseFiles(): Promise<readonly Node[]> {
    const trees: Node[] = []
    for (const file of this.input.files) trees.push(...(await this.#parseFile(file)))
    return trees.filter((tree) => tree.kind !== 'scalar' || this.#refuse(tree))
  }

  #refuse(tree: Node): boolean {
    const message = 'The file has to be a map, with services: at its top'
    this.report.add({ code: 'type-wrong', path: [], message, origin: tree.origin })
    return false
  }

  async #parseFile(file: string): Promise<readonly Node[]> {
    const { report, input } = this
    const text = this.readFile(file)
    if (text === undefined) {
      report.add({ code: 'file-not-found', path: [], message: `The file ${file} does not exist` })
      this.broken = true
      return []
    }
    const key = input.cache?.hash(text)
    const known = key === undefined ? undefined : input.cache?.get(key)
    const remembered = known && decodeTrees(known, file)
    if (remembered) return remembered
    const { parse } = await import('./parse.ts')
    const before = report.diagnostics.length
    const { trees, broken } = parse(file, text, report)
    this.broken ||= broken
    if (trees.length === 0 && report.diagnostics.length === before) {
      report.add({
        code: 'file-empty',
        path: [],
        message: `The file ${file} is empty`,
        origin: createOrigin(file, 0, 0),
      })
    }
    // A finding would be lost with the cached tree.
    if (key !== undefined && report.diagnostics.length === before) input.cache?.set(key, encodeTrees(trees))
    return trees
  }

  interpolate(trees: readonly Node[], environment: Readonly<Record<string, string>>): readonly Node[] {
    const { report, sources } = this
    return trees.map((tree) => interpolate(tree, { environment, sources, report, variables: this.on('interpolate') }))
  }

  get passed(): PassedCache | undefined {
    const { cache } = this.input
    if (!cache) return undefined
    const keyOf = (value: Plain): string => cache.hash(`valid ${SCHEMA_VERSION} ${JSON.stringify(value)}`)
    return {
      has: (value) => cache.get(keyOf(value)) !== undefined,
      add: (value) => cache.set(keyOf(value), new Uint8Array([1])),
    }
  }
}

/** Part of the key of remembered checks: to be raised with every change of what the schema refuses. */
const SCHEMA_VERSION = 1

const emptyMap = (file: string): MapNode => map(new Map(), createOrigin(file, 0, 0))

const servicesOf = (tree: MapNode): MapNode => {
  const services = get(tree, 'services')
  return services?.kind === 'map' ? services : { ...emptyMap(tree.origin.file), origin: tree.origin }
}

const dropVersion = (tree: Node, report: Report): Node => {
  const entry = tree.kind === 'map' ? tree.entries.get('version') : undefined
  if (tree.kind !== 'map' || !entry) return tree
  const origin = entry.key ?? entry.value.origin
  const message = 'version is obsolete and has no effect'
  report.add({
    code: 'version-obsolete',
    severity: 'warning',
    path: ['version'],
    message,
    hint: 'delete the line',
    origin,
  })
  return withEntries(tree, { version: undefined })
}

const selectAndCheck = (bound: MapNode, loading: Loading): { tree: MapNode; disabled: MapNode } => {
  const { input, report, readFile } = loading
  const selection = {
    profiles: input.profiles,
    services: input.services ?? [],
    dependencies: loading.on('dependencies'),
  }
  const { services, disabled } = selectServices(servicesOf(bound), selection, report)
  const selected = withEntries(bound, { services })
  if (loading.on('consistency')) checkConsistency({ tree: selected, disabled, report })
  const context = { report, readFile, environment: input.environment }
  const resolved = loading.on('resolveEnvironment')
    ? withEntries(selected, { services: foldVariableFiles(services, context) })
    : selected
  return { tree: loading.on('dropUnused') ? dropUnused(resolved) : resolved, disabled }
}

export const load = async (input: LoadInput): Promise<LoadResult> => {
  const loading = new Loading(input)
  const { report } = loading
  const parsed = await loading.parseFiles()
  if (loading.broken) return finish(loading, emptyMap(''), undefined)
  const projectName = chooseName(
    { explicit: input.projectName, trees: nameTrees(loading, parsed), workingDirectory: input.workingDirectory },
    report,
  )
  const environment: Readonly<Record<string, string>> = { ...input.environment, COMPOSE_PROJECT_NAME: projectName }
  const interpolated = loading.interpolate(parsed, environment)
  const merged = unique(merge(interpolated, report) ?? emptyMap(input.files[0] ?? ''))
  const supported = dropUnsupported(dropVersion(await checkSchema(merged, report, loading.passed), report), report)
  const canonical = unique(canonicalise(supported, report, loading.on('interpolate')))
  const root = canonical.kind === 'map' ? canonical : emptyMap(input.files[0] ?? '')
  const absolute = loading.on('resolvePaths')
    ? resolvePaths(root, { workingDirectory: input.workingDirectory, home: environment.HOME })
    : root
  const located = absolute.kind === 'map' ? absolute : root
  const complete = loading.on('normalise') ? normalise(located, { projectName, environment }) : located
  if (!loading.on('interpolate')) return finish(loading, complete, undefined)
  const bound = bindTypes(complete, report)
  const { tree, disabled } = selectAndCheck(bound.kind === 'map' ? bound : complete, loading)
  const { workingDirectory, files: composeFiles } = input
  return finish(loading, tree, () => createProject({ tree, disabled, workingDirectory, composeFiles }))
}

/** In the order of the files, as a reader meets them; first what has no place. */
const sortDiagnostics = ({ report, input }: Loading): readonly Diagnostic[] => {
  const rank = (diagnostic: Diagnostic): number => (diagnostic.at ? input.files.indexOf(diagnostic.at.file) + 1 : -1)
  return [...report.diagnostics].sort(
    (one, other) => rank(one) - rank(other) || (one.at?.start ?? 0) - (other.at?.start ?? 0),
  )
}

/** The typed model is built at the first look: `config` never asks for it. */
const finish = (loading: Loading, tree: MapNode, create: (() => Project) | undefined): LoadResult => {
  const wanted = loading.report.failed ? undefined : create
  let project: Project | undefined
  return {
    get project() {
      project ??= wanted?.()
      return project
    },
    canonical: toPlain(tree, create === undefined) as Readonly<Record<string, unknown>>,
    origins: new LazyOrigins(tree),
    diagnostics: sortDiagnostics(loading),
    sources: loading.sources,
  }
}

/** `name:` is interpolated before the rest, which may use COMPOSE_PROJECT_NAME. */
const nameTrees = (loading: Loading, trees: readonly Node[]): readonly Node[] => {
  const named = trees.flatMap((tree) => {
    const entry = tree.kind === 'map' ? tree.entries.get('name') : undefined
    return entry ? [map(new Map([['name', entry]]), tree.origin)] : []
  })
  return loading.interpolate(named, loading.input.environment)
}
