/** Reservation: the first thing that exists of a run. Whatever dies later, the next command finds it by this. */
import { closeSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { CaissonError, SystemError } from '../errors.ts'
import { claim } from '../network/claims.ts'
import { containerPaths, makingDirectory, type RunPaths, runPaths, runsDirectory } from '../state/layout.ts'
import { namesIn, removeTree } from '../state/store.ts'
import type { Session } from './session.ts'

/** A run directory and the lock on `alive` in it, held by this process until it is handed to the monitor. */
export interface Reservation {
  readonly id: string
  readonly aliveFd: number
}

/** How long the monitor of an earlier run may take to undo it, once its process has ended. */
const ENDING_MS = 10_000

/** 12 hex digits: paths of sockets end at 107 bytes. */
export const newId = (): string => randomBytes(6).toString('hex')

/** Waits until nothing of an earlier run is there. */
export const runEnded = async (session: Session, id: string): Promise<void> => {
  const run = runPaths(session.roots, id)
  const deadline = Date.now() + ENDING_MS
  for (let pause = 1; existsSync(run.directory) && session.isAlive(run); pause = Math.min(pause * 2, 4)) {
    if (Date.now() > deadline) throw new CaissonError('EMONITOR', `the monitor of container ${id} does not end`)
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}

const busy = (id: string): CaissonError =>
  new CaissonError('EBUSY', `container ${id} is being started by another command`)

/** Whether what stands aside is a run directory now; false: it was cleared. */
const publish = (aside: string, { directory }: RunPaths, id: string): boolean => {
  try {
    renameSync(aside, directory)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return false
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    removeTree(aside)
    throw busy(id)
  }
}

/** undefined: the directory was cleared meanwhile. */
const lockAside = ({ binding }: Session, aside: string, id: string): number | undefined => {
  try {
    const fd = binding.lock(`${aside}/alive`)
    if (fd === undefined) throw busy(id)
    return fd
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Locked before it can be found: a command of another project clears what it finds without record and lock. */
const makeRunDirectory = (session: Session, run: RunPaths, id: string): number => {
  const aside = `${makingDirectory(session.roots)}/${id}`
  mkdirSync(runsDirectory(session.roots), { recursive: true, mode: 0o711 })
  for (;;) {
    mkdirSync(aside, { recursive: true, mode: 0o711 })
    const fd = lockAside(session, aside, id)
    if (fd === undefined) continue
    if (publish(aside, run, id)) return fd
    closeSync(fd)
  }
}

/** What killed commands left of run directories that nobody could find yet. */
export const clearMaking = ({ roots, binding }: Session): void => {
  for (const id of namesIn(makingDirectory(roots))) {
    const path = `${makingDirectory(roots)}/${id}`
    if (!binding.isLocked(`${path}/alive`)) removeTree(path)
  }
}

/** Run directory with its lock first, state directory second: a state directory without either is nobody's. */
export const reserve = (session: Session, id: string): Reservation => {
  const run = runPaths(session.roots, id)
  const aliveFd = existsSync(run.directory) ? session.binding.lock(run.alive) : makeRunDirectory(session, run, id)
  if (aliveFd === undefined) throw busy(id)
  mkdirSync(containerPaths(session.roots, id).directory, { recursive: true, mode: 0o711 })
  return { id, aliveFd }
}

/** Gives the lock back: to nobody, or to the monitor, which has inherited it. */
export const letGo = ({ aliveFd }: Reservation): void => closeSync(aliveFd)

/** Claims a container's name on this machine. Claiming again what one owns is fine. */
export const claimName = (session: Session, id: string, name: string): void => {
  const { owners } = session.networkRoot()
  const result = claim({ run: session.roots.run, owners }, 'name', name, id)
  if (result.state === 'claimed') return
  throw new CaissonError('ENAME', `the name ${name} is used by ${owners.describe('name', result.owner)}`)
}
