/** Session: what one command has open. Everything is opened at its first use, and closed at the end of the command. */
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import type { Diagnostic } from '../errors.ts'
import type { NativeBinding } from '../native/binding.ts'
import type { HostFacts } from '../native/host-facts.ts'
import { loadNative, monitorFile } from '../native/load.ts'
import type { NetworkRoot } from '../network/network-root.ts'
import { openNetworkRoot } from '../network/network-root.ts'
import { keepBinary } from '../state/binary.ts'
import { containerPaths, lockFile, networksDirectory, type Roots } from '../state/layout.ts'
import { type LockRequest, takeLock, withLock } from '../state/locks.ts'
import type { ContainerRecord } from '../state/records.ts'
import type { IsAlive } from '../state/snapshot.ts'
import { readRecord } from '../state/store.ts'
import type { Emit } from './events.ts'
import { readHostFacts } from './host-facts.ts'
import { Turn } from './turn.ts'
import type { EngineOptions } from './types.ts'

const LOCK_TIMEOUT_MS = 10 * 60_000

export interface Session {
  readonly roots: Roots
  readonly emit: Emit
  readonly binding: NativeBinding
  readonly isAlive: IsAlive
  /** Path of the monitor's binary below the state root. */
  readonly monitor: () => string
  readonly facts: () => HostFacts
  readonly networkRoot: () => NetworkRoot
  /** Descriptor of /dev/null. */
  readonly nothing: () => number
  readonly close: () => void
}

/** Computed at the first call. */
const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

const describeOwner = (roots: Roots, owner: string): string => {
  const record = readRecord<ContainerRecord>(containerPaths(roots, owner).record)
  return record === undefined ? `container ${owner}` : `container ${record.name} of project ${record.project}`
}

const openNetwork = (options: EngineOptions, binding: NativeBinding): NetworkRoot => {
  const lock = lockFile(options, 'net')
  mkdirSync(`${options.root}/locks`, { recursive: true, mode: 0o700 })
  return openNetworkRoot(binding, {
    path: options.networkNamespace,
    run: options.run,
    lockFile: lock,
    owners: {
      exists: (kind, owner) =>
        existsSync(
          kind === 'subnet' ? `${networksDirectory(options)}/${owner}` : containerPaths(options, owner).directory,
        ),
      describe: (kind, owner) => (kind === 'subnet' ? `network ${owner}` : describeOwner(options, owner)),
    },
  })
}

/** State root and run directory: 0711 where netd, which is nobody, must pass. */
const makeRoots = (roots: Roots) => {
  mkdirSync(roots.root, { recursive: true, mode: 0o711 })
  mkdirSync(roots.run, { recursive: true, mode: 0o711 })
}

export const openSession = (options: EngineOptions): Session => {
  const binding = loadNative()
  makeRoots(options)
  let network: NetworkRoot | undefined
  let nothing: number | undefined
  return {
    roots: { root: options.root, run: options.run },
    emit: options.emit,
    binding,
    isAlive: ({ alive }) => binding.isLocked(alive),
    monitor: once(() => keepBinary(options, monitorFile())),
    facts: once(() => readHostFacts(options)),
    networkRoot: () => {
      network ??= openNetwork(options, binding)
      return network
    },
    nothing: () => {
      nothing ??= openSync('/dev/null', 'r+')
      return nothing
    },
    close: () => {
      network?.close()
      if (nothing !== undefined) closeSync(nothing)
    },
  }
}

/** Opens a session for `work` and closes it behind it. */
export const withSession = async <T>(options: EngineOptions, work: (session: Session) => Promise<T>): Promise<T> => {
  const session = openSession(options)
  try {
    return await work(session)
  } finally {
    session.close()
  }
}

/** Runs a change of a project in its turn, which takes the project's lock as soon as something is to be changed. */
export const changing = async <T>(
  session: Session,
  project: string,
  work: (turn: Turn) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> => {
  const turn = new Turn(() => takeLock(session.binding, requestOf(session, `project-${project}`, signal)))
  try {
    return await work(turn)
  } finally {
    await turn.end()
  }
}

/** Runs a change of images, of which there is one at a time. */
export const changingContent = <T>(session: Session, work: () => Promise<T>): Promise<T> =>
  withLock(session.binding, requestOf(session, 'content', undefined), work)

/** Says who is waited for. */
const requestOf = (session: Session, lock: string, signal: AbortSignal | undefined): LockRequest => ({
  path: lockFile(session.roots, lock),
  command: process.argv.slice(1).join(' '),
  timeoutMs: LOCK_TIMEOUT_MS,
  signal,
  onWait: (holder) => session.emit({ kind: 'locked', lock, holder }),
})

/** Passes findings on as warnings. */
export const warn = (emit: Emit, diagnostics: readonly Diagnostic[]): void => {
  for (const { code, message, hint, path } of diagnostics) emit({ kind: 'warning', code, message, hint, path })
}
