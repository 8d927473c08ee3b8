/** Snapshot: all records of a project with what their files say of the moment. One pass, small synchronous reads. */
import { existsSync } from 'node:fs'
import {
  containerPaths,
  containersDirectory,
  networkRecordFile,
  networksDirectory,
  type Roots,
  runPaths,
  volumePaths,
  volumesDirectory,
} from './layout.ts'
import type { ContainerRecord, NetworkRecord, RunRecord, Status, VolumeRecord } from './records.ts'
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
  return { record, alive, hasRun, status, cutOff: !hasRun && ended === undefined && existsSync(paths.undo) }
}

export interface StateFilter {
  /** undefined: of all projects. */
  readonly project: string | undefined
}

/** Containers whose record can be read. */
export const readContainers = (
  roots: Roots,
  { project }: StateFilter,
  isAlive: IsAlive,
): readonly ContainerSnapshot[] => {
  const directory = containersDirectory(roots)
  return namesIn(directory).flatMap((id) => {
    const record = readRecord<ContainerRecord>(`${directory}/${id}/record`)
    if (record === undefined || (project !== undefined && record.project !== project)) return []
    return [snapshotOf(roots, record, isAlive)]
  })
}

/** Directories without a record that can be read: what a killed command left before it came to writing one. */
export const brokenContainers = (roots: Roots): readonly string[] =>
  namesIn(containersDirectory(roots)).filter((id) => readRecord(containerPaths(roots, id).record) === undefined)

/** Run directories of containers that are not there any more. */
export const strayRuns = (roots: Roots): readonly string[] =>
  namesIn(`${roots.run}/containers`).filter((id) => !existsSync(containerPaths(roots, id).directory))

export const readRun = (roots: Roots, id: string): RunRecord | undefined =>
  readRecord<RunRecord>(runPaths(roots, id).allocation)

/** Networks of every project: names are one space on a machine. */
export const readNetworks = (roots: Roots): readonly NetworkRecord[] =>
  namesIn(networksDirectory(roots)).flatMap((id) => readRecord<NetworkRecord>(networkRecordFile(roots, id)) ?? [])

export const readVolumes = (roots: Roots): readonly VolumeRecord[] =>
  namesIn(volumesDirectory(roots)).flatMap((name) => readRecord<VolumeRecord>(volumePaths(roots, name).record) ?? [])
