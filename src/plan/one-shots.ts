/**
 * One-shots: services that have done their work. A container that ended with 0 by itself, and that no restart policy runs
 * again, is not run again either while it and what it depends on are as they were.
 */
import type { Project, Service } from '../compose/project.ts'
import { isAwaitedToComplete } from './conditions.ts'
import type { Replica, ServiceFate } from './fate.ts'
import type { Observed, ObservedContainer } from './observed.ts'
import { replicasOf } from './select.ts'

export interface OneShotOptions {
  /** Services named on the command line; naming one asks for it to be run. */
  readonly services: readonly string[]
  /** Services whose one-shots are run again whatever they have done. */
  readonly rerun: 'all' | readonly string[]
  /** Somebody looks at the output: what nobody waits for is run again, or there would be nothing to see. */
  readonly attached: boolean
}

const canFinish = ({ restart }: Service): boolean => restart === undefined || restart.policy === 'on-failure'

export const hasFinished = (service: Service, { state, exitCode, stopped }: ObservedContainer): boolean =>
  canFinish(service) && state === 'exited' && exitCode === 0 && !stopped

const isAsked = ({ name }: Service, { services, rerun }: OneShotOptions): string | undefined => {
  if (rerun === 'all' || rerun.includes(name)) return '--rerun'
  return services.includes(name) ? 'named on the command line' : undefined
}

/** A dependency that is made anew in this plan, or was after `container` last ran. */
const renewedDependency = (
  observed: Observed,
  service: Service,
  renewed: ReadonlySet<string>,
  container: ObservedContainer,
): string | undefined =>
  Object.keys(service.dependsOn).find(
    (name) => renewed.has(name) || replicasOf(observed, name).some(({ createdAt }) => createdAt > container.startedAt),
  )

const isRenewed = ({ replicas, fresh }: ServiceFate): boolean =>
  fresh.length > 0 || replicas.some(({ fate: { kind } }) => kind === 'recreate')

/** `fates` in dependency order, with what has done its work left alone. */
export const withOneShots = (
  project: Project,
  observed: Observed,
  fates: readonly ServiceFate[],
  options: OneShotOptions,
): readonly ServiceFate[] => {
  const renewed = new Set<string>()
  const decide = (service: Service, replica: Replica): Replica => {
    const { container, fate } = replica
    if (fate.kind !== 'start' || !hasFinished(service, container)) return replica
    const dependency = renewedDependency(observed, service, renewed, container)
    if (dependency !== undefined) {
      renewed.add(service.name)
      return { container, fate: { kind: 'start', cause: `dependency ${dependency} was recreated` } }
    }
    const asked = isAsked(service, options)
    if (asked !== undefined) return { container, fate: { kind: 'start', cause: asked } }
    const isWatched = options.attached && !isAwaitedToComplete(project, service.name)
    return isWatched ? replica : { container, fate: { kind: 'keep' } }
  }
  return fates.map((fate) => {
    if (isRenewed(fate)) renewed.add(fate.service.name)
    return { ...fate, replicas: fate.replicas.map((replica) => decide(fate.service, replica)) }
  })
}
