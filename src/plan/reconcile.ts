/** reconcile: (Project, Observed, options) → Plan for `up` and `create`. Pure; every node says why it is there. */
import type { Project, Service } from '../compose/project.ts'
import { CaissonError, type Diagnostic } from '../errors.ts'
import { edges, PlanBuilder } from './builder.ts'
import type { PlanFinding } from './codes.ts'
import { missingDependencies, waitsOf } from './conditions.ts'
import { divergedNetworks, type FateOptions, type Replica, serviceFate, type ServiceFate } from './fate.ts'
import { postStartOf, preStopOf } from './hooks.ts'
import { sharersOf, withJoins, withVolumesFrom } from './joins.ts'
import { freshResource, type Making, resourceOf, type UpPlanOptions } from './making.ts'
import { referencesOf } from './namespaces.ts'
import { isUp, type Observed, type ObservedContainer } from './observed.ts'
import { hasFinished, withOneShots } from './one-shots.ts'
import { dependencyOrder } from './order.ts'
import type { Edge, Plan } from './plan.ts'
import { isStoppedWith, withRestarts } from './restarts.ts'
import { containerName, dependencyGraph, networkKeys, orphansOf, selectServices, volumeKeys } from './select.ts'
import { resourceNodes, startContainers } from './starts.ts'

export interface Reconciled {
  readonly plan: Plan
  readonly warnings: readonly Diagnostic[]
  /** Names of containers of services that the project does not have any more, and that stay. */
  readonly orphans: readonly string[]
  /** Names of containers that have done their work and are not run again. */
  readonly finished: readonly string[]
}

const recoverLost = ({ observed, builder, recovered }: Making) => {
  for (const container of observed.containers) {
    if (container.state !== 'lost') continue
    const operation = { kind: 'recoverContainer', container: container.id, name: container.name } as const
    recovered.set(container.id, builder.add(operation, resourceOf(container), 'its monitor died'))
  }
}

/** `hooks`: not of what is made anew, as in Compose. */
const stopNode = (
  making: Making,
  container: ObservedContainer,
  cause: string,
  after: readonly Edge[],
  hooks = preStopOf(making.project, container),
) => {
  const { id, name } = container
  const operation = {
    kind: 'stopContainer',
    container: id,
    name,
    timeoutMs: making.options.timeoutMs,
    ...hooks,
  } as const
  const node = making.builder.add(operation, resourceOf(container), cause, after)
  making.stopped.set(id, node)
  return node
}

const removeNode = (making: Making, container: ObservedContainer, cause: string, anonymousVolumes: boolean) => {
  const { id, name } = container
  const before = [making.stopped.get(id), making.recovered.get(id)].filter((node) => node !== undefined)
  const operation = { kind: 'removeContainer', container: id, name, anonymousVolumes } as const
  making.removed.set(id, making.builder.add(operation, resourceOf(container), cause, edges(before)))
}

const isGoing = ({ fate }: Replica) => fate.kind === 'recreate' || fate.kind === 'remove'

const NEW_NAMESPACE = 'shares a namespace that begins anew'

const followersOf = (observed: Observed, fates: readonly ServiceFate[]) => {
  const renewed = fates.flatMap(({ replicas }) => replicas.filter(({ fate }) => fate.kind !== 'keep'))
  const selected = new Set(fates.map(({ service }) => service.name))
  const ids = new Set(renewed.map(({ container }) => container.id))
  return sharersOf(observed, ids).filter(({ service, oneOff }) => !selected.has(service) && !oneOff)
}

const stopFollowers = (making: Making) => {
  for (const container of [...making.followers].reverse()) stopNode(making, container, NEW_NAMESPACE, [])
}

/** From their records, after those that they share with. */
const startFollowers = (making: Making) => {
  for (const follower of making.followers) {
    const { id, name, service, number, joins } = follower
    const sources = making.observed.containers.filter((other) => joins.some(({ container }) => container === other.id))
    const before = [
      making.stopped.get(id) ?? [],
      ...sources.map((other) => making.started.get(other.service) ?? []),
    ].flat()
    const hooks = postStartOf(making.project, follower)
    const operation = { kind: 'startContainer', service, number, name, container: id, ...hooks } as const
    const node = making.builder.add(operation, resourceOf(follower), NEW_NAMESPACE, edges(before))
    making.started.set(service, [...(making.started.get(service) ?? []), node])
  }
}

/** Stops and removes what is replaced, too many, or orphaned; dependents with `restart: true` stop first. */
const takeDown = (making: Making) => {
  for (const { service, replicas } of [...making.fates].reverse()) {
    const dependents = making.fates.filter((fate) => isStoppedWith(fate.service, service.name))
    const before = dependents.flatMap((fate) =>
      fate.replicas.flatMap(({ container }) => making.stopped.get(container.id) ?? []),
    )
    for (const { container, fate } of replicas) {
      if (fate.kind === 'keep' || fate.kind === 'start' || !isUp(container)) continue
      const hooks = fate.kind === 'recreate' ? {} : preStopOf(making.project, container)
      stopNode(making, container, fate.cause, edges(before, 'warn'), hooks)
    }
    for (const replica of replicas) {
      if (!isGoing(replica) || replica.fate.kind === 'keep') continue
      const discard = replica.fate.kind === 'remove' || making.options.renewAnonymousVolumes
      removeNode(making, replica.container, replica.fate.cause, discard)
    }
  }
}

const takeOrphansDown = (making: Making, orphans: readonly ObservedContainer[]) => {
  for (const container of orphans) {
    if (isUp(container)) stopNode(making, container, 'orphan', [])
    removeNode(making, container, 'orphan', false)
  }
}

const ensureNetwork = (making: Making, key: string) => {
  const { project, observed, builder } = making
  const network = project.networks[key]
  if (network === undefined) return
  const resource = `network:${key}`
  const there = observed.networks.find(({ name }) => name === network.name)
  const set = (node: number) => making.networks.set(key, node)
  if (there === undefined) {
    if (network.external) {
      throw new CaissonError('ENONETWORK', `network ${network.name} declared as external, but could not be found`)
    }
    set(builder.add({ kind: 'createNetwork', key }, resource, 'not there yet'))
    return
  }
  if (making.recreatedNetworks.has(network.name)) {
    const users = observed.containers.filter(({ networks }) => networks.includes(network.name))
    const gone = users.flatMap(({ id }) => making.removed.get(id) ?? [])
    const removal = { kind: 'removeNetwork', network: there.id, name: network.name } as const
    const removed = builder.add(removal, resource, 'config hash diverged', edges(gone))
    set(builder.add({ kind: 'createNetwork', key }, resource, 'config hash diverged', edges([removed])))
    return
  }
  if (!there.present)
    set(builder.add({ kind: 'restoreNetwork', key, network: there.id }, resource, 'bridge is missing'))
  if (!network.external && there.project !== project.name) making.warnings.push(foreign('networks', key, network.name))
}

const foreign = (section: 'networks' | 'volumes', key: string, name: string): PlanFinding => ({
  code: 'plan/not-ours',
  severity: 'warning',
  path: [section, key],
  message: `${section === 'networks' ? 'network' : 'volume'} ${name} exists but was not made by this project; it is used as it is`,
  hint: 'set `external: true` to say that this is meant',
})

const sameLabels = (one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean =>
  Object.keys(one).length === Object.keys(other).length &&
  Object.entries(one).every(([key, value]) => other[key] === value)

/** Compose asks whether to make it anew and lose its data. We never lose data unasked. */
const changedVolume = (key: string, name: string): PlanFinding => ({
  code: 'plan/volume-changed',
  severity: 'warning',
  path: ['volumes', key],
  message: `volume ${name} was made with other labels; it is used as it is, with its data`,
  hint: '`down -v` removes it, and its data; the next `up` makes it anew',
})

const ensureVolume = (making: Making, key: string) => {
  const volume = making.project.volumes[key]
  if (volume === undefined) return
  const there = making.observed.volumes.find(({ name }) => name === volume.name)
  const shared = making.options.oneOff?.volumes.includes(key) === true
  const creation = { kind: 'createVolume', key, ...(shared ? { shared } : {}) } as const
  if (there === undefined) {
    if (volume.external) throw new CaissonError('ENOVOLUME', `external volume ${volume.name} not found`)
    making.volumes.set(key, making.builder.add(creation, `volume:${key}`, 'not there yet'))
  } else if (!there.present && !volume.external) {
    making.volumes.set(key, making.builder.add(creation, `volume:${key}`, 'half made'))
  } else if (!volume.external && !shared && there.project !== making.project.name) {
    making.warnings.push(foreign('volumes', key, volume.name))
  } else if (!volume.external && !sameLabels(volume.labels, there.labels)) {
    making.warnings.push(changedVolume(key, volume.name))
  }
}

const ensureResources = (making: Making) => {
  const services = making.fates.map(({ service }) => service)
  for (const key of new Set(services.flatMap(networkKeys))) ensureNetwork(making, key)
  for (const key of new Set(services.flatMap(volumeKeys))) ensureVolume(making, key)
}

/** Claims that another container of this plan may have to give up first, whatever its service. */
const claimsExclusively = (service: Service) =>
  service.ports.length > 0 ||
  service.containerName !== undefined ||
  service.networks.some(({ ipv4Address }) => ipv4Address !== undefined)

const oneOffOf = ({ options: { oneOff } }: Making, { name }: Service) =>
  oneOff?.service === name ? { oneOff: { autoRemove: oneOff.autoRemove } } : {}

const createNode = (making: Making, service: Service, number: number, replaces: string | undefined, cause: string) => {
  const name = containerName(making.project.name, service, number)
  const own = making.fates.find((fate) => fate.service === service)?.replicas ?? []
  const before = own.flatMap(({ container }) => making.removed.get(container.id) ?? [])
  const lenders = service.volumesFrom.flatMap((source) => making.createdFor.get(source.name) ?? [])
  const others = claimsExclusively(service) ? [...making.removed.values()].filter((node) => !before.includes(node)) : []
  const { noStart, renewAnonymousVolumes: renewVolumes } = making.options
  // Who shares a namespace is built when it is started: the other one has to run.
  const build = !noStart && !making.waits.behind.has(service.name) && referencesOf(service).length === 0
  const node = making.builder.add(
    {
      ...{ kind: 'createContainer', service: service.name, number, name, replaces, renewVolumes, build },
      ...oneOffOf(making, service),
    },
    freshResource(making, service.name, number),
    cause,
    [...edges(others, 'warn'), ...edges([...resourceNodes(making, service), ...lenders, ...before])],
  )
  making.created.set(name, node)
  making.createdFor.set(service.name, [...(making.createdFor.get(service.name) ?? []), node])
}

const createContainers = (making: Making) => {
  for (const { service, replicas, fresh } of making.fates) {
    for (const { container, fate } of replicas) {
      if (fate.kind === 'recreate') createNode(making, service, container.number, container.id, fate.cause)
    }
    for (const number of fresh) createNode(making, service, number, undefined, 'not there yet')
  }
}

/** Selected services in dependency order; with them whoever is on a network that has to be made anew. */
const affectedServices = (project: Project, observed: Observed, options: UpPlanOptions) => {
  const selected = new Set(selectServices(project, options.services, options.noDeps))
  const keys = [...selected].flatMap((name) => networkKeys(project.services[name] as Service))
  // A one-off takes networks as they are: making one anew stops everybody on it.
  const keepsNetworks = options.noRecreate || options.oneOff !== undefined
  const recreatedNetworks = keepsNetworks ? new Set<string>() : divergedNetworks(project, observed, keys)
  for (const { service, networks } of observed.containers) {
    if (project.services[service] && networks.some((name) => recreatedNetworks.has(name))) selected.add(service)
  }
  const { order } = dependencyOrder(dependencyGraph(project.services))
  const services = order.flatMap((name) => (selected.has(name) ? (project.services[name] ?? []) : []))
  return { services, recreatedNetworks }
}

const finishedOf = (fates: Making['fates']): readonly string[] =>
  fates.flatMap(({ service, replicas }) =>
    replicas.flatMap(({ container, fate }) =>
      fate.kind === 'keep' && hasFinished(service, container) ? [container.name] : [],
    ),
  )

const checkScale = ({ services, disabledServices }: Project, scale: UpPlanOptions['scale']): void => {
  const unknown = Object.keys(scale).find((name) => (services[name] ?? disabledServices[name]) === undefined)
  if (unknown !== undefined) throw new CaissonError('ENOSERVICE', `no such service: ${unknown}`)
}

/** Plan that makes `observed` what `project` asks for. Throws where a name, scale or external resource is not there. */
export const reconcileUp = (project: Project, observed: Observed, options: UpPlanOptions): Reconciled => {
  checkScale(project, options.scale)
  const { services, recreatedNetworks } = affectedServices(project, observed, options)
  const named = new Set(options.services.length === 0 ? Object.keys(project.services) : options.services)
  const fateOptions: FateOptions = { ...options, named, recreatedNetworks }
  const fateOf = (service: Service): ServiceFate =>
    service.name === options.oneOff?.service
      ? { service, replicas: [], fresh: [1] }
      : serviceFate(project, observed, service, fateOptions)
  const renewed = withVolumesFrom(services.map(fateOf), options.noRecreate)
  const fates = withRestarts(withJoins(project, observed, withOneShots(project, observed, renewed, options)))
  const orphans = orphansOf(project, observed)
  const making: Making = {
    followers: options.noStart ? [] : followersOf(observed, fates),
    ...{ project, observed, options, fates, recreatedNetworks, warnings: [], builder: new PlanBuilder(project.name) },
    ...{ recovered: new Map(), stopped: new Map(), removed: new Map(), networks: new Map(), volumes: new Map() },
    ...{
      created: new Map(),
      createdFor: new Map(),
      started: new Map(),
      waiting: new Map(),
      waits: waitsOf(project, fates, options),
    },
  }
  if (!options.noStart) making.warnings.push(...missingDependencies(project, fates))
  recoverLost(making)
  stopFollowers(making)
  takeDown(making)
  if (options.removeOrphans) takeOrphansDown(making, orphans)
  ensureResources(making)
  createContainers(making)
  if (!options.noStart) startContainers(making)
  startFollowers(making)
  const finished = finishedOf(fates)
  const remaining = options.removeOrphans ? [] : orphans.map(({ name }) => name)
  return { plan: making.builder.build(), warnings: making.warnings, orphans: remaining, finished }
}
