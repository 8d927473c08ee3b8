/** Reservation: the first thing that exists of a run. Whatever dies later, the next command finds it by this. */
import { closeSync, existsSync, mkdirSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { CaissonError } from '../errors.ts'
import { claim } from '../network/claims.ts'
import { containerPaths, runPaths } from '../state/layout.ts'
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

/** Run directory first, its lock second, state directory third: a state directory without either is nobody's. */
export const reserve = (session: Session, id: string): Reservation => {
  const run = runPaths(session.roots, id)
  mkdirSync(run.directory, { recursive: true, mode: 0o711 })
  const aliveFd = session.binding.lock(run.alive)
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
