/** Files → Project: the phases, in order. Each takes a tree and returns one, and reports what it finds. */
import { bindTypes } from './bind.ts'
import { checkConsistency } from './consistency.ts'
import { composeTree } from './documents.ts'
import { foldVariableFiles } from './environment.ts'
import { finish, Loading } from './loading.ts'
import type { MapNode, Node } from './node.ts'
import { createOrigin, get, map, withEntries } from './node.ts'
import { normalise, resolveVariablesOfServices } from './normalise.ts'
import { withVariable } from './observation.ts'
import { resolvePaths } from './paths.ts'
import type { LoadResult } from './project.ts'
import { chooseName } from './project-name.ts'
import { secretVariablesOf } from './secret-variables.ts'
import { dropUnused, selectServices } from './select.ts'

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
  /** Variables of lines of `.env` that are wrong: that they have no value was said. */
  readonly wrongVariables?: ReadonlySet<string>
  readonly profiles: readonly string[]
  /** Named services: their profiles are on, and the project consists of them and what they need. Empty: all. */
  readonly services?: readonly string[]
  /** undefined: there is no such file. */
  readFile(path: string): string | undefined
  readonly cache?: TreeCache | undefined
  /** true: the caller remembers what comes of it. Parts that are found again about as quickly are not remembered, too. */
  readonly isRemembered?: boolean
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

type Environment = Readonly<Record<string, string>>

const emptyMap = (file: string): MapNode => map(new Map(), createOrigin(file, 0, 0))

const servicesOf = (tree: MapNode): MapNode => {
  const services = get(tree, 'services')
  return services?.kind === 'map' ? services : { ...emptyMap(''), origin: tree.origin }
}

/** `name:` is interpolated before the rest, which may use COMPOSE_PROJECT_NAME. */
const nameProject = (loading: Loading, trees: readonly Node[]): string => {
  const { environment, projectName: explicit, workingDirectory } = loading.input
  const named = trees.flatMap((tree) => {
    const entry = tree.kind === 'map' ? tree.entries.get('name') : undefined
    return entry ? [map(new Map([['name', entry]]), tree.origin)] : []
  })
  return chooseName({ explicit, trees: loading.interpolate(named, environment), workingDirectory }, loading.report)
}

/** What the files leave unsaid. */
const completeTree = (loading: Loading, tree: MapNode, projectName: string, environment: Environment): MapNode => {
  const { workingDirectory } = loading.input
  const located = loading.on('resolvePaths') ? resolvePaths(tree, { workingDirectory, home: environment.HOME }) : tree
  const isResolved = loading.on('interpolate') && loading.on('resolveEnvironment')
  const resolved = isResolved ? resolveVariablesOfServices(located, environment) : located
  return loading.on('normalise') ? normalise(resolved, { projectName, environment }) : resolved
}

/** Only what is wanted and used, checked as a whole. */
const selectTree = (loading: Loading, tree: MapNode): { tree: MapNode; disabled: MapNode } => {
  const { input, report, readVariableFile, wrongVariables } = loading
  const { profiles, services: names = [], environment, workingDirectory } = input
  const selection = { profiles, services: names, dependencies: loading.on('dependencies') }
  const { services, disabled } = selectServices(servicesOf(tree), selection, report)
  const selected = withEntries(tree, { services })
  if (loading.on('consistency')) checkConsistency({ tree: selected, disabled, report })
  const context = { report, readVariableFile, wrongVariables, environment, workingDirectory }
  const resolved = loading.on('resolveEnvironment')
    ? withEntries(selected, { services: foldVariableFiles(services, context) })
    : selected
  return { tree: loading.on('dropUnused') ? dropUnused(resolved) : resolved, disabled }
}

export const load = async (input: LoadInput): Promise<LoadResult> => {
  const loading = new Loading(input)
  const parsed = await loading.parseFiles()
  if (loading.broken) return finish(loading, emptyMap(''))
  const projectName = nameProject(loading, parsed)
  const environment = withVariable(input.environment, 'COMPOSE_PROJECT_NAME', projectName)
  const { workingDirectory: directory } = input
  const canonical = await composeTree(loading, parsed, { directory, environment, includedFrom: [] })
  if (loading.broken || loading.growth.exceeded) return finish(loading, canonical)
  loading.secretVariables = secretVariablesOf(canonical)
  const complete = completeTree(loading, canonical, projectName, environment)
  if (!loading.on('interpolate')) return finish(loading, complete)
  const bound = bindTypes(complete, loading.report)
  const { tree, disabled } = selectTree(loading, bound)
  return finish(loading, tree, disabled)
}
