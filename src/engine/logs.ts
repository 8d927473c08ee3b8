/** Logs of a project: finding the containers; reading is log/read.ts, following follow-logs.ts. */
import { CaissonError } from '../errors.ts'
import { readLogs } from '../log/read.ts'
import { loadNative } from '../native/load.ts'
import { containerPaths } from '../state/layout.ts'
import type { ContainerRecord } from '../state/records.ts'
import { readContainers } from '../state/snapshot.ts'
import { isAlive } from './ps.ts'
import type { EngineOptions, LogItem, LogOptions, LogSource } from './types.ts'

/** Containers of `run` have an output of their own. */
export const isWanted = ({ service, number, oneOff }: ContainerRecord, { services, index }: LogOptions): boolean =>
  !oneOff && (services.length === 0 || services.includes(service)) && (index === undefined || number === index)

/** Its output is not asked for. */
export const isSilent = ({ service, definition }: ContainerRecord, { services, silent }: LogOptions): boolean =>
  silent === undefined ? services.length === 0 && !definition.attach : silent.includes(service)

export const sourceOf = ({ id, name, service, number }: ContainerRecord): LogSource => ({ id, name, service, number })

const byPlace = (a: ContainerRecord, b: ContainerRecord) =>
  a.service === b.service ? a.number - b.number : a.service < b.service ? -1 : 1

const recordsOf = (engine: EngineOptions, project: string, options: LogOptions): readonly ContainerRecord[] => {
  const records = readContainers(engine, project, isAlive).containers.map(({ record }) => record)
  const missing = options.services.find((name) => !records.some(({ service }) => service === name))
  if (missing !== undefined) throw new CaissonError('ENOSERVICE', `no such service: ${missing}`)
  return records.filter((record) => isWanted(record, options) && !isSilent(record, options)).sort(byPlace)
}

export async function* logs(engine: EngineOptions, project: string, options: LogOptions): AsyncGenerator<LogItem> {
  const { since, until, tail, timestamps, separate, grep, follow, prefix } = options
  const request = { since, until, tail, timestamps, separate, grep }
  if (follow) {
    yield* (await import('./follow-logs.ts')).follow(engine, project, options, request)
    return
  }
  const inputs = recordsOf(engine, project, options).map((record) => ({
    source: sourceOf(record),
    directory: containerPaths(engine, record.id).log,
    prefix: prefix(sourceOf(record)),
  }))
  for (const part of readLogs(loadNative(), inputs, request)) if (part.kind === 'output') yield part
}
