/**
 * Directories of networks while they are made, and what killed commands left of them. Commands of several projects work here at
 * once: who makes a network and who clears one holds the same lock, and looks again once it is held.
 */
import { closeSync, existsSync, mkdirSync, rmdirSync, rmSync } from 'node:fs'
import { networkRecordFile, networksDirectory } from '../state/layout.ts'
import { newId } from './reserve.ts'
import type { Session } from './session.ts'
import { tryLock } from './try-lock.ts'

export interface NetworkDirectory {
  readonly id: string
  readonly path: string
  readonly lockFd: number
}

const lockFile = (path: string): string => `${path}/making`

/** A new one, locked until `endNetwork`. */
export const beginNetwork = (session: Session): NetworkDirectory => {
  for (;;) {
    const id = newId()
    const path = `${networksDirectory(session.roots)}/${id}`
    mkdirSync(path, { recursive: true, mode: 0o700 })
    const lockFd = tryLock(session, lockFile(path))
    if (lockFd !== undefined) return { id, path, lockFd }
  }
}

/** Once its record is written. */
export const endNetwork = ({ path, lockFd }: NetworkDirectory): void => {
  rmSync(lockFile(path))
  closeSync(lockFd)
}

/** Nothing was made of it yet: its maker, if there still is one, takes another. */
const dropEmpty = (path: string): void => {
  try {
    rmdirSync(path)
  } catch {
    // Its maker was faster, or another command.
  }
}

/** Has `clear` remove what there is of a network without a record that nobody makes any more. */
export const clearAbandoned = async (session: Session, id: string, clear: () => Promise<void>): Promise<void> => {
  const path = `${networksDirectory(session.roots)}/${id}`
  const isMade = () => existsSync(networkRecordFile(session.roots, id))
  if (isMade()) return
  if (!existsSync(lockFile(path))) {
    dropEmpty(path)
    return
  }
  const lockFd = tryLock(session, lockFile(path))
  if (lockFd === undefined) return
  if (isMade()) rmSync(lockFile(path), { force: true })
  else await clear()
  closeSync(lockFd)
}
