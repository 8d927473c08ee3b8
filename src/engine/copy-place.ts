/** The two sides of a copy as the helper (native/copy) wants them, and looking at one. */
import { closeSync, existsSync, lstatSync, mkdirSync, readlinkSync, realpathSync } from 'node:fs'
import { Socket } from 'node:net'
import { CaissonError, type SystemFailure } from '../errors.ts'
import { systemError } from '../native/failure.ts'
import type { UnpackedImage } from '../oci/image-config.ts'
import { containerPaths, runPaths } from '../state/layout.ts'
import type { ContainerSnapshot } from '../state/snapshot.ts'
import { removeTree } from '../state/store.ts'
import type { FileType, Look } from './copy-rules.ts'
import type { AllocatedImage } from '../spec/allocation.ts'
import { imageMountsOf, imageUnder, volumePlaces } from './prepare.ts'
import type { Session } from './session.ts'
import { reaped } from './undo.ts'

/** Arguments of the helper: kind, place, and what the kind wants beside. */
export interface CopyPlace {
  readonly kind: 'host' | 'running' | 'stopped'
  readonly place: string
  readonly more: readonly string[]
}

export const hostPlace = (directory: string): CopyPlace => ({ kind: 'host', place: directory, more: [] })

export const runningPlace = (session: Session, id: string): CopyPlace => ({
  ...{ kind: 'running', place: runPaths(session.roots, id).control, more: [] },
})

const depthOf = (path: string): number => path.split('/').filter((step) => step !== '').length

const imageWords = (images: Readonly<Record<string, AllocatedImage>>, target: string): readonly string[] => {
  const { empty = '', layers = [] } = images[target] ?? {}
  return [empty, target, ...layers.flatMap((layer) => ['layer', layer])]
}

/** What is mounted, as the helper takes it: kind, source, target, more of it; what lies in another mount after it. */
const mountsOf = (session: Session, { record }: ContainerSnapshot, image: UnpackedImage): readonly string[] => {
  const volumes = volumePlaces(session, record)
  const images = imageMountsOf(session, record)
  const own = record.definition.volumes.flatMap((mount) => {
    const suffix = mount.readOnly ? '-ro' : ''
    if (mount.type === 'bind') return [[`bind${suffix}`, mount.source, mount.target]]
    const below = 'subpath' in mount && mount.subpath !== undefined ? ['subpath', mount.subpath] : []
    if (mount.type === 'image') return [['image-ro', ...imageWords(images, mount.target), ...below]]
    const source = volumes[mount.target]?.source
    if (mount.type !== 'volume' || source === undefined) return []
    return [[`${mount.nocopy ? 'bind' : 'volume'}${suffix}`, source, mount.target, ...below]]
  })
  const taken = new Set(record.definition.volumes.map(({ target }) => target))
  const fromImage = Object.entries(volumes).flatMap(([target, { source }]) =>
    taken.has(target) ? [] : [['volume', source, target]],
  )
  const binds = image.binds.map(({ source, target }) => ['bind-ro', source, target])
  return [...binds, ...fromImage, ...own].sort(([, , a = ''], [, , b = '']) => depthOf(a) - depthOf(b)).flat()
}

/**
 * The root of a container that does not run, under its project's lock. What is written stays in its writable layer, which
 * the next start takes; where the state root lies on an overlay there is none.
 */
export const stoppedPlace = (session: Session, snapshot: ContainerSnapshot): CopyPlace & { remove: () => void } => {
  const { record } = snapshot
  const image = imageUnder(session, record)
  const paths = containerPaths(session.roots, record.id)
  const work = `${paths.directory}/copy-work`
  const remove = () => removeTree(work)
  remove() // of a copy that was killed: overlayfs wants a fresh one
  const layers = image.layers.flatMap((layer) => ['lower', layer])
  const upper = session.facts().stateOnOverlay ? [] : ['upper', paths.upper, 'work', work]
  if (upper.length > 0) for (const path of [paths.upper, work]) mkdirSync(path, { recursive: true, mode: 0o755 })
  return { kind: 'stopped', place: '', more: [...layers, ...upper, ...mountsOf(session, snapshot, image)], remove }
}

interface HelperAnswer {
  readonly failure?: SystemFailure
  readonly type?: FileType
  readonly link?: string
  readonly skipped?: readonly string[]
  readonly skippedCount?: number
}

const readAll = async (fd: number): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of new Socket({ fd, readable: true, writable: false })) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

export interface HelperCall {
  readonly verb: 'stat' | 'pack' | 'unpack'
  readonly at: CopyPlace
  /** Inside the place. */
  readonly path: string
  readonly name?: string
  readonly flags?: string
  /** Of the archive. */
  readonly stdin?: number
  readonly stdout?: number
}

/** Starts the helper; the descriptors may be closed as soon as this returns. */
export const startHelper = (session: Session, call: HelperCall): Promise<HelperAnswer> => {
  const { verb, at, path, name = '', flags = '' } = call
  const nothing = session.nothing()
  const [ours, theirs] = session.binding.socketPair()
  try {
    const args = ['caisson-monitor', 'copy', verb, at.kind, at.place, path, name, flags, ...at.more]
    const fds = [call.stdin ?? nothing, call.stdout ?? nothing, 2, theirs]
    const pid = session.binding.spawn(session.monitor(), args, [], fds)
    return answerOf(session, pid, ours)
  } catch (error) {
    closeSync(ours)
    throw error
  } finally {
    closeSync(theirs)
  }
}

const answerOf = async (session: Session, pid: number, result: number): Promise<HelperAnswer> => {
  const text = await readAll(result)
  const status = await reaped(session, pid)
  if (text !== '') return JSON.parse(text) as HelperAnswer
  throw new CaissonError('ECOPY', `the copy was cut off: its helper ended with ${status}`)
}

/** Mistakes that a path explains better than a system call does. */
const PLAIN: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  EROFS: 'the file system is mounted read-only',
  ENOSPC: 'no space left',
  ENOTSUP: 'neither a file, a directory nor a link',
  ELOOP: 'too many levels of symbolic links',
  EBUSY: 'it is mounted on, or was exchanged meanwhile',
}

/** The error for what the helper reports. `where`: the path as the user wrote it. */
export const copyError = (failure: SystemFailure, where: string): CaissonError => {
  const cause = systemError(failure)
  if (failure.step === 'archive') {
    const entry = failure.path ? ` ${failure.path}` : ''
    return new CaissonError('ECOPY', `${where}: the archive${entry} ${failure.syscall}`, { cause })
  }
  const plain = PLAIN[cause.code]
  if (plain !== undefined) {
    const path = failure.path && !where.endsWith(failure.path) ? `${failure.path}: ` : ''
    return new CaissonError('ECOPY', `${where}: ${path}${plain}`, { cause })
  }
  const hint = cause.hint === undefined ? {} : { hint: cause.hint }
  return new CaissonError('ECOPY', `${where}: ${cause.message}`, { cause, ...hint })
}

export const lookInside =
  (session: Session, at: CopyPlace, shown: string) =>
  async (path: string): Promise<Look> => {
    const { failure, type = 'none', link } = await startHelper(session, { verb: 'stat', at, path })
    if (failure !== undefined) throw copyError(failure, shown)
    return { type, link }
  }

export const lookOutside = async (path: string): Promise<Look> => {
  const info = lstatSync(path, { throwIfNoEntry: false })
  if (info === undefined) return { type: 'none' }
  if (info.isSymbolicLink()) return { type: 'link', link: readlinkSync(path) }
  return { type: info.isDirectory() ? 'directory' : info.isFile() ? 'file' : 'other' }
}

/** The directory with all links followed; ENOENT and ENOTDIR as an error of the copy. */
export const realDirectory = (directory: string): string => {
  if (!existsSync(directory)) throw new CaissonError('ECOPY', `${directory}: no such directory`)
  return realpathSync(directory)
}
