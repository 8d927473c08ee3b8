/**
 * Unpacks a root filesystem archive into a directory of our own that nobody else touches meanwhile. Paths are resolved
 * inside that directory as RESOLVE_IN_ROOT would: links lead nowhere outside. Nothing in the archive is trusted.
 */
import {
  chmodSync,
  closeSync,
  linkSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { CaissonError } from '../errors.ts'
import { readTar, type TarEntry } from './tar.ts'

export interface Extracted {
  readonly entries: number
  /** Bytes of file content. */
  readonly bytes: number
  /** Names of device nodes, FIFOs and the like that were left out. */
  readonly skipped: readonly string[]
}

const MAX_LINKS = 40
const lstat = (path: string) => lstatSync(path, { throwIfNoEntry: false })

const refuse = (name: string, why: string): never => {
  throw new CaissonError('EARCHIVE', `the archive is refused: '${name}' ${why}`)
}

/** Steps of a name inside the root. A leading slash is dropped; `..` has no honest use in a root filesystem. */
const stepsOf = (name: string): readonly string[] => {
  const steps = name.split('/').filter((step) => step !== '' && step !== '.')
  if (steps.includes('..')) refuse(name, 'has .. in its path')
  return steps
}

/**
 * Directory inside `root` that `steps` lead to, following links as a process confined to the root would; missing ones are
 * made. Throws EARCHIVE for loops and for files on the way.
 */
const enter = (root: string, steps: readonly string[], name: string): string => {
  const todo = [...steps]
  const path: string[] = []
  let links = 0
  for (let step = todo.shift(); step !== undefined; step = todo.shift()) {
    if (step === '..') {
      path.pop() // at the root it stays there
      continue
    }
    const next = `${root}/${[...path, step].join('/')}`
    const stat = lstat(next)
    if (stat === undefined) mkdirSync(next, { mode: 0o755 })
    else if (stat.isSymbolicLink()) {
      links += 1
      if (links > MAX_LINKS) refuse(name, 'leads through a loop of links')
      const target = readlinkSync(next)
      if (target.startsWith('/')) path.length = 0
      todo.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'))
      continue
    } else if (!stat.isDirectory()) refuse(name, 'lies below something that is no directory')
    path.push(step)
  }
  return path.length === 0 ? root : `${root}/${path.join('/')}`
}

/** Where an entry goes: its directory resolved, its last step literal. */
const place = (root: string, name: string): string => {
  const steps = stepsOf(name)
  const last = steps.at(-1)
  return last === undefined ? root : `${enter(root, steps.slice(0, -1), name)}/${last}`
}

/** A later entry replaces an earlier one; a directory over a directory keeps its content. */
const makeRoom = (path: string, entry: TarEntry): boolean => {
  const there = lstat(path)
  if (there === undefined) return true
  if (entry.type === 'directory' && there.isDirectory()) return false
  rmSync(path, { recursive: true })
  return true
}

const writeFile = async (path: string, body: AsyncIterable<Buffer>): Promise<number> => {
  const fd = openSync(path, 'wx', 0o600)
  let size = 0
  try {
    for await (const part of body) {
      for (let at = 0; at < part.length; ) at += writeSync(fd, part, at)
      size += part.length
    }
  } finally {
    closeSync(fd)
  }
  return size
}

/** Owner before mode: chown clears setuid. */
const setAttributes = (path: string, { type, mode, uid, gid, mtime }: TarEntry) => {
  lchownSync(path, uid, gid)
  if (type !== 'symlink') chmodSync(path, mode)
  lutimesSync(path, mtime, mtime)
}

const isSkipped = ({ type }: TarEntry) => type === 'character' || type === 'block' || type === 'fifo'

/** Puts one entry at `path`; bytes of content written. Directories get their attributes later. */
const write = async (root: string, path: string, entry: TarEntry, body: AsyncIterable<Buffer>): Promise<number> => {
  const isNew = makeRoom(path, entry)
  switch (entry.type) {
    case 'directory':
      if (isNew) mkdirSync(path, { mode: 0o700 })
      return 0
    case 'hardlink':
      linkSync(existing(root, entry), path)
      return 0
    case 'symlink':
      symlinkSync(entry.link, path)
      setAttributes(path, entry)
      return 0
    default: {
      const size = await writeFile(path, body)
      setAttributes(path, entry)
      return size
    }
  }
}

/** Unpacks into `root`, an empty directory. Owners, modes (setuid too) and times are kept. */
export const extract = async (source: AsyncIterable<Buffer>, root: string): Promise<Extracted> => {
  const directories: (readonly [string, TarEntry])[] = []
  const skipped: string[] = []
  let entries = 0
  let bytes = 0
  for await (const { entry, body } of readTar(source)) {
    entries += 1
    if (isSkipped(entry)) {
      skipped.push(entry.name) // mknod is not for archives: /dev is a tmpfs of the container's own
      continue
    }
    const path = place(root, entry.name)
    if (path === root && entry.type !== 'directory') refuse(entry.name, 'would replace the root')
    bytes += await write(root, path, entry, body)
    if (entry.type === 'directory') directories.push([path, entry])
  }
  // Last, inner ones first: making a file changes the time of its directory.
  for (const [path, entry] of directories.reverse()) if (lstat(path)?.isDirectory()) setAttributes(path, entry)
  return { entries, bytes, skipped }
}

/** Target of a hard link: an earlier entry, never a directory. */
const existing = (root: string, entry: TarEntry): string => {
  const target = place(root, entry.link)
  const stat = lstat(target)
  if (stat === undefined) refuse(entry.name, `is a link to '${entry.link}', which the archive does not hold`)
  if (stat?.isDirectory()) refuse(entry.name, `is a hard link to the directory '${entry.link}'`)
  return target
}
