/** Reservation: the first thing that exists of a run. Whatever dies later, the next command finds it by this. */
import { closeSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { CaissonError } from '../errors.ts'
import { claim } from '../network/claims.ts'
import { containerPaths, makingDirectory, type RunPaths, runPaths, runsDirectory } from '../state/layout.ts'
import { namesIn, removeTree } from '../state/store.ts'
import type { Session } from './session.ts'
import { tryLock } from './try-lock.ts'

/** A run directory and the lock on `alive` in it, held by this process until it is handed to the monitor. */
export interface Reservation {
  readonly id: string
  readonly aliveFd: number
}

/** How long the monitor of an earlier run may take to undo it, once its process has ended. */
const ENDING_MS = 10_000

/** How long another command may hold a run directory aside: a few system calls, unless it is stopped right there. */
const MAKING_MS = 1000

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

/** Whether what stands aside is the run directory now; false: there is one already. */
const publish = (aside: string, { directory }: RunPaths): boolean => {
  try {
    renameSync(aside, directory)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    removeTree(aside)
    return false
  }
}

/**
 * Locked before it can be found: a command of another project clears what it finds without record and lock. undefined: another
 * command was faster.
 */
const makeRunDirectory = (session: Session, run: RunPaths, id: string): number | undefined => {
  const aside = `${makingDirectory(session.roots)}/${id}`
  mkdirSync(runsDirectory(session.roots), { recursive: true, mode: 0o711 })
  for (const deadline = Date.now() + MAKING_MS; Date.now() < deadline; ) {
    mkdirSync(aside, { recursive: true, mode: 0o711 })
    const fd = tryLock(session, `${aside}/alive`)
    // Whoever holds it publishes it or clears it away, at once.
    if (fd === undefined) continue
    if (publish(aside, run)) return fd
    closeSync(fd)
    return undefined
  }
  return undefined
}

/** What killed commands left of run directories that nobody could find yet. */
export const clearMaking = (session: Session): void => {
  for (const id of namesIn(makingDirectory(session.roots))) {
    const path = `${makingDirectory(session.roots)}/${id}`
    const fd = tryLock(session, `${path}/alive`)
    if (fd === undefined) continue
    removeTree(path)
    closeSync(fd)
  }
}

/** Run directory with its lock first, state directory second: a state directory without either is nobody's. */
export const reserve = (session: Session, id: string): Reservation => {
  const run = runPaths(session.roots, id)
  const aliveFd = existsSync(run.directory) ? session.binding.lock(run.alive) : makeRunDirectory(session, run, id)
  if (aliveFd === undefined) throw new CaissonError('EBUSY', `container ${id} is being started by another command`)
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
