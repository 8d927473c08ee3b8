/** Starts of `up`, in the order of dependencies, and the waiting between them. */
import type { Service } from '../compose/project.ts'
import { edges } from './builder.ts'
import { unmet, waitFor } from './conditions.ts'
import type { Replica, ServiceFate } from './fate.ts'
import { postStart } from './hooks.ts'
import { freshResource, type Making, resourceOf } from './making.ts'
import type { ObservedContainer } from './observed.ts'
import type { Edge, WaitCondition } from './plan.ts'
import { containerName, networkKeys, volumeKeys } from './select.ts'

export const resourceNodes = (making: Making, service: Service): readonly number[] => [
  ...networkKeys(service).flatMap((key) => making.networks.get(key) ?? []),
  ...volumeKeys(service).flatMap((key) => making.volumes.get(key) ?? []),
]

/** What must have happened to a dependency: its start, or what its condition says. One that is optional only warns. */
const dependencyEdges = (making: Making, service: Service): readonly Edge[] =>
  Object.entries(service.dependsOn).flatMap(([name, dependency]) => {
    const condition = waitFor(dependency)
    const nodes = condition === undefined ? making.started.get(name) : making.waiting.get(waitKey(name, condition))
    return edges(nodes ?? [], dependency.required ? 'abort' : 'warn')
  })

const waitKey = (service: string, condition: WaitCondition): string => `${service} ${condition}`

const CAUSE: Readonly<Record<WaitCondition, string>> = {
  healthy: 'is to be healthy',
  completed: 'is to complete',
  running: 'is to run',
}

/** One node for each replica, whoever waits for it. A start that failed has been told: the waiting for it is skipped. */
const waitForReplicas = (making: Making, fate: ServiceFate, starts: ReadonlyMap<number, number>) => {
  const { name: service } = fate.service
  for (const [condition, { required }] of making.waits.of.get(service) ?? []) {
    const nodes = unmet(fate, condition).map((number) => {
      const there = fate.replicas.find(
        (replica) => replica.container.number === number && replica.fate.kind !== 'recreate',
      )
      const name = there?.container.name ?? containerName(making.project.name, fate.service, number)
      const start = starts.get(number)
      return making.builder.add(
        {
          ...{ kind: 'waitContainer', service, number, name, container: there?.container.id, condition },
          optional: !required,
        },
        `service:${service}:${number}`,
        CAUSE[condition],
        start === undefined ? [] : edges([start], 'skip'),
      )
    })
    making.waiting.set(waitKey(service, condition), nodes)
  }
}

const startNew = (making: Making, service: Service, number: number, cause: string): number => {
  const name = containerName(making.project.name, service, number)
  const created = making.created.get(name)
  const operation = {
    kind: 'startContainer',
    service: service.name,
    number,
    name,
    container: undefined,
    ...postStart(service),
  } as const
  const after = [...edges(created === undefined ? [] : [created], 'skip'), ...dependencyEdges(making, service)]
  return making.builder.add(operation, freshResource(making, service.name, number), cause, after)
}

const startExisting = (making: Making, service: Service, container: ObservedContainer, cause: string): number => {
  const { id, name, number } = container
  const before = [making.stopped.get(id), making.recovered.get(id)].filter((node) => node !== undefined)
  const operation = {
    kind: 'startContainer',
    service: service.name,
    number,
    name,
    container: id,
    ...postStart(service),
  } as const
  const after = [...edges([...before, ...resourceNodes(making, service)]), ...dependencyEdges(making, service)]
  return making.builder.add(operation, resourceOf(container), cause, after)
}

const startReplica = (making: Making, service: Service, { container, fate }: Replica): number | undefined => {
  if (fate.kind === 'recreate') return startNew(making, service, container.number, fate.cause)
  if (fate.kind !== 'start' && fate.kind !== 'restart') return undefined
  return startExisting(making, service, container, fate.cause)
}

/** In dependency order: each service's starts, and then the waiting for them. */
export const startContainers = (making: Making): void => {
  for (const fate of making.fates) {
    const { service, replicas, fresh } = fate
    const starts = new Map<number, number>()
    for (const replica of replicas) {
      const node = startReplica(making, service, replica)
      if (node !== undefined) starts.set(replica.container.number, node)
    }
    for (const number of fresh) starts.set(number, startNew(making, service, number, 'created'))
    making.started.set(service.name, [...starts.values()])
    waitForReplicas(making, fate, starts)
  }
}
