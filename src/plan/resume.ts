/** Plans that start what exists: start, restart. By the file where one is read, otherwise by the containers' own records. */
import type { Dependency, Service } from '../compose/project.ts'
import { CaissonError } from '../errors.ts'
import { edges, PlanBuilder } from './builder.ts'
import {
  type ChangePlanOptions,
  graphOf,
  recover,
  replicas,
  resourceOf,
  startOperation,
  stopAll,
  type Target,
} from './change.ts'
import { goalOf, isMet, waitFor } from './conditions.ts'
import { startCause } from './fate.ts'
import { postStartOf } from './hooks.ts'
import { sharersOf } from './joins.ts'
import { isUp, type Observed, type ObservedContainer } from './observed.ts'
import { hasFinished } from './one-shots.ts'
import { reversed, withDependencies } from './order.ts'
import type { Edge, Plan, WaitCondition } from './plan.ts'
import { replicasOf } from './select.ts'

export interface StartPlanOptions extends ChangePlanOptions {
  /** Until every service runs, is healthy where that is checked, or has done its work. */
  readonly wait: boolean
}

export interface RestartPlanOptions extends ChangePlanOptions {
  /** Without the dependents that restart with what they depend on. */
  readonly noDeps: boolean
}

const SHARES = 'shares a namespace that begins anew'

const none = (target: Target): never => {
  throw new CaissonError('ENOCONTAINER', `project ${target.name} has no containers to start`, {
    hint: 'create them with `up`',
  })
}

const definitionOf = ({ project }: Target, { service, definition }: ObservedContainer): Service =>
  project?.services[service] ?? definition

const dependenciesOf = (target: Target, container: ObservedContainer): readonly (readonly [string, Dependency])[] =>
  Object.entries(definitionOf(target, container).dependsOn)

/** Somebody waits for this service to complete. */
const isAwaited = (target: Target, { containers }: Observed, name: string): boolean =>
  containers.some(
    (container) => definitionOf(target, container).dependsOn[name]?.condition === 'service_completed_successfully',
  )

/** Networks of `containers` whose bridge is gone (after a reboot) are restored first. Network name to node. */
export const restoreNetworks = (builder: PlanBuilder, observed: Observed, containers: readonly ObservedContainer[]) => {
  const used = new Set(containers.flatMap(({ networks }) => networks))
  const restored = new Map<string, number>()
  for (const { id, name, key, present } of observed.networks) {
    if (present || !used.has(name)) continue
    const operation = { kind: 'restoreNetwork', key, network: id } as const
    restored.set(name, builder.add(operation, `network:${key}`, 'bridge is missing'))
  }
  return restored
}

/** Starts of one plan, and the waiting between them. */
class Resuming {
  readonly builder: PlanBuilder
  readonly #target: Target
  readonly #observed: Observed
  readonly #groups: readonly (readonly ObservedContainer[])[]
  /** Container id to its start. */
  readonly #started = new Map<string, number>()
  /** `<service> <condition>` to the waiting for its replicas. */
  readonly #waiting = new Map<string, readonly number[]>()

  /** `groups`: what is to be started, by service, in dependency order. */
  constructor(target: Target, observed: Observed, groups: readonly (readonly ObservedContainer[])[]) {
    this.builder = new PlanBuilder(target.name)
    this.#target = target
    this.#observed = observed
    this.#groups = groups
  }

  /** Somebody who starts insists on it. */
  #isRequired(service: string, condition: WaitCondition): boolean {
    const dependencies = this.#groups.flat().flatMap((container) => dependenciesOf(this.#target, container))
    return dependencies.some(
      ([name, dependency]) => name === service && waitFor(dependency) === condition && dependency.required,
    )
  }

  /** Waits for those replicas that are not what they are to be. Called again: the same nodes. */
  waitForService(service: string, condition: WaitCondition, optional: boolean): readonly number[] {
    const key = `${service} ${condition}`
    const known = this.#waiting.get(key)
    if (known !== undefined) return known
    const nodes = replicasOf(this.#observed, service).flatMap((container) => {
      const start = this.#started.get(container.id)
      if (start === undefined && isMet(container, condition)) return []
      const { id, name, number } = container
      const operation = { kind: 'waitContainer', service, number, name, container: id, condition, optional } as const
      const after = start === undefined ? [] : edges([start], 'skip')
      return [this.builder.add(operation, resourceOf(container), `is to be ${condition}`, after)]
    })
    this.#waiting.set(key, nodes)
    return nodes
  }

  /** What must have happened to the dependencies of a container, as far as `isConcerned` says. */
  dependencyEdges(
    container: ObservedContainer,
    isConcerned: (service: string) => boolean = () => true,
  ): readonly Edge[] {
    return dependenciesOf(this.#target, container).flatMap(([name, dependency]) => {
      if (!isConcerned(name)) return []
      const condition = waitFor(dependency)
      const nodes =
        condition === undefined
          ? replicasOf(this.#observed, name).flatMap(({ id }) => this.#started.get(id) ?? [])
          : this.waitForService(name, condition, !this.#isRequired(name, condition))
      return edges(nodes, dependency.required ? 'abort' : 'warn')
    })
  }

  /** `before`: container id to the node that must come first. */
  start(before: ReadonlyMap<string, number>, cause: (container: ObservedContainer) => string): void {
    const networks = restoreNetworks(this.builder, this.#observed, this.#groups.flat())
    for (const container of this.#groups.flat()) {
      const needed = [before.get(container.id) ?? [], ...container.networks.map((name) => networks.get(name) ?? [])]
      const after = [...this.dependencyEdges(container), ...edges(needed.flat())]
      const operation = { ...startOperation(container), ...postStartOf(this.#target.project, container) }
      const node = this.builder.add(operation, resourceOf(container), cause(container), after)
      this.#started.set(container.id, node)
    }
  }
}

/** The names, and the services of containers that share namespaces with one of `renewed`. Empty stays: all. */
const withSharers = (observed: Observed, names: readonly string[], renewed: readonly ObservedContainer[]) => {
  const sharers = sharersOf(observed, new Set(renewed.map(({ id }) => id)))
  return { sharers, names: names.length === 0 ? names : [...names, ...sharers.map(({ service }) => service)] }
}

/** What does not run and is to: not what has done its work and is only waited for. */
const restingOf = (target: Target, observed: Observed, selected: readonly string[], named: readonly string[]) =>
  replicas(target, observed, selected)
    .flat()
    .filter((container) => {
      const isDone = hasFinished(definitionOf(target, container), container)
      const isLeft = isDone && !named.includes(container.service) && isAwaited(target, observed, container.service)
      return !isUp(container) && !isLeft
    })

const startedCause = (container: ObservedContainer): string => (isUp(container) ? SHARES : startCause(container))

/** Starts the services named and what they depend on. */
export const reconcileStart = (target: Target, observed: Observed, options: StartPlanOptions): Plan => {
  const { services, timeoutMs, wait } = options
  const graph = graphOf(target, observed)
  if (replicas(target, observed, services).every((group) => group.length === 0)) none(target)
  const selected = services.length === 0 ? [] : [...withDependencies(graph, services)]
  const resting = restingOf(target, observed, selected, services)
  const { sharers, names } = withSharers(observed, selected, resting)
  const starting = new Set([...resting, ...sharers])
  const groups = replicas(target, observed, names).map((group) => group.filter((container) => starting.has(container)))
  const resuming = new Resuming(target, observed, groups)
  const { builder } = resuming
  const before = new Map<string, number>()
  for (const container of resting) if (container.state === 'lost') before.set(container.id, recover(builder, container))
  const running = groups.map((group) => group.filter(isUp))
  for (const [id, node] of stopAll(builder, target, running, reversed(graph), SHARES, timeoutMs)) before.set(id, node)
  resuming.start(before, startedCause)
  if (wait) {
    for (const [container] of replicas(target, observed, selected)) {
      if (container === undefined) continue
      const goal = goalOf(definitionOf(target, container), isAwaited(target, observed, container.service), false)
      resuming.waitForService(container.service, goal, false)
    }
  }
  return builder.build()
}

/** The names, known or not, with their dependents that restart with them, transitively. Empty stays: all. */
const withRestartingDependents = (target: Target, observed: Observed, names: readonly string[]): readonly string[] => {
  const dependents = new Map<string, string[]>()
  for (const container of observed.containers) {
    for (const [name, { restart }] of dependenciesOf(target, container)) {
      if (restart && isUp(container)) dependents.set(name, [...(dependents.get(name) ?? []), container.service])
    }
  }
  for (const { service } of observed.containers) if (!dependents.has(service)) dependents.set(service, [])
  return names.length === 0 ? names : [...new Set([...names, ...withDependencies(dependents, names)])]
}

/**
 * Stops and starts in the order of dependencies, whose conditions are looked at again. What a dependency that does not
 * restart itself has to be is waited for before anything is stopped.
 */
export const reconcileRestart = (target: Target, observed: Observed, options: RestartPlanOptions): Plan => {
  const graph = graphOf(target, observed)
  const asked = options.noDeps ? options.services : withRestartingDependents(target, observed, options.services)
  const named = replicas(target, observed, asked)
  if (named.every((group) => group.length === 0)) none(target)
  const groups = replicas(target, observed, withSharers(observed, asked, named.flat()).names)
  const resuming = new Resuming(target, observed, groups)
  const restarting = new Set(groups.flat().map(({ service }) => service))
  const first = (container: ObservedContainer) => resuming.dependencyEdges(container, (name) => !restarting.has(name))
  const stopped = stopAll(resuming.builder, target, groups, reversed(graph), 'restart', options.timeoutMs, first)
  resuming.start(stopped, () => 'restart')
  return resuming.builder.build()
}
