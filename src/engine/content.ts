/**
 * Who may do what to the image store at a time. Any number of commands fill it side by side, each holding a shared lock while
 * its blobs and layers have no name yet; names change one at a time; and what nobody names is cleared away only when nobody fills.
 */
import { closeSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { CaissonError } from '../errors.ts'
import { writeLayout } from '../image/layout-index.ts'
import { type Naming, sweep } from '../image/store.ts'
import { lockFile } from '../state/layout.ts'
import { readContainers, readRun } from '../state/snapshot.ts'
import { changingContent, type Session } from './session.ts'

const FILLING = 'filling'
const LOCK_TIMEOUT_MS = 10 * 60_000

const fillingFile = (session: Session): string => {
  const path = lockFile(session.roots, FILLING)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  return path
}

const takeFilling = async (session: Session, shared: boolean): Promise<number> => {
  const path = fillingFile(session)
  const { binding } = session
  const fd = binding.lock(path, shared) ?? (await binding.lockWait(path, LOCK_TIMEOUT_MS, shared))
  if (fd !== undefined) return fd
  throw new CaissonError(
    'ELOCKED',
    `the image store is ${shared ? 'being cleared' : 'being filled'} by another command`,
  )
}

/** Layers under running containers. */
export const layersInUse = (session: Session): ReadonlySet<string> => {
  const { containers } = readContainers(session.roots, undefined, () => false)
  return new Set(containers.flatMap(({ record }) => readRun(session.roots, record.id)?.layers ?? []))
}

/** Changes names, one command at a time; other programs see it in the index of the layout. */
export const naming =
  (session: Session): Naming =>
  (work) =>
    changingContent(session, async () => {
      const result = work()
      writeLayout(session.roots)
      return result
    })

/** Clears away what nobody names, unless somebody is filling the store just now: then another command will. */
export const sweepContent = async (session: Session): Promise<void> => {
  const fd = session.binding.lock(fillingFile(session))
  if (fd === undefined) return
  try {
    await naming(session)(() => sweep(session.roots, layersInUse(session)))
  } finally {
    closeSync(fd)
  }
}

/** Keeps others from clearing anything away; returns what ends that. */
export const holdingContent = async (session: Session): Promise<() => void> => {
  const fd = await takeFilling(session, true)
  return () => closeSync(fd)
}

/** Waits until nobody fills the store, and keeps everybody from it during `work`. */
export const clearingContent = async <T>(session: Session, work: () => Promise<T>): Promise<T> => {
  const fd = await takeFilling(session, false)
  try {
    return await work()
  } finally {
    closeSync(fd)
  }
}

/** Clears away what killed commands left before, and what this one leaves when it fails. */
export const fillingContent = async <T>(session: Session, work: () => Promise<T>): Promise<T> => {
  await sweepContent(session)
  const fd = await takeFilling(session, true)
  const umask = process.umask(0o022) // parents that an archive does not name
  let isDone = false
  try {
    const result = await work()
    isDone = true
    return result
  } finally {
    process.umask(umask)
    closeSync(fd)
    if (!isDone) await sweepContent(session)
  }
}
