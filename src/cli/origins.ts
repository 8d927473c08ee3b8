/** `config --origins`: where values of the model came from, as the command line names files and variables. */
import type { LoadResult } from '../compose/project.ts'
import { Provenances, type VariableSource } from '../compose/provenance.ts'
import type { Context } from './context.ts'
import { discoverProject } from './discovery.ts'
import { nameFrom } from './render/diagnostic.ts'

const PROJECT_NAME = 'COMPOSE_PROJECT_NAME'

export const provenancesOf = (context: Context, result: LoadResult): Provenances => {
  const { environment, variableFiles, sources } = discoverProject(context)
  const sourceOf = (name: string): VariableSource | undefined => {
    const file = variableFiles.get(name)
    if (file !== undefined) return { kind: 'file', file }
    if (Object.hasOwn(environment, name)) return { kind: 'shell' }
    return name === PROJECT_NAME ? { kind: 'project' } : undefined
  }
  const { origins, variableFiles: given } = result
  const model = { origins, variableFiles: given, sources: new Map([...sources, ...result.sources]) }
  return new Provenances(model, { name: (file) => nameFrom(context.cwd, file), sourceOf })
}

export const originsDocument = (context: Context, result: LoadResult): string =>
  `${JSON.stringify(provenancesOf(context, result).all(), null, 2)}\n`
