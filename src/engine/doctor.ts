import type { Check, EngineOptions } from './types.ts'

export const doctor = async (_engine: EngineOptions): Promise<readonly Check[]> => []
