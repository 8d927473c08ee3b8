/** Logs of a project: finding the containers, and what their ends are; reading is log/read.ts. */
import { readLogs } from '../log/read.ts'
import { loadNative } from '../native/load.ts'
import { CaissonError } from '../errors.ts'
import { containerPaths, runPaths } from '../state/layout.ts'
import type { Status } from '../state/records.ts'
import { readContainers } from '../state/snapshot.ts'
import { readRecord } from '../state/store.ts'
import { isAlive } from './ps.ts'
import type { EngineOptions, LogItem, LogOptions, LogSource } from './types.ts'

const sourcesOf = (engine: EngineOptions, project: string, { services, index }: LogOptions): readonly LogSource[] => {
  const { containers } = readContainers(engine, project, isAlive)
  const records = containers.map(({ record }) => record)
  for (const name of services) {
    if (!records.some(({ service }) => service === name))
      throw new CaissonError('ENOSERVICE', `no such service: ${name}`)
  }
  return records
    .filter(({ service }) => services.length === 0 || services.includes(service))
    .filter(({ number, oneOff }) => index === undefined || (number === index && !oneOff))
    .map(({ id, name, service, number }) => ({ id, name, service, number }))
    .sort((a, b) => (a.service === b.service ? a.number - b.number : a.service < b.service ? -1 : 1))
}

export async function* logs(engine: EngineOptions, project: string, options: LogOptions): AsyncGenerator<LogItem> {
  const { since, until, tail, timestamps, separate, follow, signal, prefix } = options
  const inputs = sourcesOf(engine, project, options).map((source) => ({
    source,
    directory: containerPaths(engine, source.id).log,
    prefix: prefix(source),
  }))
  const hasEnded = ({ id }: LogSource) => !isAlive(runPaths(engine, id))
  const request = { since, until, tail, timestamps, separate, follow: follow ? { hasEnded, signal } : undefined }
  for await (const part of readLogs(loadNative(), inputs, request)) {
    if (part.kind === 'output') yield part
    else {
      const status = readRecord<Status>(containerPaths(engine, part.source.id).exit)
      yield { kind: 'exit', source: part.source, exitCode: status?.exitCode ?? 137 }
    }
  }
}
