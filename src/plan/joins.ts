/**
 * Joins: which container a reference to a namespace means, and what follows for those that share it. Another container or
 * another run of it has other namespaces, so who shares has to run anew: a namespace that nobody stands behind any more
 * does not survive a change. Nobody is recreated for it: a run looks its references up when it begins. Pure.
 */
import type { Project, Service } from '../compose/project.ts'
import { CaissonError } from '../errors.ts'
import type { Fate, Replica, ServiceFate } from './fate.ts'
import { type Reference, referencesOf, type SharedNamespace } from './namespaces.ts'
import { isUp, type Observed, type ObservedContainer } from './observed.ts'
import { containerName, isNamed, replicasOf } from './select.ts'

/** What a reference leads to in the world that the plan makes. */
interface Source {
  readonly name: string
  /** undefined: made in this plan. */
  readonly id: string | undefined
  /** Its run as it is now; undefined: it begins one in this plan. */
  readonly run: string | undefined
}

const asItIs = ({ name, id, run }: ObservedContainer): Source => ({ name, id, run })

const sourceOf = ({ container, fate }: Replica): Source => ({
  name: container.name,
  id: fate.kind === 'recreate' ? undefined : container.id,
  run: fate.kind === 'keep' ? container.run : undefined,
})

/** The first replica, as in Compose. */
const ofService = (project: Project, observed: Observed, fates: readonly ServiceFate[], name: string) => {
  const fate = fates.find(({ service }) => service.name === name)
  if (fate === undefined) return replicasOf(observed, name).map(asItIs)[0]
  const staying = fate.replicas.find((replica) => replica.fate.kind !== 'remove')
  if (staying !== undefined) return sourceOf(staying)
  return fate.fresh
    .map(
      (number): Source => ({ name: containerName(project.name, fate.service, number), id: undefined, run: undefined }),
    )
    .at(0)
}

/** By name or id, in whatever project. */
const ofContainer = (observed: Observed, fates: readonly ServiceFate[], text: string): Source | undefined => {
  const replica = fates.flatMap(({ replicas }) => replicas).find(({ container }) => isNamed(container, text))
  if (replica !== undefined) return sourceOf(replica)
  const there = [...observed.containers, ...observed.elsewhere].find((container) => isNamed(container, text))
  return there && asItIs(there)
}

const sourceFor = (project: Project, observed: Observed, fates: readonly ServiceFate[], { to }: Reference) =>
  to.kind === 'service' ? ofService(project, observed, fates, to.name) : ofContainer(observed, fates, to.name)

const missing = (service: Service, { namespace, to }: Reference) =>
  new CaissonError(
    'ENOCONTAINER',
    `service ${service.name} shares the ${namespace} namespace of ${to.kind} ${to.name}, which has no container`,
    to.kind === 'service' ? { hint: 'bring it up first, or drop --no-deps' } : {},
  )

/** What a running container has to do about a namespace; undefined: nothing, it is as it was. */
const follow = (container: ObservedContainer, namespace: SharedNamespace, source: Source): Fate | undefined => {
  const joined = container.joins.find((join) => join.namespace === namespace)
  if (joined?.container === source.id && joined?.run === source.run && source.run !== undefined) return undefined
  return { kind: 'restart', cause: `${namespace} namespace of ${source.name} is a new one` }
}

/** Fates with what follows from those of the containers that namespaces come from. `fates`: dependencies first. */
export const withJoins = (
  project: Project,
  observed: Observed,
  fates: readonly ServiceFate[],
): readonly ServiceFate[] => {
  const decided = [...fates]
  for (const [index, fate] of fates.entries()) {
    const followed = ({ container, fate: own }: Replica): Replica => {
      const causes = referencesOf(fate.service).flatMap((reference) => {
        const source = sourceFor(project, observed, decided, reference)
        if (source === undefined && own.kind !== 'keep' && own.kind !== 'remove') throw missing(fate.service, reference)
        return source === undefined ? [] : (follow(container, reference.namespace, source) ?? [])
      })
      return { container, fate: own.kind === 'keep' ? (causes[0] ?? own) : own }
    }
    for (const reference of fate.fresh.length > 0 ? referencesOf(fate.service) : []) {
      if (sourceFor(project, observed, decided, reference) === undefined) throw missing(fate.service, reference)
    }
    decided[index] = { ...fate, replicas: fate.replicas.map(followed) }
  }
  return decided
}

/** Running containers that share with one of `renewed` (ids), or with an earlier run of one: sources before sharers. */
export const sharersOf = (observed: Observed, renewed: ReadonlySet<string>): readonly ObservedContainer[] => {
  const runs = new Map([...observed.containers, ...observed.elsewhere].map(({ id, run }) => [id, run]))
  const affected = new Set(renewed)
  const found: ObservedContainer[] = []
  const isStale = ({ joins }: ObservedContainer) =>
    joins.some(({ container, run }) => affected.has(container) || (runs.get(container) ?? run) !== run)
  for (let before = -1; before !== found.length; ) {
    before = found.length
    for (const container of observed.containers) {
      if (!isUp(container) || affected.has(container.id) || !isStale(container)) continue
      affected.add(container.id)
      found.push(container)
    }
  }
  return found
}

/** Volumes are taken over from a container: of another one they may be others. `fates`: dependencies first. */
export const withVolumesFrom = (fates: readonly ServiceFate[], noRecreate: boolean): readonly ServiceFate[] => {
  const renewed = new Set<string>()
  const isNew = ({ replicas, fresh }: ServiceFate) =>
    replicas.some(({ fate }) => fate.kind === 'recreate') || (replicas.length === 0 && fresh.length > 0)
  return fates.map((own) => {
    const lender = own.service.volumesFrom.find(({ kind, name }) => kind === 'service' && renewed.has(name))
    const recreated = ({ container, fate }: Replica): Replica =>
      fate.kind === 'remove' || fate.kind === 'recreate' || lender === undefined || noRecreate
        ? { container, fate }
        : { container, fate: { kind: 'recreate', cause: `volumes of ${lender.name}, which is recreated` } }
    const decided = { ...own, replicas: own.replicas.map(recreated) }
    if (isNew(decided)) renewed.add(own.service.name)
    return decided
  })
}
