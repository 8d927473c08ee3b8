/** One-off containers (`run`): a service's definition with what the command line says in its place. Pure. */
import type { Port, Project, Service, ServiceMount } from '../compose/project.ts'
import { edges, PlanBuilder } from './builder.ts'
import { preStopOf } from './hooks.ts'
import type { Observed } from './observed.ts'
import type { Plan } from './plan.ts'

/** What `run` asks for; undefined and empty: the service's own. */
export interface OneOffRequest {
  readonly command: readonly string[]
  /** []: none, not the image's either. */
  readonly entrypoint: readonly string[] | undefined
  /** Over the service's. null: unset. */
  readonly environment: Readonly<Record<string, string | null>>
  readonly user: string | undefined
  readonly workingDir: string | undefined
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** Published instead of the service's. */
  readonly ports: readonly Port[]
  /** Publish the service's own. */
  readonly servicePorts: boolean
  /** In place of those with the same target. */
  readonly mounts: readonly ServiceMount[]
  /** It answers to the service's names, and has its addresses. */
  readonly useAliases: boolean
  readonly tty: boolean
  readonly interactive: boolean
}

/** A one-off in a plan for `up`: `Project.services` holds its definition under the service's name. */
export interface OneOff {
  readonly service: string
  /** Nothing of it stays when its process has ended. */
  readonly autoRemove: boolean
  /** Keys of volumes that only the command line names: they are made, and belong to no project, as with Docker. */
  readonly volumes: readonly string[]
}

/** `<project>-<service>-run-<12 hex>`. */
export const oneOffName = (project: string, service: string, slug: string): string =>
  `${project}-${service}-run-${slug}`

/** Whatever stands in for a replica by name or address is only kept with --use-aliases. */
const joins = (service: Service, useAliases: boolean): Service['networks'] =>
  service.networks.map((network) =>
    useAliases
      ? { ...network, aliases: [service.name, ...network.aliases] }
      : { ...network, aliases: [], ipv4Address: undefined, macAddress: undefined },
  )

/** An entrypoint of the command line puts the service's command out of force, as the service's own does the image's. */
const commandOf = (service: Service, { command, entrypoint }: OneOffRequest): Service['command'] => {
  if (command.length > 0) return command
  return entrypoint === undefined ? service.command : []
}

export const oneOffService = (service: Service, name: string, request: OneOffRequest): Service => {
  const targets = new Set(request.mounts.map(({ target }) => target))
  return {
    ...service,
    containerName: name,
    command: commandOf(service, request),
    entrypoint: request.entrypoint ?? service.entrypoint,
    environment: { ...service.environment, ...request.environment },
    user: request.user ?? service.user,
    workingDir: request.workingDir ?? service.workingDir,
    capAdd: [...service.capAdd, ...request.capAdd],
    capDrop: [...service.capDrop, ...request.capDrop],
    labels: { ...service.labels, ...request.labels },
    ports: request.servicePorts ? service.ports : request.ports,
    volumes: [...service.volumes.filter(({ target }) => !targets.has(target)), ...request.mounts],
    networks: joins(service, request.useAliases),
    macAddress: request.useAliases ? service.macAddress : undefined,
    tty: request.tty,
    stdinOpen: request.interactive,
    restart: undefined,
    // As in Compose: what is to be in place for a service is not for its one-offs.
    postStart: [],
    preStop: [],
    scale: 1,
  }
}

/** Volumes that `mounts` name and the project does not have, by their own name. */
const unknownVolumes = (project: Project, mounts: readonly ServiceMount[]): readonly string[] =>
  mounts.flatMap((mount) =>
    mount.type === 'volume' && mount.source !== undefined && project.volumes[mount.source] === undefined
      ? [mount.source]
      : [],
  )

/** The project with the one-off in the place of its service, and the volumes that are only named for it. */
export const withOneOff = (
  project: Project,
  service: Service,
  mounts: readonly ServiceMount[],
): { readonly project: Project; readonly volumes: readonly string[] } => {
  const keys = unknownVolumes(project, mounts)
  const named = { external: false, driver: undefined, driverOptions: {}, labels: {}, others: [] }
  const volumes = Object.fromEntries(keys.map((key) => [key, { ...named, key, name: key }]))
  return {
    project: {
      ...project,
      services: { ...project.services, [service.name]: service },
      volumes: { ...project.volumes, ...volumes },
    },
    volumes: keys,
  }
}

/** Stops what `made` started, removes what it created, and then the networks that nobody is left on: `run --down`. */
export const reconcileTakeBack = (project: string, observed: Observed, made: Plan, except: string): Plan => {
  const builder = new PlanBuilder(project)
  const created = new Set<string>()
  const started: string[] = []
  const networks = new Set<string>()
  for (const { operation } of made.nodes) {
    if (operation.kind === 'createContainer') created.add(operation.name)
    if (operation.kind === 'startContainer' && operation.name !== except) started.push(operation.name)
    if (operation.kind === 'createNetwork') networks.add(operation.key)
  }
  const ended = new Map<string, number>()
  let last: readonly number[] = []
  for (const name of started.reverse()) {
    const container = observed.containers.find((one) => one.name === name)
    if (container === undefined) continue
    const resource = `service:${container.service}:${container.number}`
    const { id } = container
    const stop = {
      kind: 'stopContainer',
      container: id,
      name,
      timeoutMs: undefined,
      ...preStopOf(undefined, container),
    } as const
    let node = builder.add(stop, resource, 'run --down', edges(last, 'warn'))
    last = [node]
    if (created.has(name)) {
      const removal = { kind: 'removeContainer', container: id, name, anonymousVolumes: true } as const
      node = builder.add(removal, resource, 'run --down', edges([node]))
    }
    ended.set(id, node)
  }
  for (const { id, name, key, project: owner } of observed.networks) {
    if (owner !== project || !networks.has(key)) continue
    const users = observed.containers.filter((container) => container.networks.includes(name))
    const goes = (user: (typeof users)[number]) => ended.has(user.id) && created.has(user.name)
    if (!users.every(goes)) continue
    const after = edges(users.flatMap((user) => ended.get(user.id) ?? []))
    builder.add({ kind: 'removeNetwork', network: id, name }, `network:${key}`, 'run --down', after)
  }
  return builder.build()
}
