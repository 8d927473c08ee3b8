/** Plans for what exists: down, stop, kill, rm (start and restart: resume.ts). Pure; none needs a Compose file, each takes one if read. */
import type { Project } from '../compose/project.ts'
import { CaissonError } from '../errors.ts'
import { edges, PlanBuilder } from './builder.ts'
import { preStopOf } from './hooks.ts'
import { isUp, type Observed, type ObservedContainer } from './observed.ts'
import { dependencyOrder, type Graph, reversed, withDependencies } from './order.ts'
import type { Edge, Operation, Plan } from './plan.ts'

/** The project as far as it is known: its name, and the file's content where that was read. */
export interface Target {
  readonly name: string
  readonly project: Project | undefined
}

export interface ChangePlanOptions {
  /** Empty: all. */
  readonly services: readonly string[]
  /** Grace of every stop; undefined: the container's own. */
  readonly timeoutMs: number | undefined
}

export interface DownPlanOptions extends ChangePlanOptions {
  /** Named volumes of the project and anonymous ones too. */
  readonly volumes: boolean
  readonly removeOrphans: boolean
}

export const resourceOf = ({ service, number, oneOff }: ObservedContainer) =>
  oneOff ? `service:${service}:run` : `service:${service}:${number}`

/** What depended on what: the file where there is one, the containers' own record for the others. */
export const graphOf = (target: Target, observed: Observed): Graph => {
  const graph = new Map<string, Set<string>>()
  const add = (service: string, dependencies: readonly string[]) => {
    const known = graph.get(service) ?? new Set<string>()
    for (const dependency of dependencies) known.add(dependency)
    graph.set(service, known)
  }
  for (const { service, dependsOn } of observed.containers) {
    const current = target.project?.services[service]
    add(service, current === undefined ? dependsOn : Object.keys(current.dependsOn))
  }
  return new Map([...graph].map(([service, dependencies]) => [service, [...dependencies]]))
}

const isKnown = ({ project }: Target, { service }: ObservedContainer) =>
  project === undefined || project.services[service] !== undefined || project.disabledServices[service] !== undefined

/** Throws ENOSERVICE for a name that neither the file nor any container has. */
const checkNames = (target: Target, observed: Observed, names: readonly string[]) => {
  for (const name of names) {
    const defined = target.project?.services[name] ?? target.project?.disabledServices[name]
    if (defined === undefined && !observed.containers.some(({ service }) => service === name)) {
      throw new CaissonError('ENOSERVICE', `no such service: ${name}`)
    }
  }
}

/** Replicas of the services asked for, grouped by service in dependency order. */
export const replicas = (target: Target, observed: Observed, names: readonly string[]) => {
  checkNames(target, observed, names)
  const { order } = dependencyOrder(graphOf(target, observed))
  return order
    .filter((service) => names.length === 0 || names.includes(service))
    .map((service) =>
      observed.containers
        .filter((container) => container.service === service && !container.oneOff && isKnown(target, container))
        .sort((a, b) => a.number - b.number),
    )
}

const stopOperation = (target: Target, container: ObservedContainer, timeoutMs: number | undefined) =>
  ({
    kind: 'stopContainer',
    container: container.id,
    name: container.name,
    timeoutMs,
    ...preStopOf(target.project, container),
  }) as const

/** Without hooks. */
export const startOperation = ({ id, name, service, number }: ObservedContainer) =>
  ({ kind: 'startContainer', service, number, name, container: id }) as const

export const removeOperation = ({ id, name }: ObservedContainer, anonymousVolumes: boolean): Operation => ({
  kind: 'removeContainer',
  container: id,
  name,
  anonymousVolumes,
})

export const recover = (builder: PlanBuilder, container: ObservedContainer): number => {
  const operation = { kind: 'recoverContainer', container: container.id, name: container.name } as const
  return builder.add(operation, resourceOf(container), 'its monitor died')
}

/** Nodes of the services next to `service` in `graph`, by an earlier pass over them. */
const neighbours = (graph: Graph, service: string, nodes: ReadonlyMap<string, readonly number[]>): readonly number[] =>
  (graph.get(service) ?? []).flatMap((name) => nodes.get(name) ?? [])

/**
 * Stops what runs, dependents first, and after what `first` says; what was lost is recovered. Container id to its node.
 * Where a hook keeps a dependent running, what it depends on goes on too.
 */
export const stopAll = (
  builder: PlanBuilder,
  target: Target,
  groups: readonly (readonly ObservedContainer[])[],
  dependents: Graph,
  cause: string,
  timeoutMs: number | undefined,
  first: (container: ObservedContainer) => readonly Edge[] = () => [],
) => {
  const stopped = new Map<string, number[]>()
  const byContainer = new Map<string, number>()
  const hooked = new Set<number>()
  for (const group of [...groups].reverse()) {
    for (const container of group) {
      if (!isUp(container) && container.state !== 'lost') continue
      const above = neighbours(dependents, container.service, stopped)
      const before = [
        ...above.flatMap((node) => edges([node], hooked.has(node) ? 'abort' : 'warn')),
        ...first(container),
      ]
      const operation = stopOperation(target, container, timeoutMs)
      const node =
        container.state === 'lost'
          ? recover(builder, container)
          : builder.add(operation, resourceOf(container), cause, before)
      if ('hooks' in operation) hooked.add(node)
      stopped.set(container.service, [...(stopped.get(container.service) ?? []), node])
      byContainer.set(container.id, node)
    }
  }
  return byContainer
}

export const reconcileStop = (target: Target, observed: Observed, options: ChangePlanOptions): Plan => {
  const builder = new PlanBuilder(target.name)
  const groups = replicas(target, observed, options.services)
  stopAll(builder, target, groups, reversed(graphOf(target, observed)), 'stop', options.timeoutMs)
  return builder.build()
}

export const reconcileKill = (
  target: Target,
  observed: Observed,
  options: { readonly services: readonly string[]; readonly signal: string; readonly removeOrphans: boolean },
): Plan => {
  const builder = new PlanBuilder(target.name)
  const orphans = options.removeOrphans ? observed.containers.filter((container) => !isKnown(target, container)) : []
  for (const container of [...replicas(target, observed, options.services).flat(), ...orphans]) {
    if (!isUp(container)) continue
    const { id, name } = container
    const operation = { kind: 'signalContainer', container: id, name, signal: options.signal } as const
    builder.add(operation, resourceOf(container), 'kill')
  }
  return builder.build()
}

/** `rm`: what does not run. */
export const reconcileRemove = (
  target: Target,
  observed: Observed,
  options: { readonly services: readonly string[]; readonly volumes: boolean },
): Plan => {
  const builder = new PlanBuilder(target.name)
  for (const container of replicas(target, observed, options.services).flat()) {
    if (isUp(container)) continue
    const before = container.state === 'lost' ? [recover(builder, container)] : []
    builder.add(removeOperation(container, options.volumes), resourceOf(container), 'rm', edges(before))
  }
  return builder.build()
}

/** The services that `down` takes: those named and their dependents, or all. */
const downServices = (target: Target, observed: Observed, names: readonly string[]) => {
  checkNames(target, observed, names)
  const dependents = reversed(graphOf(target, observed))
  return names.length === 0 ? undefined : withDependencies(dependents, names)
}

/** Containers that `down` takes, grouped by service in dependency order: one-offs too, whatever they were run from. */
const downGroups = (target: Target, observed: Observed, options: DownPlanOptions) => {
  const services = downServices(target, observed, options.services)
  const { order } = dependencyOrder(graphOf(target, observed))
  const isTaken = (container: ObservedContainer) => {
    if (services !== undefined && !services.has(container.service)) return false
    return options.removeOrphans || container.oneOff || isKnown(target, container)
  }
  return order.map((service) =>
    observed.containers
      .filter((container) => container.service === service && isTaken(container))
      .sort((a, b) => a.number - b.number),
  )
}

const externalNames = (section: Readonly<Record<string, { name: string; external: boolean }>> | undefined) =>
  new Set(Object.values(section ?? {}).flatMap(({ name, external }) => (external ? [name] : [])))

/**
 * Networks that only removed containers used go as soon as those have ended: a bridge takes the kernel 30 ms, in which the
 * containers are removed. With services named, only networks they leave unused.
 */
const removeNetworks = (
  builder: PlanBuilder,
  target: Target,
  observed: Observed,
  { ended, removed }: { readonly ended: ReadonlyMap<string, number>; readonly removed: ReadonlyMap<string, number> },
  partly: boolean,
) => {
  const external = externalNames(target.project?.networks)
  for (const { id, name, key, project } of observed.networks) {
    if (project !== target.name || external.has(name)) continue
    const users = observed.containers.filter(({ networks }) => networks.includes(name))
    const staying = users.some((user) => !removed.has(user.id))
    if (staying || (partly && users.length === 0)) continue
    const after = users.flatMap((user) => ended.get(user.id) ?? removed.get(user.id) ?? [])
    builder.add({ kind: 'removeNetwork', network: id, name }, `network:${key}`, 'down', edges(after))
  }
}

const removeVolumes = (
  builder: PlanBuilder,
  target: Target,
  observed: Observed,
  removed: ReadonlyMap<string, number>,
  partly: boolean,
) => {
  const external = externalNames(target.project?.volumes)
  for (const { name, key, project, anonymous } of observed.volumes) {
    if (project !== target.name || external.has(name)) continue
    const users = observed.containers.filter(({ volumes }) => volumes.includes(name))
    if (anonymous && users.length > 0) continue // goes with its container
    const staying = users.some((user) => !removed.has(user.id))
    if (staying || (partly && users.length === 0)) continue
    const after = users.flatMap((user) => removed.get(user.id) ?? [])
    builder.add({ kind: 'removeVolume', name }, `volume:${key}`, 'down --volumes', edges(after))
  }
}

/** Stops and removes containers, dependents first; then networks, and volumes if asked for. */
export const reconcileDown = (target: Target, observed: Observed, options: DownPlanOptions): Plan => {
  const builder = new PlanBuilder(target.name)
  const groups = downGroups(target, observed, options)
  const ended = stopAll(builder, target, groups, reversed(graphOf(target, observed)), 'down', options.timeoutMs)
  const removed = new Map<string, number>()
  for (const container of [...groups].reverse().flat()) {
    const before = ended.get(container.id)
    const after = edges(before === undefined ? [] : [before])
    const operation = removeOperation(container, options.volumes)
    removed.set(container.id, builder.add(operation, resourceOf(container), 'down', after))
  }
  const partly = options.services.length > 0
  removeNetworks(builder, target, observed, { ended, removed }, partly)
  if (options.volumes) removeVolumes(builder, target, observed, removed, partly)
  return builder.build()
}
