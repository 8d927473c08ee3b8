/** Reads `env_file` and `label_file` of the services that are on, and folds them into `environment` and `labels`. */
import type { TreePath } from '../errors.ts'
import { parseDotenv, parseRawEnvironment } from './dotenv.ts'
import type { Entry, MapNode, Node } from './node.ts'
import { get, map, mapValues, scalar, textOf, withEntries } from './node.ts'
import { createOrigin } from './node.ts'
import type { Report } from './report.ts'

export interface FileContext {
  readonly report: Report
  readonly environment: Readonly<Record<string, string>>
  /** Records the text, for code frames. */
  readFile(path: string): string | undefined
}

type Lookup = (name: string) => string | undefined

interface VariableFile {
  readonly file: string
  readonly required: boolean
  readonly raw: boolean
  readonly node: Node
}

/** Both forms that binding leaves: the path alone, or a map. */
const variableFile = (node: Node): VariableFile | undefined => {
  const file = textOf(node) ?? textOf(get(node, 'path'))
  const required = get(node, 'required')
  if (file === undefined) return undefined
  const isRequired = required?.kind !== 'scalar' || required.value === true || required.value === 'true'
  return { file, required: isRequired, raw: textOf(get(node, 'format')) === 'raw', node }
}

const readVariables = (
  source: VariableFile,
  path: TreePath,
  lookup: Lookup,
  known: ReadonlyMap<string, string>,
  context: FileContext,
) => {
  const { report } = context
  const text = context.readFile(source.file)
  if (text === undefined) {
    if (!source.required) return new Map<string, string>()
    const hint = 'create it, or write required: false beside its path'
    report.add({
      code: 'env-file-not-found',
      path,
      message: `The file ${source.file} does not exist`,
      hint,
      origin: source.node.origin,
    })
    return new Map<string, string>()
  }
  if (source.raw) return parseRawEnvironment(text, lookup)
  const { variables, mistake } = parseDotenv(text, lookup, known)
  if (mistake) {
    const origin = createOrigin(source.file, mistake.start, mistake.end)
    report.add({ code: 'env-file-syntax', path, message: mistake.message, origin })
  }
  return variables
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
  const known = new Map<string, string>()
  const entries = new Map<string, Entry>()
  for (const [index, item] of files.items.entries()) {
    const source = variableFile(item)
    if (!source) continue
    for (const [name, value] of readVariables(source, [...path, keys.files, index], lookup, known, context)) {
      known.set(name, value)
      entries.set(name, { key: undefined, value: scalar(value, item.origin) })
    }
  }
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
