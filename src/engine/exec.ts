import type { EngineOptions, ExecOptions } from './types.ts'

export const exec = async (_engine: EngineOptions, _name: string, _options: ExecOptions): Promise<number> => {
  throw new Error('not there yet')
}
