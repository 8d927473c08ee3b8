import type { EngineOptions, LogItem, LogOptions } from './types.ts'

export async function* logs(_engine: EngineOptions, _name: string, _options: LogOptions): AsyncGenerator<LogItem> {}
