/** Credentials in Docker's or podman's file: one entry changes, the rest stays as it is, and nobody ever sees half of it. */
import { chownSync, lstatSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { CaissonError } from '../../errors.ts'

export type AuthFile = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is AuthFile =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** {}: it is not there. Throws EAUTHFILE: what cannot be read is not overwritten. Its text is not shown, it may hold passwords. */
export const readAuthFile = (path: string): AuthFile => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return {}
    throw new CaissonError('EAUTHFILE', `${path} cannot be read: ${code}`, { cause: error })
  }
  try {
    const value: unknown = JSON.parse(text.trim() === '' ? '{}' : text)
    if (isObject(value)) return value
  } catch {
    // Said below, without the text.
  }
  throw new CaissonError('EAUTHFILE', `${path} is no object of JSON`, { hint: 'mend it, or move it out of the way' })
}

/** A link leads to the file that is meant: people keep these in repositories of their own. */
const targetOf = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

const writeWhole = (path: string, text: string): void => {
  const target = targetOf(path)
  const draft = `${target}.${process.pid}.new`
  try {
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
    const before = lstatSync(target, { throwIfNoEntry: false })
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true })
    if (before !== undefined && process.getuid?.() === 0) chownSync(draft, before.uid, before.gid)
    renameSync(draft, target)
  } catch (error) {
    rmSync(draft, { force: true })
    const { code } = error as NodeJS.ErrnoException
    throw new CaissonError('EAUTHFILE', `${path} cannot be written: ${code}`, { cause: error })
  }
}

/** Replaces what the file has under these keys by `entry` under the first; undefined: by nothing. false: there was nothing to do. */
export const changeAuthFile = (path: string, keys: readonly string[], entry: AuthFile | undefined): boolean => {
  const file = readAuthFile(path)
  const auths = isObject(file['auths']) ? file['auths'] : {}
  const others = Object.entries(auths).filter(([key]) => !keys.includes(key))
  if (entry === undefined && others.length === Object.keys(auths).length) return false
  const own = entry === undefined ? [] : [[keys[0] ?? '', entry]]
  const next = { ...file, auths: Object.fromEntries([...others, ...own]) }
  writeWhole(path, `${JSON.stringify(next, null, '\t')}\n`)
  return true
}
