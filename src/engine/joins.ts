/** Joins: containers whose namespaces a run shares, looked up when it begins. */
import { CaissonError } from '../errors.ts'
import { type Reference, referencesOf } from '../plan/namespaces.ts'
import { isNamed } from '../plan/select.ts'
import type { Allocation } from '../spec/allocation.ts'
import { hostnameOf } from '../spec/process.ts'
import { containerPaths, type RunPaths, runPaths } from '../state/layout.ts'
import type { ContainerRecord, RunRecord } from '../state/records.ts'
import { type ContainerSnapshot, readContainers, readRun } from '../state/snapshot.ts'
import { readRecord } from '../state/store.ts'
import { newId } from './reserve.ts'
import type { Session } from './session.ts'

/** What a run needs to know of the containers that it joins. */
export interface Joined {
  readonly joins: Allocation['joins']
  /** For RunRecord. */
  readonly recorded: RunRecord['joins']
}

const isMeant = ({ to }: Reference, project: string, { record }: ContainerSnapshot) =>
  to.kind === 'container'
    ? isNamed(record, to.name)
    : record.project === project && record.service === to.name && !record.oneOff

/** The first replica that runs, now. */
const source = (reference: Reference, project: string, containers: readonly ContainerSnapshot[]) => {
  const found = containers
    .filter((container) => container.run !== undefined && isMeant(reference, project, container))
    .sort((one, other) => one.record.number - other.record.number)[0]
  if (found?.run !== undefined) return { namespace: reference.namespace, record: found.record, run: found.run.run }
  const { kind, name } = reference.to
  throw new CaissonError(
    'ENOTRUNNING',
    `its ${reference.namespace} namespace is that of ${kind} ${name}, which is not running`,
    {
      hint: `start ${name} first, or run \`up\`: it brings both right`,
    },
  )
}

/** Throws ENOTRUNNING where one of them does not run. */
export const joinedBy = (session: Session, { definition, project }: ContainerRecord): Joined => {
  const references = referencesOf(definition)
  if (references.length === 0) return { joins: [], recorded: [] }
  const elsewhere = references.some(({ to }) => to.kind === 'container')
  const { containers } = readContainers(session.roots, elsewhere ? undefined : project, session.isAlive)
  const sources = references.map((reference) => source(reference, project, containers))
  const records = new Set(sources.map(({ record }) => record))
  return {
    joins: [...records].map((record) => ({
      container: record.name,
      controlSocket: runPaths(session.roots, record.id).control,
      namespaces: sources.filter((each) => each.record === record).map(({ namespace }) => namespace),
    })),
    recorded: sources.map(({ namespace, record, run }) => ({ namespace, container: record.id, run })),
  }
}

export const sharesNetwork = ({ definition }: ContainerRecord): boolean =>
  referencesOf(definition).some(({ namespace }) => namespace === 'network')

/** The container whose network namespace a run lives in, over however many steps; undefined: its own. */
const networkOwner = (session: Session, joins: RunRecord['joins']): ContainerRecord | undefined => {
  const id = joins.find(({ namespace }) => namespace === 'network')?.container
  if (id === undefined) return undefined
  return (
    networkOwner(session, readRun(session.roots, id)?.joins ?? []) ??
    readRecord<ContainerRecord>(containerPaths(session.roots, id).record)
  )
}

/** hosts, hostname and resolv.conf are those of whoever the network belongs to. */
export const networkFiles = (session: Session, record: ContainerRecord, { recorded }: Joined): RunPaths =>
  runPaths(session.roots, (networkOwner(session, recorded) ?? record).id)

/** The hostname where it is another container's. */
export const joinedHostname = (
  session: Session,
  { id }: ContainerRecord,
  joins: RunRecord['joins'] = readRun(session.roots, id)?.joins ?? [],
): { readonly hostname?: string } => {
  const owner = networkOwner(session, joins)
  return owner === undefined
    ? {}
    : { hostname: hostnameOf({ service: owner.definition, allocation: { id: owner.id } }) }
}

/** A name for a run that no other has. */
export const newRun = newId
