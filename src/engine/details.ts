/** Everything that is known of containers: what `inspect` and documents for programs are made of. */
import { configById } from '../image/store.ts'
import { formatVariables, withVariables } from '../spec/env.ts'
import { containerPaths, networkRecordFile, volumePaths } from '../state/layout.ts'
import type { ContainerRecord, NetworkRecord } from '../state/records.ts'
import { readContainer, readHealth, readRun } from '../state/snapshot.ts'
import { readRecord } from '../state/store.ts'
import { isAlive, rowOf } from './ps.ts'
import type { ContainerDetails, EngineOptions } from './types.ts'

/** Of image and service, as docker shows it: without what a start adds. */
const environmentOf = ({ definition }: ContainerRecord, ofImage: readonly string[]): readonly string[] => {
  const own = Object.entries(definition.environment)
  const changes = own.map(([name, value]) => (value === null ? name : `${name}=${value}`))
  return formatVariables(withVariables(new Map(), [...ofImage, ...changes]))
}

const detailsOf = (engine: EngineOptions, id: string): readonly ContainerDetails[] => {
  const snapshot = readContainer(engine, id, isAlive)
  if (snapshot === undefined) return []
  const { record, status, alive } = snapshot
  const run = alive ? readRun(engine, id) : undefined
  const image = configById(engine, record.imageId)
  const networks = record.networks.flatMap(
    (network) => readRecord<NetworkRecord>(networkRecordFile(engine, network.id)) ?? [],
  )
  return [
    {
      ...{ row: rowOf(snapshot, run), record, status, run, image, networks },
      health: readHealth(engine, id),
      env: environmentOf(record, image?.env ?? []),
      logDirectory: containerPaths(engine, id).log,
      volumes: Object.entries(record.volumes).map(([target, { name }]) => ({
        ...{ target, name },
        source: volumePaths(engine, name).data,
      })),
    },
  ]
}

/** In the order of `ids`; what is gone by now is left out. */
export const details = async (engine: EngineOptions, ids: readonly string[]): Promise<readonly ContainerDetails[]> =>
  ids.flatMap((id) => detailsOf(engine, id))
