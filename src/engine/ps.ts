import type { PublishedPort } from '../state/records.ts'
import type { ContainerRow, Engine, EngineOptions, ProjectRow } from './types.ts'

export const ps = async (_engine: EngineOptions, _name: string): Promise<readonly ContainerRow[]> => []
export const ls = async (_engine: EngineOptions): Promise<readonly ProjectRow[]> => []
export const port = async (
  _engine: EngineOptions,
  _name: string,
  _port: Parameters<Engine['port']>[1],
): Promise<PublishedPort | undefined> => undefined
