/** Waiting: what the starts of dependents wait for, and what has to be waited for at the end (`--wait`). */
import type { Dependency, Project, Service } from '../compose/project.ts'
import type { PlanFinding } from './codes.ts'
import type { Replica, ServiceFate } from './fate.ts'
import type { ObservedContainer } from './observed.ts'
import type { WaitCondition } from './plan.ts'

/** Whether health of `service` is checked. `ofImage`: its image brings a check, which the file may switch off. */
export const hasHealthcheck = ({ healthcheck }: Service, ofImage: boolean): boolean =>
  healthcheck?.test === undefined ? ofImage : healthcheck.test.kind !== 'none'

/** Some service waits for this one to complete: its work is to end. */
export const isAwaitedToComplete = ({ services, disabledServices }: Project, name: string): boolean =>
  [...Object.values(services), ...Object.values(disabledServices)].some(
    ({ dependsOn }) => dependsOn[name]?.condition === 'service_completed_successfully',
  )

/** undefined: that it was started is enough. */
export const waitFor = ({ condition }: Dependency): WaitCondition | undefined => {
  if (condition === 'service_started') return undefined
  return condition === 'service_healthy' ? 'healthy' : 'completed'
}

/** What `--wait` waits for. */
export const goalOf = (service: Service, isAwaited: boolean, ofImage: boolean): WaitCondition => {
  if (isAwaited) return 'completed'
  return hasHealthcheck(service, ofImage) ? 'healthy' : 'running'
}

/** A container that stays as it is, and is what is waited for already. */
export const isMet = (
  { state, exitCode, health }: Pick<ObservedContainer, 'state' | 'exitCode' | 'health'>,
  condition: WaitCondition,
): boolean => {
  const hasEndedWell = state === 'exited' && exitCode === 0
  if (condition === 'completed') return hasEndedWell
  if (condition === 'running')
    return state === 'paused' || hasEndedWell || (state === 'running' && (health === 'none' || health === 'healthy'))
  return state === 'running' && health === 'healthy'
}

const isSettled = ({ container, fate }: Replica, condition: WaitCondition): boolean =>
  fate.kind === 'remove' || (fate.kind === 'keep' && isMet(container, condition))

const startsSomething = ({ replicas, fresh }: ServiceFate): boolean =>
  fresh.length > 0 || replicas.some(({ fate: { kind } }) => kind !== 'keep' && kind !== 'remove')

/** Containers of `fate` that are not what `condition` says: those to wait for. */
export const unmet = ({ replicas, fresh }: ServiceFate, condition: WaitCondition): readonly number[] => [
  ...replicas.filter((replica) => !isSettled(replica, condition)).map(({ container }) => container.number),
  ...fresh,
]

export interface Waits {
  /** By service; `required`: somebody insists on it. */
  readonly of: ReadonlyMap<string, ReadonlyMap<WaitCondition, { readonly required: boolean }>>
  /** Services whose starts come after some waiting. */
  readonly behind: ReadonlySet<string>
}

export interface WaitOptions {
  /** Wait for every service in the end. */
  readonly wait: boolean
  /** Services whose image brings a health check. */
  readonly imageHealthchecks: ReadonlySet<string>
}

/** `fates` in dependency order. */
export const waitsOf = (project: Project, fates: readonly ServiceFate[], options: WaitOptions): Waits => {
  const byName = new Map(fates.map((fate) => [fate.service.name, fate]))
  const of = new Map<string, Map<WaitCondition, { required: boolean }>>()
  const behind = new Set<string>()
  const add = (fate: ServiceFate, condition: WaitCondition, required: boolean): boolean => {
    if (unmet(fate, condition).length === 0) return false
    const known = of.get(fate.service.name) ?? new Map<WaitCondition, { required: boolean }>()
    known.set(condition, { required: required || (known.get(condition)?.required ?? false) })
    of.set(fate.service.name, known)
    return true
  }
  for (const fate of fates.filter(startsSomething)) {
    for (const [name, dependency] of Object.entries(fate.service.dependsOn)) {
      const needed = byName.get(name)
      if (needed === undefined) continue
      const condition = waitFor(dependency)
      const waits = condition !== undefined && add(needed, condition, dependency.required)
      if (waits || (behind.has(name) && startsSomething(needed))) behind.add(fate.service.name)
    }
  }
  if (options.wait) {
    for (const fate of fates) {
      const { service } = fate
      const ofImage = options.imageHealthchecks.has(service.name)
      add(fate, goalOf(service, isAwaitedToComplete(project, service.name), ofImage), true)
    }
  }
  return { of, behind }
}

/** Optional dependencies that are switched off, of services that start now. */
export const missingDependencies = (project: Project, fates: readonly ServiceFate[]): readonly PlanFinding[] =>
  fates.filter(startsSomething).flatMap(({ service }) =>
    Object.keys(service.dependsOn)
      .filter((name) => project.services[name] === undefined)
      .map((name) => ({
        ...({ code: 'plan/optional-dependency', severity: 'warning' } as const),
        path: ['services', service.name, 'depends_on', name],
        message: `optional dependency: ${name} is switched off by its profiles; ${service.name} starts without it`,
      })),
  )

/** Waiting for the health of a service that has no check would never end. `names`: the services of this command. */
export const conditionFindings = (
  project: Project,
  names: ReadonlySet<string>,
  imageHealthchecks: ReadonlySet<string>,
): readonly PlanFinding[] =>
  [...names].flatMap((name) =>
    Object.entries(project.services[name]?.dependsOn ?? {}).flatMap(([dependency, { condition, required }]) => {
      const needed = project.services[dependency]
      if (condition !== 'service_healthy' || needed === undefined || !names.has(dependency)) return []
      if (needed.scale === 0 || hasHealthcheck(needed, imageHealthchecks.has(dependency))) return []
      return [
        {
          code: 'plan/no-healthcheck',
          severity: required ? 'error' : 'warning',
          path: ['services', name, 'depends_on', dependency, 'condition'],
          message: `service ${name} waits for ${dependency} to be healthy, but ${dependency} has no health check`,
          hint: `give ${dependency} a healthcheck, or use condition: service_started`,
        } as const,
      ]
    }),
  )
