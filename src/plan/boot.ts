/** What is to run again after a reboot, as the restart policies ask. Pure; by the containers' own records. */
import { edges, PlanBuilder } from './builder.ts'
import { graphOf, recover, replicas, resourceOf, startOperation } from './change.ts'
import type { Observed, ObservedContainer } from './observed.ts'
import type { Plan } from './plan.ts'
import { restoreNetworks } from './resume.ts'

/** It ran, nobody who runs now holds it, and its policy wants it back (Docker's rule: on-failure does not outlive a reboot). */
const isToRun = ({ state, stopped, definition: { restart } }: ObservedContainer): boolean => {
  if (state !== 'exited' && state !== 'lost') return false
  return restart?.policy === 'always' || (restart?.policy === 'unless-stopped' && !stopped)
}

/**
 * Dependencies first, but nothing is waited for and no failure stops the others: what needs a dependency has a policy that
 * starts it again.
 */
export const reconcileBoot = (name: string, observed: Observed): Plan => {
  const target = { name, project: undefined }
  const graph = graphOf(target, observed)
  const containers = replicas(target, observed, []).flat().filter(isToRun)
  const builder = new PlanBuilder(name)
  const recovered = new Map(
    containers.flatMap((container) =>
      container.state === 'lost' ? [[container.id, recover(builder, container)] as const] : [],
    ),
  )
  const networks = restoreNetworks(builder, observed, containers)
  const started = new Map<string, number[]>()
  for (const container of containers) {
    const { id, service, definition } = container
    const needed = [recovered.get(id) ?? [], ...container.networks.map((network) => networks.get(network) ?? [])]
    const before = (graph.get(service) ?? []).flatMap((dependency) => started.get(dependency) ?? [])
    const after = [...edges(before, 'warn'), ...edges(needed.flat())]
    const cause = `restart: ${definition.restart?.policy}`
    const node = builder.add(startOperation(container), resourceOf(container), cause, after)
    started.set(service, [...(started.get(service) ?? []), node])
  }
  return builder.build()
}
