/** What the phases of one `load` share: the input, the texts read so far, what was found; and how it ends. */
import type { Diagnostic } from '../errors.ts'
import { createProject } from './create-project.ts'
import { interpolate } from './interpolate.ts'
import type { LoadInput, LoadOptions } from './load.ts'
import type { MapNode, Node, Plain } from './node.ts'
import { createOrigin, toPlain } from './node.ts'
import { LazyOrigins } from './origins.ts'
import type { LoadResult, Project } from './project.ts'
import { Report } from './report.ts'
import type { PassedCache } from './schema.ts'
import { decodeTrees, encodeTrees } from './tree-codec.ts'

/** One run of the phases: what they share. */
export class Loading {
  readonly sources = new Map<string, string>()
  readonly report = new Report(this.sources)
  readonly input: LoadInput
  /** A file is missing or is not YAML: what the others say would be judged without it. */
  broken = false
  secretVariables: ReadonlySet<string> = new Set()

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
    return trees.filter((tree) => tree.kind === 'map' || this.#refuse(tree))
  }

  #refuse(tree: Node): boolean {
    const message = 'The file has to be a map, with services: at its top'
    if (tree.kind !== 'poisoned') this.report.add({ code: 'type-wrong', path: [], message, origin: tree.origin })
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

/** In the order in which the files were read, as a reader meets them; first what has no place. */
const sortDiagnostics = ({ report, sources }: Loading): readonly Diagnostic[] => {
  const ranks = new Map([...sources.keys()].map((file, index) => [file, index]))
  const rank = ({ at }: Diagnostic): number => (at ? (ranks.get(at.file) ?? ranks.size) : -1)
  return [...report.diagnostics].sort(
    (one, other) => rank(one) - rank(other) || (one.at?.start ?? 0) - (other.at?.start ?? 0),
  )
}

/**
 * The typed model is built at the first look: `config` never asks for it. `disabled`: services that are off; without them
 * the phases did not come to their end, and there is no model.
 */
export const finish = (loading: Loading, tree: MapNode, disabled?: MapNode): LoadResult => {
  const { report, input, sources } = loading
  const isComplete = disabled !== undefined && !report.failed
  let project: Project | undefined
  return {
    get project() {
      const { workingDirectory, files: composeFiles, environment } = input
      const context = { workingDirectory, composeFiles, environment, readFile: loading.readFile }
      if (isComplete) project ??= createProject({ tree, disabled, ...context })
      return project
    },
    canonical: toPlain(tree, disabled === undefined) as Readonly<Record<string, unknown>>,
    origins: new LazyOrigins(tree),
    diagnostics: sortDiagnostics(loading),
    secretVariables: loading.secretVariables,
    sources,
  }
}
