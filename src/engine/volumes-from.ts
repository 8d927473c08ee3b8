/** volumes_from: volumes and binds of another container, at the same places. What the service mounts there itself wins. */
import type { Service, ServiceMount } from '../compose/project.ts'
import { CaissonError } from '../errors.ts'
import { isNamed } from '../plan/select.ts'
import { imageVolume } from '../spec/mounts.ts'
import type { ContainerRecord } from '../state/records.ts'
import { readContainers } from '../state/snapshot.ts'
import { ensureVolume } from '../volume/volumes.ts'
import { volumeRoot } from './prepare.ts'
import type { Run } from './run.ts'

type Source = Service['volumesFrom'][number]

const sourceOf = ({ session, project }: Run, { kind, name }: Source): ContainerRecord => {
  const { containers } = readContainers(session.roots, kind === 'service' ? project : undefined, session.isAlive)
  const records = containers.map(({ record }) => record)
  const found =
    kind === 'container'
      ? records.find((record) => isNamed(record, name))
      : records.filter(({ service, oneOff }) => service === name && !oneOff).sort((a, b) => a.number - b.number)[0]
  if (found !== undefined) return found
  throw new CaissonError('ENOCONTAINER', `volumes_from: ${kind} ${name} has no container`)
}

/** Its mounts that are more than a tmpfs, the volumes of its image included. */
const mountsOf = ({ definition, volumes }: ContainerRecord, { path }: Source): readonly ServiceMount[] => {
  const own = definition.volumes.filter(({ type }) => type !== 'tmpfs')
  const targets = new Set(own.map(({ target }) => target))
  const ofImage = Object.keys(volumes)
    .filter((target) => !targets.has(target))
    .map((target) => imageVolume(target, path))
  return [...own, ...ofImage]
}

export interface Inherited {
  /** The definition with everything it mounts. */
  readonly service: Service
  /** Names of the volumes among it. Nobody but their first owner removes anonymous ones. */
  readonly volumes: ContainerRecord['volumes']
}

const keepAnonymous = ({ session }: Run, { project, service }: ContainerRecord, target: string, name: string) =>
  ensureVolume(volumeRoot(session), { name, key: `${service}:${target}`, project, anonymous: true, labels: {} })

export const inherit = (run: Run, service: Service): Inherited => {
  const mounts = new Map<string, ServiceMount>()
  const volumes: Record<string, { name: string; anonymous: boolean }> = {}
  const taken = new Set(service.volumes.map(({ target }) => target))
  for (const source of service.volumesFrom) {
    const record = sourceOf(run, source)
    for (const mount of mountsOf(record, source)) {
      if (taken.has(mount.target)) continue
      mounts.set(mount.target, { ...mount, readOnly: source.readOnly ?? mount.readOnly, path: source.path })
      const volume = record.volumes[mount.target]
      if (volume === undefined) continue
      if (volume.anonymous) keepAnonymous(run, record, mount.target, volume.name)
      volumes[mount.target] = { name: volume.name, anonymous: false }
    }
  }
  return { service: { ...service, volumes: [...service.volumes, ...mounts.values()] }, volumes }
}
