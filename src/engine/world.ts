/** The world as a change finds it: leftovers are settled first, then everything is read once. */
import { existsSync } from 'node:fs'
import { listClaims } from '../network/claims.ts'
import { bridgeName, type LiveNetworks, removeNetwork, verifyNetworks } from '../network/driver.ts'
import { isUp, type Observed } from '../plan/observed.ts'
import { containerPaths, networksDirectory, type Roots, runPaths } from '../state/layout.ts'
import { observe } from '../state/observe.ts'
import type { NetworkRecord } from '../state/records.ts'
import {
  type ContainerSnapshot,
  type ContainersRead,
  type IsAlive,
  readContainer,
  readContainers,
  readNetworks,
  readRun,
  readVolumes,
  strayRuns,
} from '../state/snapshot.ts'
import { namesIn, readRecord, removeTree } from '../state/store.ts'
import { clearAbandoned } from './network-directory.ts'
import { clearMaking, runEnded } from './reserve.ts'
import type { Session } from './session.ts'
import { undoContainer } from './undo.ts'

export interface WorldRead {
  readonly observed: Observed
  readonly containers: readonly ContainerSnapshot[]
  readonly networks: readonly NetworkRecord[]
}

/** How long another command may take between reserving a container and recording it, or a monitor to undo one. */
const PASSING_MS = 10_000

/**
 * Waits while somebody holds a container that has no record: another command that is about to write it, or the monitor
 * of a killed one that undoes it and still has its ports. True: nobody does, and there is none.
 */
const isAbandoned = async (session: Session, id: string): Promise<boolean> => {
  const run = runPaths(session.roots, id)
  const deadline = Date.now() + PASSING_MS
  for (let pause = 1; session.isAlive(run) && Date.now() < deadline; pause = Math.min(pause * 2, 20)) {
    if (existsSync(containerPaths(session.roots, id).record)) return false
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
  return !session.isAlive(run) && readRecord(containerPaths(session.roots, id).record) === undefined
}

/** What killed commands left of containers: no record, and nobody who works on them. */
const clearBroken = async (session: Session, { broken }: ContainersRead): Promise<void> => {
  clearMaking(session)
  for (const id of new Set([...broken, ...strayRuns(session.roots)])) {
    if (await isAbandoned(session, id)) await undoContainer(session, id)
  }
}

/** What a network without a record has claimed and made. */
const releaseNetwork = async (session: Session, id: string): Promise<void> => {
  const claimed = [...listClaims(session.roots, 'subnet')].find(([, owner]) => owner === id)?.[0]
  if (claimed === undefined) return
  const subnet = claimed.replace('-', '/')
  const lease = { id, name: id, bridge: bridgeName(id), subnet, gateway: '', internal: false, mtu: 0 }
  await removeNetwork(session.networkRoot(), lease)
}

/** What killed commands left of networks: no record, and nobody who makes them. */
const clearBrokenNetworks = async (session: Session): Promise<void> => {
  const directory = networksDirectory(session.roots)
  for (const id of namesIn(directory)) {
    await clearAbandoned(session, id, async () => {
      await releaseNetwork(session, id)
      removeTree(`${directory}/${id}`)
    })
  }
}

/** One-offs of `run --rm` whose monitor was killed before it could remove them; not those that are to be started. */
const clearAutoRemoved = async (session: Session, containers: readonly ContainerSnapshot[]) => {
  const left = containers.filter(
    ({ record, alive, hasRun, status, cutOff }) =>
      record.autoRemove && !alive && (hasRun || cutOff || status !== undefined),
  )
  for (const { record } of left) {
    await undoContainer(session, record.id)
    session.emit({ kind: 'recovered', name: record.name, reason: 'its monitor was killed; it is removed' })
  }
  return left.length === 0 ? containers : containers.filter((container) => !left.includes(container))
}

/** A container whose start was cut off is undone by its monitor at this moment: wait for that. */
const settled = async (
  session: Session,
  containers: readonly ContainerSnapshot[],
): Promise<readonly ContainerSnapshot[]> => {
  const result: ContainerSnapshot[] = []
  for (const container of containers) {
    if (!container.alive || isUp({ state: container.status?.state ?? 'created' })) {
      result.push(container)
      continue
    }
    await runEnded(session, container.record.id)
    result.push(
      ...[readContainer(session.roots, container.record.id, session.isAlive)].filter((now) => now !== undefined),
    )
  }
  return result
}

/** Everything that the table of the NetworkRoot must hold now. */
export const liveNetworks = (roots: Roots, networks: readonly NetworkRecord[], isAlive: IsAlive): LiveNetworks => {
  const { containers } = readContainers(roots, undefined, isAlive)
  const alive = containers.filter((container) => container.alive)
  return { networks, publications: alive.flatMap(({ record }) => readRun(roots, record.id)?.publications ?? []) }
}

/** For changes: under the project's lock. */
export const readWorld = async (session: Session, project: string): Promise<WorldRead> => {
  const read = readContainers(session.roots, project, session.isAlive)
  await clearBroken(session, read)
  await clearBrokenNetworks(session)
  const containers = await settled(session, await clearAutoRemoved(session, read.containers))
  const networks = readNetworks(session.roots)
  if (networks.length > 0) {
    await verifyNetworks(session.networkRoot(), () => liveNetworks(session.roots, networks, session.isAlive))
  }
  const links = networks.length > 0 ? new Set(session.binding.links(session.networkRoot().fd)) : undefined
  const volumes = readVolumes(session.roots)
  return { observed: observe({ containers, networks, volumes, links }), containers, networks }
}

/** For dry runs: files only. */
export const lookAtWorld = (roots: Roots, project: string, isAlive: IsAlive): Observed => {
  const { containers } = readContainers(roots, project, isAlive)
  return observe({ containers, networks: readNetworks(roots), volumes: readVolumes(roots), links: undefined })
}
