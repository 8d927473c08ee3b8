/** Reads `env_file` and `label_file` of the services that are on, and folds them into `environment` and `labels`. */
import type { TreePath } from '../errors.ts'
import { type DotenvResult, parseDotenv } from './dotenv.ts'
import { parseRawEnvironment } from './dotenv-raw.ts'
import { reportDotenv } from './dotenv-report.ts'
import type { Entry, MapNode, Node, ScalarNode } from './node.ts'
import { get, map, mapValues, scalar, textOf, withEntries } from './node.ts'
import { createOrigin } from './node.ts'
import { joinPath } from './paths.ts'
import type { Report } from './report.ts'

export interface FileContext {
  readonly report: Report
  readonly environment: Readonly<Record<string, string>>
  /** Where paths start that were left relative. */
  readonly workingDirectory: string
  /** Variables of lines of other files that are wrong: that they have no value was said. */
  readonly wrongVariables: ReadonlySet<string>
  /** Records the text, for code frames. */
  readVariableFile(path: string): string | undefined
}

type Lookup = (name: string) => string | undefined

interface VariableFile {
  readonly file: string
  readonly required: boolean
  readonly raw: boolean
  readonly node: Node
}

/** Both forms that binding leaves: the path alone, or a map. */
const variableFile = (node: Node, { workingDirectory }: FileContext): VariableFile | undefined => {
  const path = textOf(node) ?? textOf(get(node, 'path'))
  const file = path === undefined ? undefined : joinPath(workingDirectory, path)
  const required = get(node, 'required')
  if (file === undefined) return undefined
  const isRequired = required?.kind !== 'scalar' || required.value === true || required.value === 'true'
  return { file, required: isRequired, raw: textOf(get(node, 'format')) === 'raw', node }
}

/** Values by name, each with its origin. */
type Values = ReadonlyMap<string, ScalarNode>

const NOTHING: Values = new Map()

/** Of the files of one service so far. */
interface Known {
  readonly values: Map<string, ScalarNode>
  readonly wrong: Set<string>
}

const readVariables = (
  source: VariableFile,
  path: TreePath,
  lookup: Lookup,
  known: Known,
  context: FileContext,
): Values => {
  const { report } = context
  const { file } = source
  const text = context.readVariableFile(file)
  if (text === undefined) {
    if (!source.required) return NOTHING
    const hint = 'create it, or write required: false beside its path'
    report.add({
      code: 'env-file-not-found',
      path,
      message: `The file ${file} does not exist`,
      hint,
      origin: source.node.origin,
    })
    return NOTHING
  }
  const values = new Map([...known.values].map(([name, { value }]) => [name, String(value)]))
  const result = source.raw
    ? parseRawEnvironment(text, lookup)
    : parseDotenv(text, lookup, { values, wrong: known.wrong })
  reportDotenv(result, file, path, report)
  for (const name of result.wrong) known.wrong.add(name)
  return placed(result, file, lookup, known.values)
}

/** Each value with its place; variables of these files count as what they were made of. */
const placed = ({ variables, places }: DotenvResult, file: string, lookup: Lookup, known: Values): Values => {
  const values = new Map<string, ScalarNode>()
  const sourcesOf = (name: string): readonly string[] => {
    const own = lookup(name) === undefined ? (values.get(name) ?? known.get(name)) : undefined
    return own?.origin.variables ?? [name]
  }
  for (const [name, value] of variables) {
    const { start, end, used } = places.get(name) ?? { start: 0, end: 0, used: [] }
    const taken = [...new Set(used.flatMap(sourcesOf))]
    values.set(name, scalar(value, { ...createOrigin(file, start, end), variables: taken }))
  }
  return values
}

/** Later files over earlier ones; what the service says itself over all. */
const fold = (
  service: MapNode,
  path: TreePath,
  keys: { files: string; values: string },
  lookup: Lookup,
  context: FileContext,
): MapNode => {
  const files = get(service, keys.files)
  if (files?.kind !== 'sequence') return service
  const own = get(service, keys.values)
  const known: Known = { values: new Map(), wrong: new Set(context.wrongVariables) }
  for (const [index, item] of files.items.entries()) {
    const source = variableFile(item, context)
    if (!source) continue
    for (const [name, value] of readVariables(source, [...path, keys.files, index], lookup, known, context))
      known.values.set(name, value)
  }
  const entries = new Map<string, Entry>([...known.values].map(([name, value]) => [name, { key: undefined, value }]))
  if (own?.kind === 'map') for (const [name, entry] of own.entries) entries.set(name, entry)
  const values = entries.size === 0 ? undefined : map(entries, own?.origin ?? files.origin)
  return withEntries(service, { [keys.files]: undefined, [keys.values]: values })
}

export const foldVariableFiles = (services: MapNode, context: FileContext): MapNode =>
  mapValues(services, (service, name) => {
    if (service.kind !== 'map') return service
    const path = ['services', name]
    const lookup: Lookup = (variable) =>
      Object.hasOwn(context.environment, variable)
        ? context.environment[variable]
        : textOf(get(get(service, 'environment'), variable))
    const folded = fold(service, path, { files: 'env_file', values: 'environment' }, lookup, context)
    return fold(folded, path, { files: 'label_file', values: 'labels' }, () => undefined, context)
  })
