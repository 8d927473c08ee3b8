/** `system df`: what images, containers and volumes take of the disk. */
import { summarise } from '../image/summary.ts'
import { storeUsage } from '../image/usage.ts'
import { containerPaths, volumePaths } from '../state/layout.ts'
import { readContainers, readVolumes } from '../state/snapshot.ts'
import { treeBytes } from '../state/tree-bytes.ts'
import type { DiskUsage } from './image-types.ts'
import { ps } from './ps.ts'
import type { EngineOptions } from './types.ts'

const counted = (names: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

/** What a container has written: its own layer. */
export const containerBytes = (engine: EngineOptions, id: string): number => treeBytes(containerPaths(engine, id).upper)

export const volumeBytes = (engine: EngineOptions, name: string): number => treeBytes(volumePaths(engine, name).data)

export const diskUsage = async (engine: EngineOptions): Promise<DiskUsage> => {
  const { containers } = readContainers(engine, undefined, () => false)
  const usersOfImage = counted(containers.map(({ record }) => record.imageId))
  const links = counted(
    containers.flatMap(({ record }) => [...new Set(Object.values(record.volumes).map(({ name }) => name))]),
  )
  return {
    images: summarise(engine).map((image) => ({ ...image, containers: usersOfImage.get(image.id) ?? 0 })),
    store: storeUsage(engine, new Set(usersOfImage.keys())),
    containers: (await ps(engine, undefined)).map((row) => ({ row, sizeBytes: containerBytes(engine, row.id) })),
    volumes: readVolumes(engine).map(({ record: { name } }) => ({
      ...{ name, links: links.get(name) ?? 0 },
      sizeBytes: volumeBytes(engine, name),
    })),
  }
}
