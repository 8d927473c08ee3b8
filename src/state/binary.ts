/**
 * The monitor's binary at `$CAISSON_ROOT/bin/<sha256>`: copied once, never written again. A rebuild meets no running
 * program (ETXTBSY), and the state root may be executed from where /run may not.
 */
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { binariesDirectory, type Roots } from './layout.ts'
import { ifThere } from './store.ts'

/** What tells one build from another without reading it; hashing a megabyte costs every command 4 ms. */
const buildKey = (source: string): string => {
  const { size, mtimeMs, ino, dev } = statSync(source)
  return createHash('sha256').update(`${source} ${size} ${mtimeMs} ${ino} ${dev}`).digest('hex').slice(0, 16)
}

const copy = (source: string, directory: string): string => {
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex')
  const path = `${directory}/${digest}`
  if (existsSync(path)) return digest
  const fresh = `${path}.${process.pid}`
  copyFileSync(source, fresh)
  chmodSync(fresh, 0o755)
  renameSync(fresh, path)
  return digest
}

/** Absolute path of the copy of `source`; made where it is missing. */
export const keepBinary = (roots: Roots, source: string): string => {
  const directory = binariesDirectory(roots)
  const link = `${directory}/from-${buildKey(source)}`
  const known = ifThere(() => readlinkSync(link))
  if (known !== undefined && existsSync(`${directory}/${known}`)) return `${directory}/${known}`
  mkdirSync(directory, { recursive: true, mode: 0o711 })
  const digest = copy(source, directory)
  if (known === undefined) {
    try {
      symlinkSync(digest, link)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
  }
  return `${directory}/${digest}`
}
