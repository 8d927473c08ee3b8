import { readFileSync } from 'node:fs'
import { CaissonError } from '../errors.ts'

const STDIN = 0
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EISDIR'])

/** Text of a file, `-` being standard input; undefined: there is none. Other failures, as of permission, name the file. */
const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path === '-' ? STDIN : path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && ABSENT.has(String(error.code))) return undefined
    throw new CaissonError('EREAD', `cannot read ${path}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    })
  }
}

/** A reader that looks at each path once: what is found to be there is what is loaded. */
export const createReader = (): ((path: string) => string | undefined) => {
  const texts = new Map<string, string | undefined>()
  return (path) => {
    if (!texts.has(path)) texts.set(path, readText(path))
    return texts.get(path)
  }
}
