/** A file to extend from: its services one by one, in long forms, with paths from where the extending files have theirs. */
import { canonicalise } from './canonical.ts'
import type { ServiceSource } from './extends.ts'
import type { Loading } from './loading.ts'
import { merge } from './merge.ts'
import type { Node } from './node.ts'
import { get, isNull, map, poisoned } from './node.ts'
import { directoryOf, relativePath, resolvePaths } from './paths.ts'
import type { Report } from './report.ts'
import { unique } from './unique.ts'

/** Of the file that extends. */
export interface ExtendingScope {
  /** Absolute; relative paths start here. */
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
}

/** A document with nothing but one service: what one extends is all that counts of a file. */
const pick = (document: Node, name: string): readonly Node[] => {
  const services = get(document, 'services')
  const entry = services?.kind === 'map' ? services.entries.get(name) : undefined
  if (!services || !entry) return []
  const only = map(new Map([[name, entry]]), services.origin)
  return [map(new Map([['services', { key: undefined, value: only }]]), document.origin)]
}

const namesOf = (node: Node | undefined): readonly string[] => (node?.kind === 'map' ? [...node.entries.keys()] : [])

/** The schema only sees what comes out of extending. */
const checkForm = (service: Node | undefined, name: string, report: Report): Node | undefined => {
  if (!service || isNull(service) || service.kind === 'map' || service.kind === 'poisoned') return service
  const message = `services.${name} has to be a map`
  report.add({ code: 'type-wrong', path: ['services', name], message, origin: service.origin })
  return poisoned(service.origin)
}

const createService = (
  loading: Loading,
  {
    trees,
    name,
    workingDirectory,
  }: { readonly trees: readonly Node[]; readonly name: string; readonly workingDirectory: string },
  { environment }: ExtendingScope,
): Node | undefined => {
  const { report } = loading
  const picked = trees.flatMap((tree) => pick(tree, name))
  const merged = merge(loading.interpolate(picked, environment), report)
  if (!merged) return undefined
  const long = canonicalise(unique(merged), report, { strict: loading.on('interpolate'), defaults: false })
  const located = long.kind === 'map' ? resolvePaths(long, { workingDirectory, home: environment.HOME }) : long
  return checkForm(get(get(located, 'services'), name), name, report)
}

export const createSource = (
  loading: Loading,
  { file, trees }: { readonly file: string; readonly trees: readonly Node[] },
  scope: ExtendingScope,
): ServiceSource => {
  const directory = directoryOf(file)
  const workingDirectory = relativePath(scope.directory, directory)
  const found = new Map<string, Node | undefined>()
  return {
    file,
    directory,
    complete: true,
    names: trees.flatMap((tree) => namesOf(get(tree, 'services'))),
    find: (name) => {
      if (!found.has(name)) found.set(name, createService(loading, { trees, name, workingDirectory }, scope))
      return found.get(name)
    },
  }
}
