import type { Project } from '../compose/project.ts'
import type { EngineOptions, Outcome, UpOptions } from './types.ts'

export const up = async (_engine: EngineOptions, _project: Project, _options: UpOptions): Promise<Outcome> => {
  throw new Error('not there yet')
}
