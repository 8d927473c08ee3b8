/** Locks of changes: OFD locks on files that are never deleted; the holder's pid and command stand in the file. */
import { closeSync, ftruncateSync, mkdirSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { CaissonError } from '../errors.ts'
import type { NativeBinding } from '../native/binding.ts'

export interface LockHolder {
  readonly pid: number
  readonly command: string
}

export interface LockRequest {
  readonly path: string
  /** Command line of this process, for whoever waits. */
  readonly command: string
  readonly timeoutMs: number
  /** Ends the wait with EABORTED. */
  readonly signal?: AbortSignal | undefined
  /** Called once, when somebody else holds it. */
  readonly onWait: (holder: LockHolder | undefined) => void
}

/** The holder as the file says; undefined: it has not written itself down yet. */
export const readHolder = (path: string): LockHolder | undefined => {
  try {
    const [pid, ...command] = readFileSync(path, 'utf8').trim().split(' ')
    return pid ? { pid: Number(pid), command: command.join(' ') } : undefined
  } catch {
    return undefined
  }
}

const noteHolder = (fd: number, command: string): number => {
  ftruncateSync(fd, 0)
  writeSync(fd, `${process.pid} ${command}\n`, 0)
  return fd
}

/** Longest wait on the thread: only between two of them can the waiter be told to give up. */
const SLICE_MS = 200

/** undefined: it stayed held for all the time. */
const wait = async (binding: NativeBinding, { path, timeoutMs, signal }: LockRequest): Promise<number | undefined> => {
  for (let left = timeoutMs; left > 0; left -= SLICE_MS) {
    const fd = await binding.lockWait(path, signal === undefined ? left : Math.min(left, SLICE_MS))
    if (fd !== undefined || signal === undefined) return fd
    if (signal.aborted) throw new CaissonError('EABORTED', 'interrupted while another command changed the project')
  }
  return undefined
}

const take = async (binding: NativeBinding, request: LockRequest): Promise<number> => {
  mkdirSync(dirname(request.path), { recursive: true, mode: 0o700 })
  const free = binding.lock(request.path)
  if (free !== undefined) return noteHolder(free, request.command)
  request.onWait(readHolder(request.path))
  const waited = await wait(binding, request)
  if (waited !== undefined) return noteHolder(waited, request.command)
  const holder = readHolder(request.path)
  const who = holder === undefined ? 'another command' : `${holder.command} (pid ${holder.pid})`
  throw new CaissonError('ELOCKED', `${request.path} is held by ${who}`)
}

export interface HeldLock {
  readonly release: () => void
}

/** Throws ELOCKED, naming the holder, when it stays held for `timeoutMs`. */
export const takeLock = async (binding: NativeBinding, request: LockRequest): Promise<HeldLock> => {
  const fd = await take(binding, request)
  return {
    release: () => {
      ftruncateSync(fd, 0)
      closeSync(fd)
    },
  }
}

/** Runs `body` under the lock. Throws as takeLock does. */
export const withLock = async <T>(binding: NativeBinding, request: LockRequest, body: () => Promise<T>): Promise<T> => {
  const lock = await takeLock(binding, request)
  try {
    return await body()
  } finally {
    lock.release()
  }
}
