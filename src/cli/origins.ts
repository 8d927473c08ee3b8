/** `config --origins`: where values of the model came from, as the command line names files and variables. */
import type { LoadResult } from '../compose/project.ts'
import { Provenances, type VariableSource } from '../compose/provenance.ts'
import type { Context } from './context.ts'
import { discoverProject } from './discovery.ts'
import { nameFrom } from './render/diagnostic.ts'

const PROJECT_NAME = 'COMPOSE_PROJECT_NAME'

/** Only names that are given: that of the directory goes without saying. */
const namedBy = (context: Context, name: (file: string) => string): string | undefined => {
  const { environment, variableFiles } = discoverProject(context)
  if (context.globals.projectName) return '--project-name'
  if (!environment[PROJECT_NAME]) return undefined
  const file = variableFiles.get(PROJECT_NAME)
  return `${PROJECT_NAME} from ${file === undefined ? 'the shell' : name(file)}`
}

export const provenancesOf = (context: Context, result: LoadResult): Provenances => {
  const { environment, variableFiles, sources } = discoverProject(context)
  const sourceOf = (name: string): VariableSource | undefined => {
    const file = variableFiles.get(name)
    if (file !== undefined) return { kind: 'file', file }
    if (Object.hasOwn(environment, name)) return { kind: 'shell' }
    return name === PROJECT_NAME ? { kind: 'project' } : undefined
  }
  const name = (file: string): string => nameFrom(context.cwd, file)
  const { origins, variableFiles: given } = result
  const model = { origins, variableFiles: given, sources: new Map([...sources, ...result.sources]) }
  return new Provenances(model, { name, sourceOf, namedBy: namedBy(context, name) })
}

export const originsDocument = (context: Context, result: LoadResult): string =>
  `${JSON.stringify(provenancesOf(context, result).all(), null, 2)}\n`
