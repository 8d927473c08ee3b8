/**
 * Records: small JSON files, written once to a new name. A rename over an existing file waits for the disk on ext4
 * (1.25 ms), one to a new name does not (25 µs), so nothing here replaces a record in the ordinary course.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'

/** Undefined instead of ENOENT. */
export const ifThere = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Writes `value` so that a reader sees all of it or nothing. The directory must be there. */
export const writeRecord = <T extends { readonly version: number }>(path: string, value: T): void => {
  const fresh = `${path}.${process.pid}`
  writeFileSync(fresh, `${JSON.stringify(value)}\n`, { mode: 0o600 })
  renameSync(fresh, path)
}

/** As writeRecord, and makes the record's directory (0700), with its parents. */
export const writeNewRecord = <T extends { readonly version: number }>(path: string, value: T): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeRecord(path, value)
}

/** undefined: missing, cut off, or of a version that this release does not know. */
export const readRecord = <T extends { readonly version: 1 }>(path: string): T | undefined => {
  const text = ifThere(() => readFileSync(path, 'utf8'))
  if (text === undefined) return undefined
  try {
    const value = JSON.parse(text) as T
    return value.version === 1 ? value : undefined
  } catch {
    return undefined
  }
}

/** Names in a directory, sorted; none if it is not there. */
export const namesIn = (directory: string): readonly string[] => (ifThere(() => readdirSync(directory)) ?? []).sort()

/** Removes a tree that may be missing. Never follows links. */
export const removeTree = (path: string): void => rmSync(path, { recursive: true, force: true })
