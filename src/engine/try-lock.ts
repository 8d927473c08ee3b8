/** Locks of files that other commands may clear away together with the directory that they are in. */
import { closeSync, existsSync } from 'node:fs'
import { SystemError } from '../errors.ts'
import type { Session } from './session.ts'

/** The file, made where it is missing, opened and locked. undefined: somebody else holds it, or has cleared it away meanwhile. */
export const tryLock = ({ binding }: Session, path: string): number | undefined => {
  try {
    const fd = binding.lock(path)
    // The lock of a file that was removed after it was opened keeps nobody out.
    if (fd === undefined || existsSync(path)) return fd
    closeSync(fd)
  } catch (error) {
    if (!(error instanceof SystemError && error.code === 'ENOENT')) throw error
  }
  return undefined
}
