/** What of a project a command is about: services by name, replicas, networks and volumes they use. */
import type { Project, Service } from '../compose/project.ts'
import { CaissonError } from '../errors.ts'
import { isUp, type Observed, type ObservedContainer } from './observed.ts'
import { type Graph, withDependencies } from './order.ts'

export const dependencyGraph = (services: Readonly<Record<string, Service>>): Graph =>
  new Map(Object.entries(services).map(([name, { dependsOn }]) => [name, Object.keys(dependsOn)]))

/** The services named (all if none), with what they depend on unless `noDeps`. Throws ENOSERVICE. */
export const selectServices = (project: Project, names: readonly string[], noDeps: boolean): ReadonlySet<string> => {
  for (const name of names) {
    if (project.services[name] === undefined) throw new CaissonError('ENOSERVICE', `no such service: ${name}`)
  }
  if (names.length === 0) return new Set(Object.keys(project.services))
  return noDeps ? new Set(names) : withDependencies(dependencyGraph(project.services), names)
}

/** Containers of `services` in the order of service and number. One-offs are nobody's replica. */
export const replicasOf = (observed: Observed, service: string): readonly ObservedContainer[] =>
  observed.containers
    .filter((container) => container.service === service && !container.oneOff)
    .sort((a, b) => a.number - b.number)

/** Containers whose service the project does not know any more; one-offs count once they have ended. */
export const orphansOf = (project: Project, observed: Observed): readonly ObservedContainer[] =>
  observed.containers.filter(({ service, oneOff, state }) => {
    if (oneOff) return !isUp({ state })
    return project.services[service] === undefined && project.disabledServices[service] === undefined
  })

/** Keys of the project's networks that `service` joins. */
export const networkKeys = (service: Service): readonly string[] =>
  service.networkMode === undefined ? service.networks.map(({ key }) => key) : []

/** Keys of the named volumes that `service` mounts. */
export const volumeKeys = (service: Service): readonly string[] =>
  service.volumes.flatMap((mount) => (mount.type === 'volume' && mount.source !== undefined ? [mount.source] : []))

/** `container_name`, or `<project>-<service>-<number>`. */
export const containerName = (project: string, service: Service, number: number): string =>
  service.containerName ?? `${project}-${service.name}-${number}`

const SHORTEST_ID = 3

/** Whether `text` means this container: its name, or the beginning of its id. */
export const isNamed = ({ id, name }: { readonly id: string; readonly name: string }, text: string): boolean =>
  name === text || (text.length >= SHORTEST_ID && id.startsWith(text))
