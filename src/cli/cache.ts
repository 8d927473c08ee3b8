/** What loading a project may remember: pure functions of file texts, so an entry is never stale. Failures only cost time. */
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TreeCache } from '../compose/load.ts'
import type { Context } from './context.ts'
import { isBundled } from './version.ts'

const attempt = <T>(action: () => T): T | undefined => {
  try {
    return action()
  } catch {
    return undefined
  }
}

/** A directory that only this user can write; what is read from it is trusted. */
const privateDirectory = (path: string): string | undefined => {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const { uid, mode } = lstatSync(path)
  return uid === process.getuid?.() && (mode & 0o077) === 0 ? path : undefined
}

const directoryOf = ({ env }: Context): string | undefined => {
  const base = env.XDG_CACHE_HOME || (env.HOME ? join(env.HOME, '.cache') : undefined)
  if (base === undefined) return undefined
  const own = privateDirectory(join(base, 'caisson'))
  return own === undefined ? undefined : privateDirectory(join(own, 'trees'))
}

/** More than anybody works on at a time; files are a few kilobytes. */
const MOST_ENTRIES = 500

/** Listing a directory takes longer than writing to it: every 32nd entry or so looks, by its key, which is a hash. */
const isTurn = (key: string): boolean => Number.parseInt(key.slice(0, 2), 16) % 32 === 0

/** Starts anew when it is full: what is used comes back at the next command. */
const prune = (directory: string): void => {
  if (readdirSync(directory).length < MOST_ENTRIES) return
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { force: true })
}

/** Which code made the entries. */
const generation = (): string => {
  const { mtimeMs, size } = statSync(fileURLToPath(import.meta.url))
  return `${mtimeMs} ${size}`
}

/** undefined where there is no directory of this user's own, and when run from source: there nothing tells old code from new. */
export const openTreeCache = (context: Context): TreeCache | undefined => {
  const directory = isBundled ? attempt(() => directoryOf(context)) : undefined
  if (directory === undefined) return undefined
  const maker = generation()
  return {
    hash: (text) => createHash('sha256').update(maker).update('\0').update(text).digest('hex'),
    get: (key) => attempt(() => readFileSync(join(directory, key))),
    set: (key, bytes) => {
      attempt(() => {
        if (isTurn(key)) prune(directory)
        const temporary = join(directory, `${key}.${process.pid}`)
        writeFileSync(temporary, bytes, { mode: 0o600 })
        renameSync(temporary, join(directory, key))
      })
    },
  }
}
