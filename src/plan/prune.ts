/** `system prune` of one project: containers that do not run, networks and anonymous volumes that nobody is left on. */
import { PlanBuilder, edges } from './builder.ts'
import { recover, removeOperation, resourceOf } from './change.ts'
import { isUp, type Observed } from './observed.ts'
import type { Plan } from './plan.ts'

export interface PruneOptions {
  /** Anonymous volumes too. */
  readonly volumes: boolean
  /** What the user's filters say of a container, by id. */
  readonly isContainerWanted: (id: string) => boolean
  /** By id. */
  readonly isNetworkWanted: (id: string) => boolean
  /** By name. */
  readonly isVolumeWanted: (name: string) => boolean
}

/** What waits at the barrier of another command has a monitor already. */
export const reconcilePrune = (project: string, observed: Observed, options: PruneOptions): Plan => {
  const builder = new PlanBuilder(project)
  const removed = new Map<string, number>()
  for (const container of observed.containers) {
    if (isUp(container) || container.run !== undefined || !options.isContainerWanted(container.id)) continue
    const before = container.state === 'lost' ? [recover(builder, container)] : []
    const operation = removeOperation(container, options.volumes)
    removed.set(container.id, builder.add(operation, resourceOf(container), 'prune', edges(before)))
  }
  const after = (users: readonly { readonly id: string }[]) => edges(users.flatMap(({ id }) => removed.get(id) ?? []))
  const isLeft = (users: readonly { readonly id: string }[]) => users.every(({ id }) => removed.has(id))
  for (const { id, name, key, project: owner } of observed.networks) {
    const users = observed.containers.filter(({ networks }) => networks.includes(name))
    if (owner !== project || !isLeft(users) || !options.isNetworkWanted(id)) continue
    builder.add({ kind: 'removeNetwork', network: id, name }, `network:${key}`, 'prune', after(users))
  }
  for (const { name, key, project: owner, anonymous } of options.volumes ? observed.volumes : []) {
    const isUsed = observed.containers.some(({ volumes }) => volumes.includes(name))
    if (owner !== project || !anonymous || isUsed || !options.isVolumeWanted(name)) continue
    builder.add({ kind: 'removeVolume', name }, `volume:${key}`, 'prune')
  }
  return builder.build()
}
