/** observe: files on disk → Observed, what the pure planner compares the project with. */
import type { ContainerState, Observed, ObservedContainer } from '../plan/observed.ts'
import type { NetworkRecord } from './records.ts'
import type { ContainerSnapshot, VolumeSnapshot } from './snapshot.ts'

export const containerState = ({ alive, hasRun, status, cutOff }: ContainerSnapshot): ContainerState => {
  if (alive) return status?.state ?? 'created'
  if (hasRun || cutOff) return 'lost'
  return status === undefined ? 'created' : 'exited'
}

export const observedContainer = (snapshot: ContainerSnapshot): ObservedContainer => {
  const { id, name, service, number, oneOff, configHash, imageId, networks, volumes, definition } = snapshot.record
  const { imageMounts = {} } = snapshot.record
  return {
    ...{ id, name, service, number, oneOff, configHash, imageId, imageMounts },
    state: containerState(snapshot),
    exitCode: snapshot.alive ? undefined : snapshot.status?.exitCode,
    stopped: snapshot.status?.stopped ?? false,
    createdAt: Date.parse(snapshot.record.createdAt) || 0,
    startedAt: Date.parse(snapshot.status?.startedAt ?? '') || 0,
    health: snapshot.alive ? (snapshot.status?.health ?? 'none') : 'none',
    networks: networks.map((network) => network.name),
    volumes: Object.values(volumes).map((volume) => volume.name),
    dependsOn: Object.keys(definition.dependsOn),
    run: snapshot.run?.run,
    joins: snapshot.run?.joins ?? [],
    definition,
  }
}

export interface World {
  readonly containers: readonly ContainerSnapshot[]
  readonly networks: readonly NetworkRecord[]
  readonly volumes: readonly VolumeSnapshot[]
  /** Names of links in the NetworkRoot; undefined: not asked, every bridge counts as present. */
  readonly links: ReadonlySet<string> | undefined
}

export const observe = ({ containers, networks, volumes, links }: World): Observed => ({
  elsewhere: [],
  containers: containers.map(observedContainer),
  networks: networks.map(({ id, name, key, configHash, bridge, project }) => ({
    ...{ id, name, key, configHash },
    present: links?.has(bridge) ?? true,
    project: project === '' ? undefined : project,
  })),
  volumes: volumes.map(({ record: { name, key, project, anonymous, labels }, hasData }) => ({
    ...{ name, key, anonymous, labels },
    present: hasData,
    project: project === '' ? undefined : project,
  })),
})
