/** Plans that freeze and thaw. What does not run is left alone. */
import { PlanBuilder } from './builder.ts'
import { replicas, resourceOf, type Target } from './change.ts'
import type { Observed, ObservedContainer } from './observed.ts'
import type { Plan } from './plan.ts'

type State = ObservedContainer['state']

const HAS_PROCESSES: ReadonlySet<State> = new Set(['running', 'paused', 'restarting'])

/** A service that is named must be in the other state, or its operation fails; of a whole project the rest is done. */
const reconcile =
  (kind: 'pauseContainer' | 'unpauseContainer', cause: string, isDone: (state: State) => boolean) =>
  (target: Target, observed: Observed, { services }: { readonly services: readonly string[] }): Plan => {
    const builder = new PlanBuilder(target.name)
    for (const container of replicas(target, observed, services).flat()) {
      if (!HAS_PROCESSES.has(container.state) || (services.length === 0 && isDone(container.state))) continue
      builder.add({ kind, container: container.id, name: container.name }, resourceOf(container), cause)
    }
    return builder.build()
  }

export const reconcilePause = reconcile('pauseContainer', 'pause', (state) => state === 'paused')
export const reconcileUnpause = reconcile('unpauseContainer', 'unpause', (state) => state !== 'paused')
