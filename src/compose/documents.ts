/**
 * Documents → one tree: each with what it includes and extends, one merged over the other, known to fit the schema, in long
 * forms. Included files are documents themselves, so this is where the phases recur.
 */
import { canonicalise } from './canonical.ts'
import { createSource } from './extended-file.ts'
import type { ExtendsContext, ServiceSource } from './extends.ts'
import { Extender } from './extends.ts'
import type { FileMention, Include } from './include.ts'
import { Importer, includesOf } from './include.ts'
import { includeEnvironment } from './include-environment.ts'
import type { Loading } from './loading.ts'
import { merge } from './merge.ts'
import type { MapNode, Node } from './node.ts'
import { createOrigin, get, map, withEntries } from './node.ts'
import { resolveEnvironment } from './normalise.ts'
import { relativePath, resolvePaths } from './paths.ts'
import type { Report } from './report.ts'
import { arrows } from './ring.ts'
import { checkSchema } from './schema.ts'
import { unique } from './unique.ts'

export interface Scope {
  /** Absolute; relative paths start here. */
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
  /** Files whose `include` led here, outermost first. */
  readonly includedFrom: readonly string[]
}

/** Whatever the file was, the later phases have a map to go on with. */
const rootOf = (tree: Node | undefined): MapNode =>
  tree?.kind === 'map' ? tree : map(new Map(), createOrigin(tree?.origin.file ?? '', 0, 0))

const dropVersion = (tree: MapNode, report: Report): MapNode => {
  const entry = tree.entries.get('version')
  if (!entry) return tree
  const origin = entry.key ?? entry.value.origin
  const message = 'version has no effect any more'
  const path = ['version']
  report.add({ code: 'version-obsolete', severity: 'warning', path, message, hint: 'delete the line', origin })
  return withEntries(tree, { version: undefined })
}

export const composeTree = async (loading: Loading, trees: readonly Node[], scope: Scope): Promise<MapNode> => {
  const { report } = loading
  const documents = loading.interpolate(trees, scope.environment)
  const extender = new Extender(extendsContext(loading, documents, scope))
  const complete: Node[] = []
  for (const document of documents) {
    const whole = await withIncludes(loading, document, scope)
    complete.push(await withExtends(loading, whole, { extender, scope }))
    if (loading.growth.exceeded) return rootOf(undefined)
  }
  const merged = rootOf(unique(rootOf(merge(complete, report))))
  // `include` itself stays until here, for the schema to see its form.
  const valid = rootOf(await checkSchema(dropVersion(merged, report), report, loading.passed))
  const current = withEntries(valid, { include: undefined })
  return rootOf(unique(canonicalise(current, report, { strict: loading.on('interpolate') })))
}

const withExtends = async (
  loading: Loading,
  document: Node,
  { extender, scope }: { readonly extender: Extender; readonly scope: Scope },
): Promise<Node> => {
  const services = get(document, 'services')
  if (document.kind !== 'map' || services?.kind !== 'map') return document
  const source: ServiceSource = {
    file: document.origin.file,
    directory: scope.directory,
    complete: !loading.broken,
    names: [...services.entries.keys()],
    find: (name) => get(services, name),
  }
  return withEntries(document, { services: await extender.extend(services, source) })
}

const extendsContext = (loading: Loading, documents: readonly Node[], scope: Scope): ExtendsContext => {
  const sources = new Map<string, ServiceSource>()
  return {
    report: loading.report,
    home: scope.environment.HOME,
    open: async (file, mention) => {
      const trees = await loading.parseFile(file, mention)
      loading.extended.add(file)
      if (trees && !sources.has(file)) sources.set(file, createSource(loading, { file, trees }, scope))
      return sources.get(file)
    },
    holder: (name) => documents.find((document) => get(get(document, 'services'), name))?.origin.file,
    place: (origin) => loading.place(origin),
    growth: loading.growth,
  }
}

const withIncludes = async (loading: Loading, document: Node, scope: Scope): Promise<Node> => {
  const includes = includesOf(document, { workingDirectory: scope.directory, home: scope.environment.HOME })
  if (includes.length === 0 || document.kind !== 'map') return document
  const includedFrom = [...scope.includedFrom, document.origin.file]
  const importer = new Importer(loading.report)
  let result = document
  for (const include of includes) {
    const included = await openInclude(loading, include, { ...scope, includedFrom })
    if (included) result = importer.import(result, included)
  }
  return result
}

/** undefined: it cannot be had, which was reported. */
const openInclude = (loading: Loading, include: Include, scope: Scope): Promise<MapNode | undefined> => {
  const { includes } = loading
  const environment = includes.environment(include, scope.environment, () =>
    includeEnvironment(include, scope.environment, loading),
  )
  return includes.tree(includes.key(include, environment, scope.directory), () =>
    readInclude(loading, include, { scope, environment }),
  )
}

/** The tree of an include, with paths from the directory of the scope. */
const readInclude = async (
  loading: Loading,
  include: Include,
  { scope, environment }: { readonly scope: Scope; readonly environment: Scope['environment'] },
): Promise<MapNode | undefined> => {
  const trees = loading.growth.admitFile(include.files[0]) ? await parseInclude(loading, include, scope) : undefined
  const tree = trees && (await composeTree(loading, trees, { ...scope, directory: include.directory, environment }))
  if (!tree || !loading.growth.admit(tree, include.files[0])) {
    loading.broken = true
    return undefined
  }
  const workingDirectory = relativePath(scope.directory, include.directory)
  const located = resolvePaths(tree, { workingDirectory, home: environment.HOME })
  return resolveEnvironment(located, environment)
}

/** undefined where one of the files cannot be read; all are tried, for what is to be said about them. */
const parseInclude = async (
  loading: Loading,
  { files }: Include,
  { includedFrom }: Scope,
): Promise<readonly Node[] | undefined> => {
  const all: Node[] = []
  let isWhole = true
  for (const mention of files) {
    const isNew = !reportCycle(mention, includedFrom, loading.report)
    const trees = isNew ? await loading.parseFile(mention.file, mention) : undefined
    isWhole &&= trees !== undefined
    all.push(...(trees ?? []))
  }
  return isWhole ? all : undefined
}

const reportCycle = ({ file, path, origin }: FileMention, includedFrom: readonly string[], report: Report): boolean => {
  const start = includedFrom.indexOf(file)
  if (start < 0) return false
  const ring = arrows([...includedFrom.slice(start), file], (member) => member)
  const message = `Files include each other in a circle: ${ring}`
  report.add({ code: 'cycle', path, message, origin })
  return true
}
