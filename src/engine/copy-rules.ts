/** Docker's rules of what a copy makes of two paths. Pure: the caller looks at both sides first. */
import { CaissonError } from '../errors.ts'

export interface LocalPath {
  readonly kind: 'local'
  /** `-`: a tar archive on stdin or stdout. */
  readonly path: string
}

export interface ServicePath {
  readonly kind: 'service'
  readonly service: string
  readonly path: string
}

/** `SERVICE:PATH`; a local path with a colon starts with `/` or `.`. */
export const parseEndpoint = (text: string): LocalPath | ServicePath => {
  const colon = text.indexOf(':')
  if (colon <= 0 || text.startsWith('/') || text.startsWith('.')) return { kind: 'local', path: text }
  return { kind: 'service', service: text.slice(0, colon), path: text.slice(colon + 1) }
}

export type FileType = 'directory' | 'file' | 'link' | 'other' | 'none'

/** What stands at a path, links in its last step not followed. */
export interface Look {
  readonly type: FileType
  /** Target of a link. */
  readonly link?: string | undefined
}

/** `dir/.` stands for what is in it. */
export const meansContent = (path: string): boolean => path === '.' || path.endsWith('/.')

/** Ends so that only a directory can be meant. */
const assertsDirectory = (path: string): boolean => path.endsWith('/') || meansContent(path)

/** Without what `assertsDirectory` looks for. */
export const withoutEnd = (path: string): string => {
  const bare = path.replace(/(?:\/\.?)+$/, '')
  if (bare !== '') return bare
  return path.startsWith('/') ? '/' : path
}

export const directoryOf = (path: string): string => {
  const bare = withoutEnd(path)
  const slash = bare.lastIndexOf('/')
  return slash > 0 ? bare.slice(0, slash) : slash === 0 ? '/' : '.'
}

export const nameOf = (path: string): string => {
  const bare = withoutEnd(path)
  return bare.slice(bare.lastIndexOf('/') + 1)
}

export interface CopySource {
  /** As the user wrote it, absolute. */
  readonly path: string
  readonly isDirectory: boolean
}

export interface CopyDestination {
  /** Absolute, links at its end followed; with the `/` or `/.` that the user wrote. */
  readonly path: string
  readonly type: FileType
}

/** Where the archive is unpacked, and what its top entry is called; `.`: the content of that directory. */
export interface CopyPlacement {
  readonly directory: string
  readonly name: string
}

/** Throws ECOPY, with what is wrong of the destination. */
export const placeCopy = (source: CopySource, destination: CopyDestination): CopyPlacement => {
  const { path, type } = destination
  const bare = withoutEnd(path)
  if (type === 'directory') {
    const name = meansContent(source.path) ? '.' : nameOf(source.path)
    return { directory: bare, name: name === '' ? '.' : name }
  }
  if (type !== 'none' && source.isDirectory) {
    throw new CaissonError('ECOPY', 'a directory cannot be copied over something that is none')
  }
  if (type !== 'none' && assertsDirectory(path)) throw new CaissonError('ECOPY', 'not a directory')
  if (!source.isDirectory && assertsDirectory(path)) {
    throw new CaissonError('ECOPY', 'the destination directory must exist')
  }
  return { directory: directoryOf(bare), name: nameOf(bare) }
}

const MAX_LINKS = 40

/** Follows links at the end of `path` as far as they lead; the last may lead to nothing. Throws ECOPY for a loop. */
export const followLinks = async (
  path: string,
  look: (path: string) => Promise<Look>,
): Promise<{ readonly path: string; readonly look: Look }> => {
  const end = path.slice(withoutEnd(path).length)
  let at = withoutEnd(path)
  for (let links = 0; links <= MAX_LINKS; links++) {
    const found = await look(at)
    if (found.type !== 'link' || found.link === undefined) return { path: at === '/' ? at : `${at}${end}`, look: found }
    at = withoutEnd(found.link.startsWith('/') ? found.link : `${directoryOf(at)}/${found.link}`)
  }
  throw new CaissonError('ECOPY', `${path}: too many levels of symbolic links`)
}
