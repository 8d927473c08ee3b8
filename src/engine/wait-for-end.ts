/** Waiting for containers to end: their monitors say so, or the record that they left. */
import { MonitorClient } from '../monitor/client.ts'
import { CaissonError } from '../errors.ts'
import { containerPaths, runPaths } from '../state/layout.ts'
import type { Status } from '../state/records.ts'
import { readRecord } from '../state/store.ts'
import { isAlive, ps } from './ps.ts'
import type { ContainerRow, EndedContainer, EngineOptions } from './types.ts'

const isGone = (error: unknown) => error instanceof CaissonError && error.code === 'EMONITORGONE'

/** A monitor that does not answer any more is about to end, or was killed. */
const GONE_POLL_MS = 10

const codeOnRecord = (engine: EngineOptions, { id }: ContainerRow): number =>
  readRecord<Status>(containerPaths(engine, id).exit)?.exitCode ?? 137

const exitCodeOf = async (engine: EngineOptions, row: ContainerRow): Promise<number> => {
  const run = runPaths(engine, row.id)
  let monitor: MonitorClient | undefined
  try {
    monitor = await MonitorClient.connect(run.control)
    return (await monitor.wait()).code
  } catch (error) {
    if (!isGone(error)) throw error
    while (isAlive(run)) await new Promise((resolve) => setTimeout(resolve, GONE_POLL_MS))
    return codeOnRecord(engine, row)
  } finally {
    monitor?.close()
  }
}

const hasEnded = ({ state }: ContainerRow) => state === 'exited' || state === 'dead'

/** Throws ENOCONTAINER, ENOTRUNNING for a service that nothing was ever started of. */
const chosen = async (engine: EngineOptions, project: string, services: readonly string[]) => {
  const rows = (await ps(engine, project)).filter(({ oneOff, service }) => !oneOff && services.includes(service))
  for (const service of services) {
    const own = rows.filter((row) => row.service === service)
    if (own.length === 0)
      throw new CaissonError('ENOCONTAINER', `service ${service} of project ${project} has no container`)
    if (own.every(({ state }) => state === 'created'))
      throw new CaissonError('ENOTRUNNING', `service ${service} was not started`, { hint: 'start it with `up -d`' })
  }
  return rows.filter(({ state }) => state !== 'created')
}

/** Containers of the services as they end, restarts included; those that have ended already come first, in their order. */
export async function* wait(
  engine: EngineOptions,
  project: string,
  services: readonly string[],
): AsyncGenerator<EndedContainer> {
  const rows = await chosen(engine, project, services)
  const over = rows.filter(hasEnded).sort((a, b) => a.finishedAt - b.finishedAt)
  for (const row of over) yield { row, exitCode: codeOnRecord(engine, row) }
  const waiting = new Map(
    rows
      .filter((row) => !hasEnded(row))
      .map((row) => [row.id, exitCodeOf(engine, row).then((exitCode) => ({ row, exitCode }))]),
  )
  for (const promise of waiting.values()) promise.catch(() => {}) // reported when its turn comes
  while (waiting.size > 0) {
    const ended = await Promise.race(waiting.values())
    waiting.delete(ended.row.id)
    yield ended
  }
}
