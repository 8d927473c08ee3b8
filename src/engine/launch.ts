/**
 * Launch: builds one run of a container up to the barrier. The order of what is written is what recovery relies on:
 * reservation, claims, undo list, files, spec, and only then the monitor, which makes everything else.
 */
import { closeSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import type { Service } from '../compose/project.ts'
import { MonitorClient, MonitorFailure } from '../monitor/client.ts'
import { MONITOR_FD } from '../monitor/protocol.ts'
import { systemError } from '../native/failure.ts'
import { encode } from '../native/encode.ts'
import { type ExecPlan, execPlan, type LaunchPlan, launchPlan, MAGIC, PLAN_VERSION } from '../native/launch-plan.ts'
import { claimPath } from '../network/claims.ts'
import { type Connection, connectPlan, reserveAddresses, sortAttachments, unconnected } from '../network/connect.ts'
import { type BoundPort, listenPorts } from '../network/ports.ts'
import { formatResolvConf, resolverSettings } from '../network/resolv.ts'
import type { UnpackedImage } from '../oci/image-config.ts'
import type { Allocation } from '../spec/allocation.ts'
import { lowerProbe } from '../spec/exec.ts'
import { hostnameText, hostsText } from '../spec/hosts.ts'
import { lower } from '../spec/lower.ts'
import { hostnameOf } from '../spec/process.ts'
import { createRuntimeSpec } from '../spec/runtime-spec.ts'
import { containerPaths, journalFile, type RunPaths, runPaths, valuesFile, volumePaths } from '../state/layout.ts'
import type { ContainerRecord, RunRecord } from '../state/records.ts'
import { makeWritable } from './writable.ts'
import { writeRecord } from '../state/store.ts'
import { encodeUndo } from '../state/undo.ts'
import { hostDevicesOf } from './devices.ts'
import { type Joined, joinedBy, sharesNetwork, joinedHostname, networkFiles, newRun } from './joins.ts'
import { provideFiles } from './secret-files.ts'
import { refusalOf } from './refusals.ts'
import { removeVolume } from '../volume/volumes.ts'
import {
  accountsOf,
  aliasesOf,
  attachmentsOf,
  imageMountsOf,
  imageUnder,
  provideBinds,
  provideVolumes,
  volumePlaces,
  volumeRoot,
} from './prepare.ts'
import { letGo, type Reservation, runEnded } from './reserve.ts'
import type { Session } from './session.ts'
import { CGROUP_PARENT, undoContainer, undoRun } from './undo.ts'

/** A container that waits at the barrier. */
export interface Built {
  readonly record: ContainerRecord
  readonly monitor: MonitorClient
  /** It was there before this command: a failure must not remove it. */
  readonly isKept: boolean
}

export interface LaunchInput {
  readonly record: ContainerRecord
  readonly reservation: Reservation
  /** Host ports that are listened on already; undefined: they are bound now. */
  readonly ports: readonly BoundPort[] | undefined
  readonly isKept: boolean
  /** The service as the Compose file has it now; undefined: it was not read. */
  readonly model: Service | undefined
}

const RANDOM_BYTES_PER_NETWORK = 8

const header = (magic: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(magic, 0)
  bytes.writeUInt32LE(PLAN_VERSION, 4)
  return bytes
}

/** Addresses, ports and names of the run. */
const connectRun = async (session: Session, { record, ports }: LaunchInput): Promise<Connection> => {
  const { networkMode } = record.definition
  if (sharesNetwork(record)) return unconnected('joined')
  if (networkMode === 'none' || networkMode === 'host') return unconnected(networkMode)
  const root = session.networkRoot()
  const attachments = sortAttachments(attachmentsOf(session, record))
  const addresses = reserveAddresses(root, record.id, attachments)
  const request = { owner: record.id, service: record.service, ports: record.definition.ports }
  const bound = ports ?? (await listenPorts(root, [request])).get(record.id) ?? []
  const { resolvConf } = session.facts()
  return connectPlan({
    owner: record.id,
    run: session.roots.run,
    attachments,
    addresses,
    ports: bound,
    resolver: resolverSettings(resolvConf, record.definition),
    aliases: aliasesOf(record),
    random: randomBytes(attachments.length * RANDOM_BYTES_PER_NETWORK),
  })
}

const allocationOf = (
  session: Session,
  record: ContainerRecord,
  image: UnpackedImage,
  connection: Connection,
  joined: Joined,
  files: readonly string[],
): Allocation => {
  const paths = containerPaths(session.roots, record.id)
  const owned = networkFiles(session, record, joined)
  const { stateOnOverlay } = session.facts()
  return {
    id: record.id,
    name: record.name,
    project: record.project,
    journalAttributes: { name: record.name, project: record.project, service: record.service, image: record.image },
    cgroupParent: CGROUP_PARENT,
    autoRemove: record.autoRemove === true,
    paths: {
      journal: journalFile(session.roots),
      upper: stateOnOverlay ? '' : paths.upper,
      work: stateOnOverlay ? '' : paths.work,
      ...{ resolvConf: owned.resolvConf, hosts: owned.hosts, hostname: owned.hostname },
    },
    joins: joined.joins,
    ...joinedHostname(session, record, joined.recorded),
    layers: image.layers,
    imageBinds: image.binds,
    volumes: volumePlaces(session, record),
    imageMounts: imageMountsOf(session, record),
    accounts: accountsOf(session, image, paths),
    ...{ files, hostDevices: hostDevicesOf(record.definition) },
    network: connection.network,
  }
}

/** resolv.conf, hosts, hostname: all may read them, only root here may write. */
const writeRunFiles = (
  session: Session,
  record: ContainerRecord,
  connection: Connection,
  resolvConf: string,
  hostname: string,
) => {
  const run = runPaths(session.roots, record.id)
  const { definition } = record
  const settings = resolverSettings(resolvConf, definition)
  const isBridged = connection.network.mode === 'bridge'
  const gateway = connection.addresses.find((address) => address.gateway !== '')?.gateway
  const hosts = hostsText({
    ...{ hostname, domainname: definition.domainname, extraHosts: definition.extraHosts },
    addresses: connection.addresses.map(({ address }) => address),
    gateway: definition.networkMode === 'host' ? '127.0.0.1' : gateway,
  })
  const mode = { mode: 0o644 }
  writeFileSync(run.resolvConf, formatResolvConf(settings, isBridged ? undefined : settings.upstreams), mode)
  writeFileSync(run.hosts, hosts, mode)
  writeFileSync(run.hostname, hostnameText(hostname), mode)
}

/** Directories of the volumes that go with the container. */
const anonymousVolumes = (session: Session, { volumes }: ContainerRecord): readonly string[] =>
  Object.values(volumes).flatMap(({ name, anonymous }) =>
    anonymous ? [volumePaths(session.roots, name).directory] : [],
  )

/** Undo list before spec: nothing can be made from a spec whose undoing is not on disk. */
const writePlans = (
  session: Session,
  record: ContainerRecord,
  connection: Connection,
  plan: LaunchPlan,
  probe: ExecPlan | undefined,
) => {
  const container = containerPaths(session.roots, record.id)
  const run = runPaths(session.roots, record.id)
  const undo = encodeUndo({
    ...{ id: record.id, container, run, network: connection.undo },
    cgroups: plan.cgroups.map(({ path }) => path),
    claims: [claimPath(session.roots, 'name', record.name), valuesFile(session.roots, record.id)],
    volumes: record.autoRemove ? anonymousVolumes(session, record) : [],
  })
  for (const stale of [container.undo, container.spec, container.probe, container.exit]) rmSync(stale, { force: true })
  writeFileSync(container.undo, undo, { mode: 0o600 })
  mkdirSync(container.log, { recursive: true, mode: 0o700 })
  if (probe !== undefined) {
    writeFileSync(container.probe, Buffer.concat([header(MAGIC.exec), encode(execPlan, probe)]), { mode: 0o600 })
  }
  writeFileSync(container.spec, Buffer.concat([header(MAGIC.launch), encode(launchPlan, plan)]), { mode: 0o600 })
}

const writeAllocation = (
  { allocation }: RunPaths,
  { addresses, ports, publications }: Connection,
  layers: readonly string[],
  joins: RunRecord['joins'],
) => writeRecord<RunRecord>(allocation, { version: 1, run: newRun(), joins, addresses, ports, publications, layers })

/** Hands everything to a monitor; our end of its start-up socket. */
const spawnMonitor = (session: Session, { id, aliveFd }: Reservation, listeners: readonly number[]): MonitorClient => {
  const { binding } = session
  const [ours, theirs] = binding.socketPair()
  const state = binding.openPath(containerPaths(session.roots, id).directory)
  const run = binding.openPath(runPaths(session.roots, id).directory)
  const fds: number[] = Array.from({ length: MONITOR_FD.firstListener }, () => session.nothing())
  fds[MONITOR_FD.startup] = theirs
  fds[MONITOR_FD.stateDirectory] = state
  fds[MONITOR_FD.runDirectory] = run
  fds[MONITOR_FD.alive] = aliveFd
  fds[MONITOR_FD.networkRoot] = session.networkRoot().fd
  try {
    const pid = binding.spawn(session.monitor(), ['caisson-monitor', 'monitor'], [], [...fds, ...listeners])
    const connection = MonitorClient.fromFd(ours)
    firstProcess.set(connection, pid)
    return connection
  } catch (error) {
    closeSync(ours)
    throw error
  } finally {
    for (const fd of [theirs, state, run]) closeSync(fd)
  }
}
/** The process that was spawned: it has ended by the time that the monitor proper, its child, says anything. */
const firstProcess = new WeakMap<MonitorClient, number>()

const reapFirst = (session: Session, monitor: MonitorClient) => {
  const pid = firstProcess.get(monitor)
  if (pid !== undefined) session.binding.reap(pid, true)
  firstProcess.delete(monitor)
}

/** What is there after a failed start goes: all of a new container, the run of one that was there before. */
const undoFailed = (session: Session, id: string, isKept: boolean) =>
  isKept ? undoRun(session, id) : undoContainer(session, id)

/** What a monitor reports becomes an error in Node's shape. */
const told = (error: unknown, plan?: LaunchPlan, service?: Service): unknown => {
  if (!(error instanceof MonitorFailure)) return error
  const failed = systemError(error.failure, error)
  if (plan === undefined || service === undefined) return failed
  return refusalOf(failed, { index: error.failure.index ?? 0, plan, service })
}

const abandon = async (
  session: Session,
  { id }: ContainerRecord,
  isKept: boolean,
  monitor: MonitorClient | undefined,
) => {
  monitor?.close()
  await monitor?.closed
  if (monitor !== undefined) reapFirst(session, monitor)
  await runEnded(session, id)
  await undoFailed(session, id, isKept)
}

/** From the reservation to the barrier. On failure nothing of the run is left, and of a new container nothing at all. */
export const launch = async (session: Session, input: LaunchInput): Promise<Built> => {
  const { record, reservation, isKept } = input
  let listeners: readonly number[] = input.ports?.map(({ fd }) => fd) ?? []
  let isReserved = true
  const release = () => {
    for (const fd of listeners) closeSync(fd)
    listeners = []
    if (isReserved) letGo(reservation)
    isReserved = false
  }
  let monitor: MonitorClient | undefined
  let plan: LaunchPlan | undefined
  let volumes: readonly string[] = []
  try {
    const joined = joinedBy(session, record)
    const connection = await connectRun(session, input)
    listeners = connection.listenerFds
    const image = imageUnder(session, record)
    provideBinds(record)
    const files = provideFiles(session, record, input.model)
    const allocation = allocationOf(session, record, image, connection, joined, files)
    const facts = session.facts()
    const specInput = { service: record.definition, image: image.config, facts, allocation }
    const spec = createRuntimeSpec(specInput)
    plan = lower(spec, allocation, facts)
    const probe = lowerProbe(spec.caisson.health, specInput, runPaths(session.roots, record.id).control)
    writePlans(session, record, connection, plan, probe)
    makeWritable(containerPaths(session.roots, record.id), image.layers[0])
    volumes = provideVolumes(session, record)
    writeRunFiles(session, record, connection, facts.resolvConf, hostnameOf(specInput))
    const layers = [image, ...Object.values(allocation.imageMounts ?? {})].flatMap((one) => one.layers)
    writeAllocation(runPaths(session.roots, record.id), connection, [...new Set(layers)], joined.recorded)
    monitor = spawnMonitor(session, reservation, listeners)
    release()
    if (isKept) monitor.commit()
    await monitor.created
    reapFirst(session, monitor)
    return { record, monitor, isKept }
  } catch (error) {
    release()
    await abandon(session, record, isKept, monitor)
    if (!isKept) for (const name of volumes) removeVolume(volumeRoot(session), name)
    throw told(error, plan, record.definition)
  }
}

/** Takes over the stdio of a container before its process runs. False: not this one. */
export type Attach = (built: Built) => Promise<boolean>

/** Passes the barrier: the process runs when this returns. From then on the container outlives this command. */
export const release = async (session: Session, built: Built, attach?: Attach): Promise<void> => {
  const { record, monitor, isKept } = built
  try {
    const isAttached = (await attach?.(built)) === true
    monitor.commit() // first: the process may have ended before we hear that it runs
    await monitor.go()
    if (!isAttached) monitor.close()
  } catch (error) {
    await abandon(session, record, isKept, monitor)
    throw told(error)
  }
}

/** Gives up a container that waits at the barrier. */
export const discard = async (session: Session, { record, monitor, isKept }: Built): Promise<void> =>
  abandon(session, record, isKept, monitor)
