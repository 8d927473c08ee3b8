/** NetworkRoot: the network namespace that bridges, the nf_tables table, claims and port listeners belong to. Never "the host". */
import { closeSync, fstatSync, statSync } from 'node:fs'
import type { NativeBinding } from '../native/binding.ts'
import type { Owners } from './claims.ts'
import { NetworkError } from './errors.ts'

export interface NetworkRootOptions {
  /** Namespace file ($CAISSON_NETNS); undefined: that of this process. */
  readonly path: string | undefined
  /** $CAISSON_RUN: claims and names are below it. */
  readonly run: string
  /** `$CAISSON_ROOT/locks/net`; its directory exists. */
  readonly lockFile: string
  readonly owners: Owners
}

export interface NetworkRoot {
  readonly binding: NativeBinding
  /** The namespace; also what the monitor gets as MONITOR_FD.networkRoot. */
  readonly fd: number
  /** Sends to nf_tables in it and resolves with all answers; one exchange after the other. */
  talk(messages: Uint8Array, expectedEnds: number): Promise<Buffer>
  /** It is the namespace of this process, so that /proc/net and /sys/class/net show the same. */
  readonly own: boolean
  readonly run: string
  readonly owners: Owners
  /** Runs `work` while no other command changes the table, the bridges or the subnets. Not reentrant. */
  locked<T>(work: () => Promise<T>): Promise<T>
  close(): void
}

const NETLINK_NETFILTER = 12
const OWN_NAMESPACE = '/proc/self/ns/net'
const LOCK_TIMEOUT_MS = 30_000

const withLock = async <T>(binding: NativeBinding, file: string, work: () => Promise<T>): Promise<T> => {
  const fd = binding.lock(file) ?? (await binding.lockWait(file, LOCK_TIMEOUT_MS))
  if (fd === undefined) throw new NetworkError('ENETWORKLOCKED', `network state is locked by another command (${file})`)
  try {
    return await work()
  } finally {
    closeSync(fd)
  }
}

const isOwnNamespace = (fd: number): boolean => {
  const given = fstatSync(fd)
  const own = statSync(OWN_NAMESPACE)
  return given.ino === own.ino && given.dev === own.dev
}

type Talk = NetworkRoot['talk']

/** Answers of two exchanges on one socket would mix. */
const inTurn = (talk: Talk): Talk => {
  let last: Promise<unknown> = Promise.resolve()
  return (messages, expectedEnds) => {
    const answer = last.then(() => talk(messages, expectedEnds))
    last = answer.catch(() => undefined)
    return answer
  }
}

/** Opens the namespace and its netfilter socket. The caller closes it. */
export const openNetworkRoot = (binding: NativeBinding, options: NetworkRootOptions): NetworkRoot => {
  const fd = binding.openPath(options.path ?? OWN_NAMESPACE)
  const netfilter = binding.netlinkSocket(fd, NETLINK_NETFILTER)
  return {
    binding,
    fd,
    talk: inTurn((messages, expectedEnds) => binding.netlinkTalk(netfilter, messages, expectedEnds)),
    own: isOwnNamespace(fd),
    run: options.run,
    owners: options.owners,
    locked: (work) => withLock(binding, options.lockFile, work),
    close: () => {
      closeSync(netfilter)
      closeSync(fd)
    },
  }
}
