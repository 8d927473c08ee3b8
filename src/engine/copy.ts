/** cp: between this machine and containers, as a tar archive from a helper on one side to a helper on the other. */
import { closeSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { CaissonError, type SystemFailure } from '../errors.ts'
import type { ContainerSnapshot } from '../state/snapshot.ts'
import { readContainer } from '../state/snapshot.ts'
import {
  type CopyPlace,
  copyError,
  hostPlace,
  lookInside,
  lookOutside,
  realDirectory,
  runningPlace,
  startHelper,
  stoppedPlace,
} from './copy-place.ts'
import {
  type CopyPlacement,
  directoryOf,
  followLinks,
  meansContent,
  nameOf,
  placeCopy,
  type ServicePath,
  withoutEnd,
} from './copy-rules.ts'
import type { CopyOptions, CopyOutcome } from './process-types.ts'
import { replicas } from './ps.ts'
import { changing, type Session, withSession } from './session.ts'
import type { EngineOptions } from './types.ts'

const EPIPE = 32

/** One side of a transfer. `shown`: for messages. */
interface Side {
  readonly at: CopyPlace
  readonly path: string
  readonly shown: string
}

const finished = (
  from: { readonly failure?: SystemFailure; readonly shown: string },
  to: { readonly failure?: SystemFailure; readonly shown: string },
): void => {
  // A writer without a reader only says that the reader failed.
  if (from.failure !== undefined && from.failure.errno !== EPIPE) throw copyError(from.failure, from.shown)
  if (to.failure !== undefined) throw copyError(to.failure, to.shown)
  if (from.failure !== undefined) throw copyError(from.failure, from.shown)
}

const skippedOf = ({ skipped = [], skippedCount = 0 }: Partial<CopyOutcome>): CopyOutcome => ({ skipped, skippedCount })

const joined = (outcomes: readonly CopyOutcome[]): CopyOutcome => ({
  skipped: outcomes.flatMap(({ skipped }) => skipped),
  skippedCount: outcomes.reduce((sum, { skippedCount }) => sum + skippedCount, 0),
})

interface Transfer {
  readonly from: Side & { readonly name: string; readonly follow: boolean }
  readonly to: Side & { readonly owners: boolean }
}

const transfer = async (session: Session, { from, to }: Transfer): Promise<CopyOutcome> => {
  const [reader, writer] = session.binding.socketPair()
  const helpers: ReturnType<typeof startHelper>[] = []
  try {
    const unpack = { verb: 'unpack', at: to.at, path: to.path, flags: to.owners ? 'o' : '', stdin: reader } as const
    const pack = { verb: 'pack', at: from.at, path: from.path, name: from.name, stdout: writer } as const
    helpers.push(startHelper(session, unpack), startHelper(session, { ...pack, flags: from.follow ? 'f' : '' }))
  } finally {
    closeSync(reader)
    closeSync(writer)
  }
  const [unpacked, packed] = await Promise.all(helpers)
  finished({ ...packed, shown: from.shown }, { ...unpacked, shown: to.shown })
  return joined([skippedOf(packed ?? {}), skippedOf(unpacked ?? {})])
}

/** The source on this machine: its directory with all links followed, and the name in there. */
const localSource = async (path: string, follow: boolean) => {
  const absolute = resolve(path)
  const asWritten = meansContent(path) ? `${absolute}/.` : path.endsWith('/') ? `${absolute}/` : absolute
  const isThrough = asWritten !== absolute || follow
  const { type } = isThrough ? (await followLinks(absolute, lookOutside)).look : await lookOutside(absolute)
  if (type === 'none') throw new CaissonError('ECOPY', `${path}: no such file or directory`)
  const isDirectory = type === 'directory'
  if (!isDirectory && asWritten !== absolute) throw new CaissonError('ECOPY', `${path}: not a directory`)
  const real = isThrough ? realpathSync(absolute) : absolute
  const at = hostPlace(realDirectory(directoryOf(real)))
  const place = real === '/' ? '.' : nameOf(real)
  return { source: { path: asWritten, isDirectory }, side: { at, path: place, shown: path } }
}

const inside = (path: string): string => (path.startsWith('/') ? path : `/${path}`)

const shownInside = ({ record }: ContainerSnapshot, path: string) => `${record.name}:${path}`

const intoContainer = async (
  session: Session,
  snapshot: ContainerSnapshot,
  at: CopyPlace,
  { from, to, followLink }: CopyOptions,
): Promise<CopyOutcome> => {
  if (to.kind !== 'service') throw new CaissonError('ECOPY', 'unknown copy direction')
  const shown = shownInside(snapshot, to.path)
  const destination = await followLinks(inside(to.path), lookInside(session, at, shown))
  if (from.path === '-') {
    if (destination.look.type !== 'directory') {
      throw new CaissonError('ECOPY', `${shown}: the destination of an archive must be a directory`)
    }
    const path = withoutEnd(destination.path)
    const unpacked = await startHelper(session, { verb: 'unpack', at, path, flags: 'o', stdin: 0 })
    if (unpacked.failure !== undefined) throw copyError(unpacked.failure, shown)
    return skippedOf(unpacked)
  }
  const { source, side } = await localSource(from.path, followLink)
  const placement = placed(shown, () => placeCopy(source, { path: destination.path, type: destination.look.type }))
  return transfer(session, {
    from: { ...side, name: placement.name, follow: false },
    // Into a container owners always go as they are, as Docker does it.
    to: { at, path: placement.directory, shown, owners: true },
  })
}

/** Names the path that the user wrote in a refusal. */
const placed = (shown: string, place: () => CopyPlacement): CopyPlacement => {
  try {
    return place()
  } catch (error) {
    if (error instanceof CaissonError) throw new CaissonError(error.code, `${shown}: ${error.message}`)
    throw error
  }
}

const outOfContainer = async (
  session: Session,
  snapshot: ContainerSnapshot,
  at: CopyPlace,
  { from, to, followLink, archive }: CopyOptions,
): Promise<CopyOutcome> => {
  const shown = shownInside(snapshot, from.path)
  const path = inside(from.path)
  const look = lookInside(session, at, shown)
  const isThrough = followLink || withoutEnd(path) !== path
  const found = isThrough ? await followLinks(path, look) : { path, look: await look(path) }
  if (found.look.type === 'none') throw new CaissonError('ECOPY', `${shown}: no such file or directory`)
  const isDirectory = found.look.type === 'directory'
  if (!isDirectory && path !== '/' && withoutEnd(path) !== path)
    throw new CaissonError('ECOPY', `${shown}: not a directory`)
  const source = { path, isDirectory }
  const side = { at, path: withoutEnd(found.path), shown, follow: false }
  if (to.path === '-') {
    const name = meansContent(path) || path === '/' ? '.' : nameOf(path)
    const packed = await startHelper(session, { verb: 'pack', at, path: side.path, name, stdout: 1 })
    if (packed.failure !== undefined) throw copyError(packed.failure, shown)
    return skippedOf(packed)
  }
  const absolute = `${resolve(to.path)}${to.path.endsWith('/') || meansContent(to.path) ? '/' : ''}`
  const destination = await followLinks(absolute, lookOutside)
  const placement = placed(to.path, () => placeCopy(source, { path: destination.path, type: destination.look.type }))
  return transfer(session, {
    from: { ...side, name: placement.name },
    to: { at: hostPlace(realDirectory(placement.directory)), path: '.', shown: to.path, owners: archive },
  })
}

const isRunning = ({ alive, status }: ContainerSnapshot) =>
  alive && (status?.state === 'running' || status?.state === 'paused')

/** A container that runs needs no lock; of one that does not, nobody else may change the root meanwhile. */
const copyOne = async (session: Session, project: string, found: ContainerSnapshot, options: CopyOptions) => {
  const work = options.to.kind === 'service' ? intoContainer : outOfContainer
  if (isRunning(found)) return work(session, found, runningPlace(session, found.record.id), options)
  return changing(session, project, (turn) =>
    turn.changing(async () => {
      const now = readContainer(session.roots, found.record.id, session.isAlive)
      if (now === undefined) throw new CaissonError('ENOCONTAINER', `container ${found.record.name} is gone`)
      if (isRunning(now)) return work(session, now, runningPlace(session, now.record.id), options)
      checkStopped(session, now, options)
      const place = stoppedPlace(session, now)
      try {
        return await work(session, now, place, options)
      } finally {
        place.remove()
      }
    }),
  )
}

const checkStopped = (session: Session, { alive, record }: ContainerSnapshot, { to }: CopyOptions) => {
  const { name, definition } = record
  if (alive) {
    throw new CaissonError(
      'ERESTARTING',
      `container ${name} is on its way up: its files cannot be reached at the moment`,
    )
  }
  if (to.kind !== 'service') return
  if (definition.readOnly) throw new CaissonError('ECOPY', `container ${name} has a read-only root`)
  if (session.facts().stateOnOverlay) {
    throw new CaissonError('ECOPY', `container ${name} does not run, and keeps nothing between runs`, {
      hint: 'CAISSON_ROOT lies on an overlay: set it to a directory on another file system',
    })
  }
}

/** Into a service: all its containers; out of it: the first. One-offs only with `all`. */
const targets = (engine: EngineOptions, project: string, { service }: ServicePath, options: CopyOptions) => {
  const found = replicas(engine, project, service)
  if (options.index !== undefined) {
    const one = found.filter(({ record }) => record.number === options.index && !record.oneOff)
    if (one.length > 0) return one
    throw new CaissonError('ENOSERVICE', `service ${service} of project ${project} has no container ${options.index}`)
  }
  const wanted = options.all ? found : found.filter(({ record }) => !record.oneOff)
  if (wanted.length > 0) return options.to.kind === 'service' ? wanted : wanted.slice(0, 1)
  throw new CaissonError('ENOSERVICE', `service ${service} of project ${project} has no container`, {
    hint: '--all takes those of `run` too',
  })
}

export const copy = (engine: EngineOptions, project: string, options: CopyOptions): Promise<CopyOutcome> =>
  withSession(engine, async (session) => {
    const { from, to } = options
    const endpoint = to.kind === 'service' ? to : from
    if (endpoint.kind !== 'service') throw new CaissonError('ECOPY', 'unknown copy direction')
    const containers = targets(engine, project, endpoint, options)
    if (from.path === '-' && from.kind === 'local' && containers.length > 1) {
      throw new CaissonError(
        'ECOPY',
        `stdin can be read once, and service ${endpoint.service} has ${containers.length} containers`,
        {
          hint: 'choose one with --index',
        },
      )
    }
    const outcomes: CopyOutcome[] = []
    for (const container of containers) outcomes.push(await copyOne(session, project, container, options))
    return joined(outcomes)
  })
