/** Snapshot: all records of a project with what their files say of the moment. One pass, small synchronous reads. */
import { existsSync, readFileSync } from 'node:fs'
import {
  containerPaths,
  containersDirectory,
  networkRecordFile,
  networksDirectory,
  type Roots,
  runPaths,
  runsDirectory,
  volumePaths,
  volumesDirectory,
} from './layout.ts'
import type { ContainerRecord, HealthRecord, NetworkRecord, RunRecord, Status, VolumeRecord } from './records.ts'
import { namesIn, readRecord } from './store.ts'

/** Whether somebody holds the lock of an `alive` file: the binding's isLocked, or a guess from plain files for a dry run. */
export type IsAlive = (runDirectory: { readonly alive: string; readonly control: string }) => boolean

/** For dry runs, which must not need the addon: a monitor that was killed still looks alive here. */
export const looksAlive: IsAlive = ({ control }) => existsSync(control)

export interface ContainerSnapshot {
  readonly record: ContainerRecord
  readonly alive: boolean
  /** A run directory is there: a run goes on, or was cut off. */
  readonly hasRun: boolean
  /** Of this run while it is alive; otherwise how the last one ended. undefined: it never ran. */
  readonly status: Status | undefined
  /** What belongs to the run that goes on. */
  readonly run: RunRecord | undefined
  /** Built at some time, and nothing says how that ended: a reboot took the run. */
  readonly cutOff: boolean
}

const snapshotOf = (roots: Roots, record: ContainerRecord, isAlive: IsAlive): ContainerSnapshot => {
  const run = runPaths(roots, record.id)
  const paths = containerPaths(roots, record.id)
  const hasRun = existsSync(run.directory)
  const alive = hasRun && isAlive(run)
  const ended = alive ? undefined : readRecord<Status>(paths.exit)
  const status = alive ? readRecord<Status>(run.status) : ended
  return {
    ...{ record, alive, hasRun, status },
    run: alive ? readRecord<RunRecord>(run.allocation) : undefined,
    cutOff: !hasRun && ended === undefined && existsSync(paths.undo),
  }
}

export interface ContainersRead {
  readonly containers: readonly ContainerSnapshot[]
  /** Ids of directories without a record that can be read: what a killed command left. */
  readonly broken: readonly string[]
}

/** Containers of `project`; undefined: of all projects. */
export const readContainers = (roots: Roots, project: string | undefined, isAlive: IsAlive): ContainersRead => {
  const containers: ContainerSnapshot[] = []
  const broken: string[] = []
  for (const id of namesIn(containersDirectory(roots))) {
    const record = readRecord<ContainerRecord>(containerPaths(roots, id).record)
    if (record === undefined) broken.push(id)
    else if (project === undefined || record.project === project) containers.push(snapshotOf(roots, record, isAlive))
  }
  return { containers, broken }
}

/** One container as it is now; undefined: it is gone. */
export const readContainer = (roots: Roots, id: string, isAlive: IsAlive): ContainerSnapshot | undefined => {
  const record = readRecord<ContainerRecord>(containerPaths(roots, id).record)
  return record === undefined ? undefined : snapshotOf(roots, record, isAlive)
}

/** Run directories of containers that are not there any more. */
export const strayRuns = (roots: Roots): readonly string[] =>
  namesIn(runsDirectory(roots)).filter((id) => !existsSync(containerPaths(roots, id).directory))

export const readRun = (roots: Roots, id: string): RunRecord | undefined =>
  readRecord<RunRecord>(runPaths(roots, id).allocation)

/** `health` of a run directory, as the monitor writes it: what a probe printed is in a file of its own. */
interface HealthFile extends Omit<HealthRecord, 'log'> {
  /** `file` 0: it printed nothing. */
  readonly log: readonly (Omit<HealthRecord['log'][number], 'output'> & { readonly file: number })[]
}

/** A probe's output, which may hold any bytes. One that has just gone is empty. */
const outputOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** What the last probes of a run said; undefined: it has no health check, none has ended yet, or it does not run. */
export const readHealth = (roots: Roots, id: string): HealthRecord | undefined => {
  const path = runPaths(roots, id).health
  const record = readRecord<HealthFile>(path)
  if (record === undefined) return undefined
  const log = record.log.map(({ file, ...entry }) => ({
    ...entry,
    output: file === 0 ? '' : outputOf(`${path}.${file}`),
  }))
  return { ...record, log }
}

/** Networks of every project: names are one space on a machine. */
export const readNetworks = (roots: Roots): readonly NetworkRecord[] =>
  namesIn(networksDirectory(roots)).flatMap((id) => readRecord<NetworkRecord>(networkRecordFile(roots, id)) ?? [])

export interface VolumeSnapshot {
  readonly record: VolumeRecord
  readonly hasData: boolean
}

export const readVolumes = (roots: Roots): readonly VolumeSnapshot[] =>
  namesIn(volumesDirectory(roots)).flatMap((name) => {
    const paths = volumePaths(roots, name)
    const record = readRecord<VolumeRecord>(paths.record)
    return record === undefined ? [] : { record, hasData: existsSync(paths.data) }
  })
