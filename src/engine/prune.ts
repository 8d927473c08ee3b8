/** `image prune` and `system prune`: what nobody needs goes, and how much room that makes is measured. */
import { statSync } from 'node:fs'
import { removeRecords } from '../image/remove.ts'
import { referencesTo, sweep } from '../image/store.ts'
import { summarise } from '../image/summary.ts'
import { storeUsage } from '../image/usage.ts'
import { reconcilePrune } from '../plan/prune.ts'
import type { Plan } from '../plan/plan.ts'
import { networkRecordFile } from '../state/layout.ts'
import { readContainers, readNetworks, readVolumes } from '../state/snapshot.ts'
import { apply, leaveProject } from './change.ts'
import { clearingContent, layersInUse, naming } from './content.ts'
import { containerBytes, volumeBytes } from './disk-usage.ts'
import type { ImageSummary, PrunedImages, PrunedProjects, PruneWish } from './image-types.ts'
import { imageUsers } from './images.ts'
import { withSession } from './session.ts'
import type { EngineOptions } from './types.ts'

const bytesOf = (engine: EngineOptions): number => {
  const { unpackedBytes, storedBytes } = storeUsage(engine, new Set())
  return unpackedBytes + storedBytes
}

/** Of images that no container was made from those that `isWanted` picks; waits until nobody fills the store. */
export const pruneImages = (
  engine: EngineOptions,
  isWanted: (image: ImageSummary) => boolean,
  dryRun: boolean,
): Promise<PrunedImages> =>
  withSession(engine, (session) => {
    const prune = (): PrunedImages => {
      const users = imageUsers(session)
      const used = new Set(users.map(({ imageId }) => imageId))
      const going = summarise(engine).filter((image) => !image.isBuiltIn && !used.has(image.id) && isWanted(image))
      if (dryRun) {
        const reclaimedBytes = going.reduce((sum, { sizeBytes, sharedBytes }) => sum + sizeBytes - sharedBytes, 0)
        return {
          untagged: going.flatMap(({ references }) => references),
          deleted: going.map(({ id }) => id),
          reclaimedBytes,
        }
      }
      const before = bytesOf(engine)
      const removed = going.map(({ id }) => removeRecords(engine, referencesTo(engine, id), users))
      sweep(session.roots, layersInUse(session))
      return {
        untagged: removed.flatMap(({ untagged }) => untagged),
        deleted: removed.flatMap(({ deleted }) => deleted),
        reclaimedBytes: before - bytesOf(engine),
      }
    }
    return dryRun ? Promise.resolve(prune()) : clearingContent(session, () => naming(session)(prune))
  })

/** Projects that have anything, by name. */
const projectsOf = (engine: EngineOptions): readonly string[] => {
  const { containers } = readContainers(engine, undefined, () => false)
  const owners = [
    ...containers.map(({ record }) => record.project),
    ...readNetworks(engine).map(({ project }) => project),
    ...readVolumes(engine).map(({ record }) => record.project),
  ]
  return [...new Set(owners)].filter((name) => name !== '').sort()
}

const madeAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Networks and volumes that containers of other projects have stay, whatever the plan of one project would say. */
const optionsFor = (engine: EngineOptions, project: string, { isWanted, volumes }: PruneWish) => {
  const { containers } = readContainers(engine, undefined, () => false)
  const records = new Map(containers.map(({ record }) => [record.id, record]))
  const others = containers.filter(({ record }) => record.project !== project)
  const networks = new Map(readNetworks(engine).map((network) => [network.id, network]))
  const named = new Map(readVolumes(engine).map(({ record }) => [record.name, record]))
  return {
    volumes,
    isContainerWanted: (id: string) => {
      const record = records.get(id)
      return record !== undefined && isWanted({ labels: record.labels, createdAt: Date.parse(record.createdAt) })
    },
    isNetworkWanted: (id: string) => {
      const labels = networks.get(id)?.labels ?? {}
      const isUsed = others.some(({ record }) => record.networks.some((network) => network.id === id))
      return !isUsed && isWanted({ labels, createdAt: madeAt(networkRecordFile(engine, id)) })
    },
    isVolumeWanted: (name: string) => {
      const record = named.get(name)
      const isUsed = others.some(({ record: { volumes: has } }) =>
        Object.values(has).some((volume) => volume.name === name),
      )
      return (
        record !== undefined && !isUsed && isWanted({ labels: record.labels, createdAt: Date.parse(record.createdAt) })
      )
    },
  }
}

/** Names by kind of what a plan removes, and the room that it takes now. */
const removedBy = (engine: EngineOptions, { nodes }: Plan, { volumes }: PruneWish): PrunedProjects => {
  const containers: { readonly id: string; readonly name: string }[] = []
  const networks: string[] = []
  const gone = new Set<string>()
  const records = readContainers(engine, undefined, () => false).containers
  for (const { operation } of nodes) {
    if (operation.kind === 'removeNetwork') networks.push(operation.name)
    if (operation.kind === 'removeVolume') gone.add(operation.name)
    if (operation.kind !== 'removeContainer') continue
    containers.push({ id: operation.container, name: operation.name })
    const has = records.find(({ record }) => record.id === operation.container)?.record.volumes ?? {}
    if (volumes) for (const { name, anonymous } of Object.values(has)) if (anonymous) gone.add(name)
  }
  const bytes = [
    ...containers.map(({ id }) => containerBytes(engine, id)),
    ...[...gone].map((name) => volumeBytes(engine, name)),
  ]
  return { containers, networks, volumes: [...gone].sort(), reclaimedBytes: bytes.reduce((sum, each) => sum + each, 0) }
}

const pruneProject = async (engine: EngineOptions, name: string, wish: PruneWish): Promise<PrunedProjects> => {
  let removed: PrunedProjects | undefined
  const target = { name, project: undefined }
  await apply(
    engine,
    target,
    wish.dryRun,
    (observed) => {
      const plan = reconcilePrune(name, observed, optionsFor(engine, name, wish))
      removed = removedBy(engine, plan, wish)
      return plan
    },
    leaveProject(name),
  )
  return removed ?? { containers: [], networks: [], volumes: [], reclaimedBytes: 0 }
}

/** One project after another, each under its lock. */
export async function* pruneProjects(engine: EngineOptions, wish: PruneWish): AsyncGenerator<PrunedProjects> {
  for (const name of projectsOf(engine)) yield await pruneProject(engine, name, wish)
}
