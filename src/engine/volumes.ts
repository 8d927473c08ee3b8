import { volumePaths } from '../state/layout.ts'
import { readContainers, readVolumes } from '../state/snapshot.ts'
import type { EngineOptions, VolumeRow } from './types.ts'

/** Named volumes of a project, by name. */
export const volumes = async (engine: EngineOptions, project: string): Promise<readonly VolumeRow[]> => {
  const { containers } = readContainers(engine, project, () => false)
  const usersOf = (name: string) =>
    containers
      .filter(({ record }) => Object.values(record.volumes).some((volume) => volume.name === name))
      .map(({ record }) => record.service)
  return readVolumes(engine)
    .filter(({ record }) => record.project === project && !record.anonymous)
    .map(({ record: { name, key, labels, createdAt } }) => ({
      ...{ name, key, labels, createdAt },
      mountpoint: volumePaths(engine, name).data,
      services: [...new Set(usersOf(name))].sort(),
    }))
}
