import type { EngineOptions, ImageRow } from './types.ts'

export const images = async (_engine: EngineOptions): Promise<readonly ImageRow[]> => []
export const importImage = async (_engine: EngineOptions, _tar: string, _reference: string): Promise<ImageRow> => {
  throw new Error('not there yet')
}
export const removeImage = async (_engine: EngineOptions, _reference: string): Promise<void> => {}
