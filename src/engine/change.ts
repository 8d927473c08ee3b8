import type { ChangeOptions, DownOptions, EngineOptions, KillOptions, Outcome, ProjectTarget } from './types.ts'

export const down = async (_engine: EngineOptions, _target: ProjectTarget, _options: DownOptions): Promise<Outcome> => {
  throw new Error('not there yet')
}
export const start = async (
  _engine: EngineOptions,
  _target: ProjectTarget,
  _options: ChangeOptions,
): Promise<Outcome> => {
  throw new Error('not there yet')
}
export const stop = start
export const restart = start
export const kill = async (_engine: EngineOptions, _target: ProjectTarget, _options: KillOptions): Promise<Outcome> => {
  throw new Error('not there yet')
}
export const remove = async (
  _engine: EngineOptions,
  _target: ProjectTarget,
  _options: ChangeOptions & { readonly volumes: boolean },
): Promise<Outcome> => {
  throw new Error('not there yet')
}
