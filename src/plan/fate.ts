/** What becomes of each container that exists, and how many new ones a service needs. */
import type { Project, Service } from '../compose/project.ts'
import { CaissonError } from '../errors.ts'
import { changedKeys, configHash, networkHash } from './config-hash.ts'
import { isUp, type Observed, type ObservedContainer } from './observed.ts'
import { networkKeys, replicasOf, volumeKeys } from './select.ts'

export type Fate =
  | { readonly kind: 'keep' }
  | { readonly kind: 'start'; readonly cause: string }
  /** Stopped, then started as it is. */
  | { readonly kind: 'restart'; readonly cause: string }
  | { readonly kind: 'recreate'; readonly cause: string }
  | { readonly kind: 'remove'; readonly cause: string }

export interface Replica {
  readonly container: ObservedContainer
  readonly fate: Fate
}

export interface ServiceFate {
  readonly service: Service
  readonly replicas: readonly Replica[]
  /** Numbers of containers to make anew. */
  readonly fresh: readonly number[]
}

export interface FateOptions {
  /** Services named on the command line. */
  readonly named: ReadonlySet<string>
  readonly forceRecreate: boolean
  readonly noRecreate: boolean
  readonly alwaysRecreateDeps: boolean
  readonly renewAnonymousVolumes: boolean
  readonly scale: Readonly<Record<string, number>>
  /** Identity of each service's image. */
  readonly images: Readonly<Record<string, string>>
  /** Of each service that mounts images: target to identity. */
  readonly imageMounts: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Names of networks that are recreated in this plan. */
  readonly recreatedNetworks: ReadonlySet<string>
}

/** Names of the project's own networks that are there but were made from something else. */
export const divergedNetworks = (project: Project, observed: Observed, keys: Iterable<string>): ReadonlySet<string> => {
  const diverged = new Set<string>()
  for (const key of keys) {
    const network = project.networks[key]
    const there = observed.networks.find(({ name }) => name === network?.name)
    if (network === undefined || network.external || there?.project !== project.name) continue
    if (there.configHash !== networkHash(network)) diverged.add(network.name)
  }
  return diverged
}

const missingVolume = (project: Project, observed: Observed, service: Service): string | undefined =>
  volumeKeys(service)
    .map((key) => project.volumes[key]?.name)
    .find((name) => name !== undefined && !observed.volumes.some((volume) => volume.name === name))

const sameMembers = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((member) => b.includes(member))

/** `environment changed`, `image, ports changed`. */
const describeChange = (container: ObservedContainer, service: Service): string => {
  const keys = changedKeys(container.definition, service)
  if (keys.length === 0) return 'config hash diverged'
  return `${keys.length > 3 ? `${keys.slice(0, 3).join(', ')} and ${keys.length - 3} more` : keys.join(', ')} changed`
}

/** Why `container` is not what `service` asks for; undefined: it is. */
const divergence = (project: Project, observed: Observed, service: Service, options: FateOptions) => {
  const expectedHash = configHash(service)
  const networks = networkKeys(service).flatMap((key) => project.networks[key]?.name ?? [])
  const volume = missingVolume(project, observed, service)
  return (container: ObservedContainer): string | undefined => {
    if (container.configHash !== expectedHash) return describeChange(container, service)
    if (container.imageId !== options.images[service.name]) return 'image changed'
    const mounted = Object.entries(options.imageMounts[service.name] ?? {})
    if (mounted.some(([target, id]) => container.imageMounts[target] !== id)) return 'mounted image changed'
    const recreated = networks.find((name) => options.recreatedNetworks.has(name))
    if (recreated !== undefined) return `network ${recreated} recreated`
    if (!sameMembers(container.networks, networks)) return 'networks changed'
    return volume === undefined ? undefined : `volume ${volume} is missing`
  }
}

/** Recreation that the command line asks for, before anything is compared. */
const asked = (service: Service, { named, forceRecreate, alwaysRecreateDeps, renewAnonymousVolumes }: FateOptions) => {
  if (!named.has(service.name)) return alwaysRecreateDeps ? '--always-recreate-deps' : undefined
  if (forceRecreate) return '--force-recreate'
  return renewAnonymousVolumes ? '--renew-anon-volumes' : undefined
}

/** Why a container that does not run is started. */
export const startCause = ({ state, exitCode }: ObservedContainer): string => {
  if (state === 'created') return 'not started yet'
  if (state === 'lost') return 'its monitor died'
  return `exited (${exitCode ?? 0})`
}

const wantedScale = (service: Service, scale: FateOptions['scale']): number => {
  const wanted = scale[service.name] ?? service.scale
  if (wanted > 1 && service.containerName !== undefined) {
    throw new CaissonError(
      'ESCALE',
      `service ${service.name}: container_name ${service.containerName} allows one container, not ${wanted}`,
    )
  }
  return wanted
}

/** Decides for each container of one service. Scaling down takes diverged ones first, then the highest numbers. */
export const serviceFate = (
  project: Project,
  observed: Observed,
  service: Service,
  options: FateOptions,
): ServiceFate => {
  const existing = replicasOf(observed, service.name)
  const wanted = wantedScale(service, options.scale)
  const diverged = divergence(project, observed, service, options)
  const causes = new Map(existing.map((container) => [container, asked(service, options) ?? diverged(container)]))
  const leaving = new Set(
    [...existing]
      .sort((a, b) => Number(causes.get(b) !== undefined) - Number(causes.get(a) !== undefined) || b.number - a.number)
      .slice(0, Math.max(0, existing.length - wanted)),
  )
  const fateOf = (container: ObservedContainer): Fate => {
    if (leaving.has(container)) return { kind: 'remove', cause: `scaled to ${wanted}` }
    const cause = causes.get(container)
    if (cause !== undefined && !options.noRecreate) return { kind: 'recreate', cause }
    return isUp(container) ? { kind: 'keep' } : { kind: 'start', cause: startCause(container) }
  }
  const highest = existing.reduce((number, container) => Math.max(number, container.number), 0)
  const fresh = Array.from({ length: Math.max(0, wanted - existing.length) }, (_, index) => highest + 1 + index)
  return { service, replicas: existing.map((container) => ({ container, fate: fateOf(container) })), fresh }
}
