/** One function for each operation of a plan. */
import { rmSync } from 'node:fs'
import type { Service } from '../compose/project.ts'
import { CaissonError } from '../errors.ts'
import { MonitorClient } from '../monitor/client.ts'
import { bridgeName, ensureNetwork, removeNetwork as removeFromRoot } from '../network/driver.ts'
import { configHash, networkHash } from '../plan/config-hash.ts'
import { isUp } from '../plan/observed.ts'
import type { Operation, PlanNode } from '../plan/plan.ts'
import { commandLine } from '../spec/process.ts'
import { appendEvent } from '../state/journal.ts'
import { containerPaths, networkRecordFile, networksDirectory, runPaths } from '../state/layout.ts'
import type { ContainerRecord, NetworkRecord, Status } from '../state/records.ts'
import { readContainer } from '../state/snapshot.ts'
import { readRecord, removeTree, writeRecord } from '../state/store.ts'
import { parseSignal } from '../units/signals.ts'
import { ensureVolume, removeVolume as removeData } from '../volume/volumes.ts'
import { HookError, ServiceError } from './errors.ts'
import { labelsOf } from './labels.ts'
import { launch, release } from './launch.ts'
import { freeze } from './pause.ts'
import { imageMountIds, imageOf, volumeNames, volumeRoot } from './prepare.ts'
import { beginNetwork, endNetwork } from './network-directory.ts'
import { claimName, letGo, newId, reserve, runEnded } from './reserve.ts'
import { type Run, serviceOf } from './run.ts'
import { withoutSecrets } from './secret-files.ts'
import { inherit } from './volumes-from.ts'
import { undoContainer, undoRun } from './undo.ts'
import { waitContainer } from './wait-operation.ts'

type Of<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>
type Performers = {
  readonly [Kind in Operation['kind']]: (run: Run, operation: Of<Kind>, node: PlanNode) => Promise<void>
}

const journal = (run: Run, type: 'network' | 'volume', action: string, id: string, name: string) =>
  appendEvent(run.session.roots, { type, action, id, attributes: { name, project: run.project } })

const journalContainer = (run: Run, action: string, { id, name, service, image }: ContainerRecord) =>
  appendEvent(run.session.roots, {
    ...{ type: 'container', action, id },
    attributes: { name, project: run.project, service, image },
  })

const createNetwork = async (run: Run, { key }: Of<'createNetwork'>): Promise<void> => {
  const { session, project } = run
  const network = run.model?.networks[key]
  if (network === undefined) throw new CaissonError('ENONETWORK', `the project has no network ${key}`)
  const directory = beginNetwork(session)
  const { id } = directory
  const { name, internal, mtu, ipam, labels } = network
  const wish = { id, name, internal, mtu, ipam, subnet: undefined, gateway: undefined }
  const lease = await ensureNetwork(session.networkRoot(), wish)
  const record: NetworkRecord = {
    ...lease,
    ...{ version: 1, key, project, configHash: networkHash(network), labels },
  }
  writeRecord(networkRecordFile(session.roots, id), record)
  endNetwork(directory)
  run.networks.set(name, record)
  journal(run, 'network', 'create', id, name)
}

const restoreNetwork = async (run: Run, { network: id }: Of<'restoreNetwork'>): Promise<void> => {
  const record = readRecord<NetworkRecord>(networkRecordFile(run.session.roots, id))
  if (record === undefined) throw new CaissonError('ENONETWORK', `network ${id} is not there any more`)
  const { name, internal, mtu, subnet, gateway } = record
  await ensureNetwork(run.session.networkRoot(), { id, name, internal, mtu, ipam: [], subnet, gateway })
}

const removeNetwork = async (run: Run, { network: id, name }: Of<'removeNetwork'>): Promise<void> => {
  const record = readRecord<NetworkRecord>(networkRecordFile(run.session.roots, id))
  if (record !== undefined) await removeFromRoot(run.session.networkRoot(), { ...record, bridge: bridgeName(id) })
  removeTree(`${networksDirectory(run.session.roots)}/${id}`)
  run.networks.delete(name)
  journal(run, 'network', 'destroy', id, name)
}

const createVolume = async (run: Run, { key, shared }: Of<'createVolume'>): Promise<void> => {
  const volume = run.model?.volumes[key]
  if (volume === undefined) throw new CaissonError('ENOVOLUME', `the project has no volume ${key}`)
  const { name, labels } = volume
  const project = shared ? '' : run.project
  ensureVolume(volumeRoot(run.session), { name, key, project, anonymous: false, labels })
  journal(run, 'volume', 'create', name, name)
}

const removeVolume = async (run: Run, { name }: Of<'removeVolume'>): Promise<void> => {
  removeData(volumeRoot(run.session), name)
  journal(run, 'volume', 'destroy', name, name)
}

const joinedNetworks = (run: Run, service: Service): ContainerRecord['networks'] => {
  if (service.networkMode !== undefined) return []
  return service.networks.map(({ key, aliases }) => {
    const name = run.model?.networks[key]?.name ?? key
    const record = run.networks.get(name)
    if (record === undefined) throw new CaissonError('ENONETWORK', `network ${name} is not there`)
    return { id: record.id, name, key, aliases }
  })
}

/** Records of those without any are as they were before there were such mounts. */
const imageMountsOf = (session: Run['session'], service: Service): Pick<ContainerRecord, 'imageMounts'> => {
  const imageMounts = imageMountIds(session, service)
  return Object.keys(imageMounts).length === 0 ? {} : { imageMounts }
}

const recordOf = (
  run: Run,
  id: string,
  { service: serviceName, number, name, replaces, renewVolumes, oneOff }: Of<'createContainer'>,
): ContainerRecord => {
  const service = serviceOf(run, serviceName)
  const reference = service.image ?? ''
  const image = imageOf(run.session, reference)
  const kept = replaces === undefined || renewVolumes ? {} : (run.records.get(replaces)?.volumes ?? {})
  const hash = configHash(service)
  const inherited = inherit(run, service)
  return {
    ...{ version: 1, id, name, project: run.project, service: serviceName, number },
    ...{ oneOff: oneOff !== undefined, ...(oneOff?.autoRemove ? { autoRemove: true } : {}) },
    ...{ configHash: hash, image: reference, imageId: image.id, createdAt: new Date().toISOString() },
    definition: withoutSecrets(inherited.service),
    labels: labelsOf(run.model, service, {
      number,
      configHash: hash,
      image: image.id,
      oneOff: oneOff !== undefined,
      imageLabels: image.config.labels,
    }),
    networks: joinedNetworks(run, service),
    volumes: {
      ...volumeNames(inherited.service, image, (key) => run.model?.volumes[key]?.name ?? key, kept),
      ...inherited.volumes,
    },
    ...imageMountsOf(run.session, inherited.service),
    command: commandLine(service, image.config),
    workingDirectory: run.model?.workingDirectory ?? '',
  }
}

/** A failure of a service's container, with the service's name in front. */
const failedService = (operation: { readonly name: string }, service: string, cause: unknown): ServiceError => {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const hint = cause instanceof CaissonError ? cause.hint : undefined
  const output = cause instanceof HookError ? cause.output : []
  return new ServiceError({ service, container: operation.name }, `service ${service}: ${reason}`, {
    ...{ cause, facts: { exit: undefined, healthLog: [], output } },
    ...(hint === undefined ? {} : { hint }),
  })
}

const takeReservation = (run: Run, id: string) => {
  const reservation = run.reservations.get(id) ?? reserve(run.session, id)
  run.reservations.delete(id)
  const ports = run.ports.get(id)
  run.ports.delete(id)
  return { reservation, ports }
}

const createContainer = async (run: Run, operation: Of<'createContainer'>): Promise<void> => {
  const { session } = run
  const id = run.ids.get(operation.name) ?? newId()
  const { reservation, ports } = takeReservation(run, id)
  let record: ContainerRecord
  try {
    record = recordOf(run, id, operation)
    writeRecord(containerPaths(session.roots, id).record, record)
    claimName(session, id, operation.name)
  } catch (error) {
    letGo(reservation)
    await undoContainer(session, id)
    throw failedService(operation, operation.service, error)
  }
  run.countedOn.add(id, operation.name)
  journalContainer(run, 'create', record)
  if (!operation.build) {
    removeTree(runPaths(session.roots, id).directory)
    letGo(reservation)
    return
  }
  try {
    run.built.set(
      operation.name,
      await launch(session, {
        record,
        reservation,
        ports,
        isKept: false,
        model: run.model?.services[operation.service],
      }),
    )
  } catch (error) {
    run.countedOn.forget(id)
    throw failedService(operation, operation.service, error)
  }
}

/** Another command has started it while this one waited. */
const isStarted = ({ session }: Run, id: string): boolean => {
  const now = readContainer(session.roots, id, session.isAlive)
  return now?.alive === true && isUp({ state: now.status?.state ?? 'created' })
}

const relaunch = async (run: Run, id: string) => {
  const { session } = run
  // Reserved for its ports: the lock is ours, so nothing of an earlier run is left.
  if (!run.reservations.has(id)) await runEnded(session, id)
  const record = readRecord<ContainerRecord>(containerPaths(session.roots, id).record)
  if (record === undefined) throw new CaissonError('ENOCONTAINER', `container ${id} is not there any more`)
  const { reservation, ports } = takeReservation(run, id)
  try {
    claimName(session, id, record.name)
  } catch (error) {
    letGo(reservation)
    throw error
  }
  return launch(session, { record, reservation, ports, isKept: true, model: run.model?.services[record.service] })
}

/** Loaded by those who have hooks. */
const runHooks: typeof import('./hooks.ts').runHooks = async (...args) => (await import('./hooks.ts')).runHooks(...args)

const runPostStart = async (run: Run, id: string, operation: Of<'startContainer'>): Promise<void> => {
  const record = readRecord<ContainerRecord>(containerPaths(run.session.roots, id).record)
  if (operation.hooks === undefined || record === undefined) return
  try {
    await runHooks(run, record, 'post_start', operation.hooks)
  } catch (error) {
    throw failedService(operation, operation.service, error)
  }
}

const startContainer = async (run: Run, operation: Of<'startContainer'>): Promise<void> => {
  const { name } = operation
  const id = operation.container ?? run.ids.get(name)
  const waiting = run.built.get(name)
  run.built.delete(name)
  try {
    if (id === undefined) throw new CaissonError('ENOCONTAINER', `container ${name} was not created`)
    // Who has started it meanwhile runs its hooks too.
    if (waiting === undefined && isStarted(run, id)) return run.countedOn.add(id, name, true)
    await release(run.session, waiting ?? (await relaunch(run, id)), run.attach)
    run.countedOn.add(id, name, true)
  } catch (error) {
    if (id !== undefined && waiting !== undefined) run.countedOn.forget(id)
    throw failedService(operation, operation.service, error)
  }
  await runPostStart(run, id, operation)
}

const isGone = (error: unknown) => error instanceof CaissonError && error.code === 'EMONITORGONE'

/** Connects to a container's monitor; undefined: it has ended, or is ending. */
const monitorOf = async (run: Run, id: string): Promise<MonitorClient | undefined> => {
  try {
    return await MonitorClient.connect(runPaths(run.session.roots, id).control)
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

const runPreStop = async (run: Run, { container: id, name, hooks }: Of<'stopContainer'>): Promise<void> => {
  const record = run.records.get(id)
  if (hooks === undefined || record === undefined) return
  try {
    await runHooks(run, record, 'pre_stop', hooks)
  } catch (error) {
    throw failedService({ name }, record.service, error)
  }
}

const stopContainer = async (run: Run, operation: Of<'stopContainer'>): Promise<void> => {
  const { container: id, timeoutMs } = operation
  await runPreStop(run, operation)
  const monitor = await monitorOf(run, id)
  try {
    await monitor?.stop(timeoutMs === undefined ? {} : { graceMs: timeoutMs })
  } catch (error) {
    if (!isGone(error)) throw error
  } finally {
    monitor?.close()
  }
  await runEnded(run.session, id)
}

const signalContainer = async (run: Run, { container: id, name, signal }: Of<'signalContainer'>): Promise<void> => {
  const number = parseSignal(signal)
  if (number === undefined) throw new CaissonError('ESIGNAL', `there is no signal ${signal}`)
  const monitor = await monitorOf(run, id)
  if (monitor === undefined) throw new CaissonError('ENOTRUNNING', `container ${name} is not running`)
  try {
    await monitor.signal(number)
  } finally {
    monitor.close()
  }
}

const freezeContainer = (run: Run, operation: Of<'pauseContainer'>): Promise<void> =>
  freeze(run.session.roots, operation)

const removeContainer = async (run: Run, { container: id, anonymousVolumes }: Of<'removeContainer'>): Promise<void> => {
  await runEnded(run.session, id)
  const record = run.records.get(id)
  const volumes = Object.values(record?.volumes ?? {})
  await undoContainer(run.session, id)
  if (anonymousVolumes) {
    for (const volume of volumes) if (volume.anonymous) removeData(volumeRoot(run.session), volume.name)
  }
  if (record !== undefined) journalContainer(run, 'destroy', record)
}

const KILLED = { exitCode: 137, signal: 9, oomKilled: false } as const

const recoverContainer = async (run: Run, { container: id, name }: Of<'recoverContainer'>): Promise<void> => {
  const { roots } = run.session
  const paths = containerPaths(roots, id)
  const status = readRecord<Status>(runPaths(roots, id).status)
  const ended = readRecord<Status>(paths.exit)
  await undoRun(run.session, id)
  if (ended === undefined && status !== undefined && status.state !== 'created') {
    const finishedAt = new Date().toISOString()
    writeRecord<Status>(paths.exit, { ...status, ...KILLED, state: 'exited', pid: 0, finishedAt })
  } else if (ended === undefined) {
    rmSync(paths.undo, { force: true }) // it never ran
  }
  run.session.emit({ kind: 'recovered', name, reason: 'its monitor was killed, or the machine restarted' })
}

const performers: Performers = {
  ...{ createNetwork, restoreNetwork, removeNetwork, createVolume, removeVolume },
  ...{ createContainer, startContainer, waitContainer, stopContainer, signalContainer },
  ...{ removeContainer, recoverContainer, pauseContainer: freezeContainer, unpauseContainer: freezeContainer },
}

export const perform = (run: Run, node: PlanNode): Promise<void> => {
  const { operation } = node
  const performer = performers[operation.kind] as (run: Run, operation: Operation, node: PlanNode) => Promise<void>
  return performer(run, operation, node)
}
