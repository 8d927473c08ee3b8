/** Reading what is there: containers, projects, ports. No lock, no network, no YAML. */
import { loadNative } from '../native/load.ts'
import { readProjects } from '../state/projects.ts'
import type { ContainerRecord, PublishedPort, RunRecord, Status } from '../state/records.ts'
import { type ContainerSnapshot, type IsAlive, readContainers, readRun } from '../state/snapshot.ts'
import { CaissonError } from '../errors.ts'
import type { ContainerRow, Engine, EngineOptions, ProjectRow } from './types.ts'

export const isAlive: IsAlive = ({ alive }) => loadNative().isLocked(alive)

const milliseconds = (time: string | undefined): number => (time ? Date.parse(time) : 0)

/** A run that was cut off says `dead`, unless the monitor had come as far as writing how its process ended. */
const stateOf = ({ alive, hasRun, status, cutOff }: ContainerSnapshot): ContainerRow['state'] => {
  if (alive) return status?.state ?? 'created'
  if (status !== undefined) return 'exited'
  return hasRun || cutOff ? 'dead' : 'created'
}

const exposedOf = ({ definition }: ContainerRecord): readonly string[] => [
  ...new Set([...definition.expose, ...definition.ports.map(({ target, protocol }) => `${target}/${protocol}`)]),
]

const mountsOf = ({ definition, volumes }: ContainerRecord): readonly string[] => [
  ...definition.volumes.flatMap((mount) => (mount.type === 'bind' ? [mount.source] : [])),
  ...Object.values(volumes).map(({ name }) => name),
]

/** It has processes, frozen ones perhaps. */
const runs = (state: ContainerRow['state']) => state === 'running' || state === 'paused'

const timesOf = (record: ContainerRecord, status: Status | undefined) => ({
  createdAt: milliseconds(record.createdAt),
  startedAt: milliseconds(status?.startedAt),
  finishedAt: milliseconds(status?.finishedAt),
})

export const rowOf = (snapshot: ContainerSnapshot, run: RunRecord | undefined): ContainerRow => {
  const { record, status } = snapshot
  const { id, name, image, command, project, service, number, oneOff, labels, networks, volumes } = record
  const state = stateOf(snapshot)
  return {
    ...{ id, name, image, command, project, service, number, oneOff, labels, state },
    ...timesOf(record, status),
    exitCode: state === 'exited' || state === 'restarting' ? (status?.exitCode ?? 0) : 0,
    signal: status?.signal ?? 0,
    oomKilled: status?.oomKilled ?? false,
    health: snapshot.alive ? (status?.health ?? 'none') : 'none',
    restarts: status?.restarts ?? 0,
    pid: runs(state) ? (status?.pid ?? 0) : 0,
    publishers: runs(state) ? (run?.ports ?? []) : [],
    hostNetwork: record.definition.networkMode === 'host',
    exposed: exposedOf(record),
    mounts: mountsOf(record),
    networks: networks.map((network) => network.name),
    localVolumes: Object.keys(volumes).length,
  }
}

const byPlace = (a: ContainerRow, b: ContainerRow) =>
  Number(a.oneOff) - Number(b.oneOff) || (a.service < b.service ? -1 : a.service > b.service ? 1 : a.number - b.number)

/** undefined: of all projects. */
export const ps = async (engine: EngineOptions, project: string | undefined): Promise<readonly ContainerRow[]> =>
  readContainers(engine, project, isAlive)
    .containers.map((snapshot) => rowOf(snapshot, snapshot.alive ? readRun(engine, snapshot.record.id) : undefined))
    .sort(byPlace)

const countStates = (containers: readonly ContainerSnapshot[]): ProjectRow['counts'] => {
  const counts = { created: 0, running: 0, paused: 0, restarting: 0, exited: 0, dead: 0 }
  for (const container of containers) counts[stateOf(container)] += 1
  return counts
}

export const ls = async (engine: EngineOptions): Promise<readonly ProjectRow[]> => {
  const { containers } = readContainers(engine, undefined, isAlive)
  return readProjects(engine).map(({ name, composeFiles, workingDirectory }) => ({
    ...{ name, composeFiles, workingDirectory },
    counts: countStates(containers.filter(({ record }) => record.project === name)),
  }))
}

/** Replicas of a service; one-offs last. Throws ENOSERVICE where it has none. */
export const replicas = (engine: EngineOptions, project: string, service: string): readonly ContainerSnapshot[] => {
  const found = readContainers(engine, project, isAlive)
    .containers.filter(({ record }) => record.service === service)
    .sort((a, b) => Number(a.record.oneOff) - Number(b.record.oneOff) || a.record.number - b.record.number)
  if (found.length === 0)
    throw new CaissonError('ENOSERVICE', `service ${service} of project ${project} has no container`)
  return found
}

/** The replica asked for, or the lowest that runs, frozen or not. Throws ENOSERVICE, ENOTRUNNING, ERESTARTING. */
const livingReplica = (
  engine: EngineOptions,
  project: string,
  service: string,
  index: number | undefined,
): ContainerSnapshot => {
  const found = replicas(engine, project, service)
  const wanted = index === undefined ? found : found.filter(({ record }) => record.number === index && !record.oneOff)
  const running = wanted.find((snapshot) => runs(stateOf(snapshot)))
  if (running !== undefined) return running
  const which = index === undefined ? '' : ` (container ${index})`
  if (wanted.some((snapshot) => stateOf(snapshot) === 'restarting')) {
    throw new CaissonError('ERESTARTING', `service ${service}${which} is restarting: it has no process at the moment`, {
      hint: `\`logs ${service}\` may say why it ended`,
    })
  }
  throw new CaissonError('ENOTRUNNING', `service ${service}${which} is not running`, {
    hint: 'start it with `up -d` or `start`',
  })
}

/** As livingReplica, for what needs its processes to answer: joining a frozen one would wait for ever. Throws EPAUSED too. */
export const runningReplica = (...args: Parameters<typeof livingReplica>): ContainerSnapshot => {
  const found = livingReplica(...args)
  if (stateOf(found) !== 'paused') return found
  throw new CaissonError('EPAUSED', `container ${found.record.name} is paused`, { hint: 'let it go on with `unpause`' })
}

export const port = async (
  engine: EngineOptions,
  project: string,
  { service, index, port: target, protocol }: Parameters<Engine['port']>[1],
): Promise<PublishedPort | undefined> => {
  const { record } = livingReplica(engine, project, service, index)
  return readRun(engine, record.id)?.ports.find((one) => one.containerPort === target && one.protocol === protocol)
}
