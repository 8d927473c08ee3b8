/** What the phases of one `load` share: the input, the texts read so far, what was found; and how it ends. */
import type { Diagnostic } from '../errors.ts'
import { createProject } from './create-project.ts'
import { DEFAULT_FILES } from './discover.ts'
import type { Mention } from './growth.ts'
import { Growth } from './growth.ts'
import { IncludeCache } from './include-cache.ts'
import { interpolate } from './interpolate.ts'
import type { LoadInput, LoadOptions } from './load.ts'
import type { MapNode, Node, Plain } from './node.ts'
import { createOrigin, toPlain } from './node.ts'
import { LazyOrigins } from './origins.ts'
import { directoryOf, joinPath } from './paths.ts'
import type { LoadResult, Origin, Project } from './project.ts'
import { isRemote, remoteFinding } from './remote.ts'
import { Report } from './report.ts'
import type { PassedCache } from './schema.ts'
import { describeNode } from './words.ts'
import { hideSecrets, secretValues } from './secret-variables.ts'
import { decodeTrees, encodeTrees } from './tree-codec.ts'
import { parsePlainly } from './yaml-fast/parse-plainly.ts'

type Environment = Readonly<Record<string, string>>
const isEmpty = (tree: Node): boolean => tree.kind === 'map' && tree.entries.size === 0

/** undefined: it is not YAML, which was reported. */
const readTrees = async (file: string, text: string, report: Report): Promise<readonly Node[] | undefined> => {
  const tree = parsePlainly(file, text)
  if (tree !== undefined) return [tree]
  const { parse } = await import('./parse.ts')
  const { trees, broken } = parse(file, text, report)
  return broken ? undefined : trees
}

/** One run of the phases: what they share. */
export class Loading {
  readonly sources = new Map<string, string>()
  readonly report = new Report(this.sources)
  readonly input: LoadInput
  readonly includes = new IncludeCache()
  /** Files of which only single services count. */
  readonly extended = new Set<string>()
  readonly growth = new Growth(this.report)
  /** What env files of includes gave, by the environment that they made. */
  readonly givenBy = new Map<Environment, ReadonlyMap<string, string>>()
  /** The same by Compose file. */
  readonly variableFiles = new Map<string, ReadonlyMap<string, string>>()
  readonly #trees = new Map<string, readonly Node[] | undefined>()
  /** Files of variables: of their text only what is marked may be shown. */
  readonly hidden = new Set<string>()
  /** Names that wrong lines of such files were to give a value. */
  readonly wrongVariables: Set<string>
  /** A file is missing or is not YAML: what the others say would be judged without it. */
  broken = false
  secretVariables: ReadonlySet<string> = new Set()

  constructor(input: LoadInput) {
    this.input = input
    this.wrongVariables = new Set(input.wrongVariables)
  }

  on(option: keyof LoadOptions): boolean {
    return this.input.options?.[option] ?? true
  }

  readonly readFile = (path: string): string | undefined => {
    const text = this.sources.get(path) ?? this.input.readFile(path)
    if (text !== undefined) this.sources.set(path, text)
    return text
  }

  readonly readVariableFile = (path: string): string | undefined => {
    this.hidden.add(path)
    return this.readFile(path)
  }

  async parseFiles(): Promise<readonly Node[]> {
    const trees: Node[] = []
    const empty: string[] = []
    for (const file of this.input.files) {
      const parsed = await this.parseFile(file)
      if (!parsed) this.broken = true
      if (parsed?.every(isEmpty)) empty.push(file)
      trees.push(...(parsed ?? []))
    }
    for (const file of empty) this.#reportEmpty(file, empty.length < this.input.files.length)
    return trees
  }

  /** One among others adds nothing. An included file may be empty; of one with a root of another kind that was said. */
  #reportEmpty(file: string, isOneOfMany: boolean): void {
    if (this.report.diagnostics.some(({ at }) => at?.file === file)) return
    const origin = createOrigin(file, 0, 0)
    const hint = 'write services: at its top, and a service below it'
    const severity = isOneOfMany ? 'warning' : 'error'
    this.report.add({ code: 'file-empty', severity, path: [], message: 'The file is empty', hint, origin })
  }

  /** The documents of a file, each a map; undefined: it cannot be read, which is reported. `mention`: who names it. */
  async parseFile(file: string, mention?: Mention): Promise<readonly Node[] | undefined> {
    const text = isRemote(file) ? undefined : this.readFile(file)
    if (text === undefined) {
      this.#reportMissing(file, mention)
      return undefined
    }
    if (!this.#trees.has(file)) this.#trees.set(file, await this.#parse(file, text))
    return this.#trees.get(file)
  }

  #reportMissing(file: string, { path = [], origin }: Partial<Mention> = {}): void {
    const inside = DEFAULT_FILES.map((name) => `${file}/${name}`)
    const inner = inside.find((name) => this.input.readFile(name) !== undefined)
    const message = inner === undefined ? `The file ${file} does not exist` : `${file} is a directory, not a file`
    const hint = inner === undefined ? this.#besideHint(file, origin) : `name the file in it: ${inner}`
    if (isRemote(file)) this.report.add(remoteFinding(file, origin, path))
    else this.report.add({ code: 'file-not-found', path, message, hint, origin })
  }

  /** Where a file in another directory than the project's means one beside itself. */
  #besideHint(file: string, origin: Origin | undefined): string | undefined {
    if (origin === undefined) return undefined
    const beside = joinPath(directoryOf(origin.file), file.slice(file.lastIndexOf('/') + 1))
    if (beside === file || this.input.readFile(beside) === undefined) return undefined
    return `${beside} is there, but paths start at the directory of the project`
  }

  #refuse(tree: Node): boolean {
    const message = `The file is ${describeNode(tree)}, but has to be a map`
    const hint = 'write services: at its top, and the services below it, indented'
    if (tree.kind !== 'poisoned') this.report.add({ code: 'type-wrong', path: [], message, hint, origin: tree.origin })
    return false
  }

  async #parse(file: string, text: string): Promise<readonly Node[] | undefined> {
    const { report, input } = this
    const plain = input.isRemembered ? parsePlainly(file, text) : undefined
    if (plain) return [plain]
    const key = input.cache?.hash(text)
    const known = key === undefined ? undefined : input.cache?.get(key)
    const remembered = known && decodeTrees(known, file)
    if (remembered) return remembered.filter((tree) => tree.kind === 'map' || this.#refuse(tree))
    const before = report.diagnostics.length
    const trees = await readTrees(file, text, report)
    // A finding would be lost with the cached tree.
    if (trees && key !== undefined && report.diagnostics.length === before) input.cache?.set(key, encodeTrees(trees))
    return trees?.filter((tree) => tree.kind === 'map' || this.#refuse(tree))
  }

  /** `compose.yaml:3` */
  place({ file, start }: Origin): string {
    return `${file}:${(this.sources.get(file) ?? '').slice(0, start).split('\n').length}`
  }

  interpolate(trees: readonly Node[], environment: Environment): readonly Node[] {
    const { report, sources, wrongVariables: wrong } = this
    const given = this.givenBy.get(environment)
    if (given) for (const { origin } of trees) this.variableFiles.set(origin.file, given)
    const variables = this.on('interpolate')
    return trees.map((tree) => interpolate(tree, { environment, wrong, sources, report, variables }))
  }

  get passed(): PassedCache | undefined {
    const { cache, isRemembered } = this.input
    if (!cache || isRemembered) return undefined
    const keyOf = (value: Plain): string => cache.hash(`valid ${SCHEMA_VERSION} ${JSON.stringify(value)}`)
    return {
      has: (value) => cache.get(keyOf(value)) !== undefined,
      add: (value) => cache.set(keyOf(value), new Uint8Array([1])),
    }
  }
}

/** Part of the key of remembered checks: to be raised with every change of what the schema refuses. */
const SCHEMA_VERSION = 2

/** In the order in which the files were read, as a reader meets them; first what has no place. */
const sortDiagnostics = ({ report, sources }: Loading): readonly Diagnostic[] => {
  const ranks = new Map([...sources.keys()].map((file, index) => [file, index]))
  const rank = ({ at }: Diagnostic): number => (at ? (ranks.get(at.file) ?? ranks.size) : -1)
  return [...report.diagnostics].sort(
    (one, other) => rank(one) - rank(other) || (one.at?.start ?? 0) - (other.at?.start ?? 0),
  )
}

/** In a file that one extends from, what a service refers to may well be there: it just does not come along. */
const explain = (diagnostic: Diagnostic, { extended, input }: Loading): Diagnostic => {
  const { code, at } = diagnostic
  if (code !== 'reference-undefined' || !at || !extended.has(at.file) || input.files.includes(at.file))
    return diagnostic
  return { ...diagnostic, hint: 'extends brings the service alone: declare in the project what it refers to' }
}

/**
 * Both models are built at the first look: `config` never asks for the typed one, and with -q for neither. `disabled`:
 * services that are off; without them the phases did not come to their end, and there is no model.
 */
export const finish = (loading: Loading, tree: MapNode, disabled?: MapNode): LoadResult => {
  const { report, input, sources } = loading
  const isComplete = disabled !== undefined && !report.failed
  const secrets = secretValues(loading.secretVariables, input.environment)
  let project: Project | undefined
  let canonical: LoadResult['canonical'] | undefined
  return {
    get project() {
      const { workingDirectory, files: composeFiles, environment } = input
      const context = { workingDirectory, composeFiles, environment, readFile: loading.readFile }
      if (isComplete) project ??= createProject({ tree, disabled, ...context })
      return project
    },
    get canonical() {
      canonical ??= toPlain(tree, true) as LoadResult['canonical']
      return canonical
    },
    origins: new LazyOrigins(tree),
    diagnostics: sortDiagnostics(loading).map((each) => hideSecrets(explain(each, loading), secrets)),
    secretVariables: loading.secretVariables,
    variableFiles: loading.variableFiles,
    hidden: loading.hidden,
    sources,
  }
}
