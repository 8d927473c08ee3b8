/** Talks nf_tables with the kernel of a NetworkRoot. */
import { systemError } from '../native/failure.ts'
import { errnoOf, readMessages } from '../linux/netlink.ts'
import { encodeBatch, encodeDump, type TableMessage } from '../linux/nf-tables.ts'
import { NetworkError } from './errors.ts'
import type { NetworkRoot } from './network-root.ts'

export const ENOENT = 2

/** First errno of the answers that is neither 0 nor `ignored`; 0 = all is well. */
const refusalOf = (replies: Buffer, ignored: readonly number[]): number => {
  for (const message of readMessages(replies)) {
    const errno = errnoOf(message)
    if (errno !== undefined && errno !== 0 && !ignored.includes(errno)) return errno
  }
  return 0
}

const refused = (what: string, errno: number): NetworkError => {
  const cause = systemError({ step: 'network', syscall: 'nf_tables', errno })
  return new NetworkError('EFIREWALL', `the kernel refused to ${what}: ${cause.code}`, {
    ...(cause.hint === undefined ? {} : { hint: cause.hint }),
    cause,
  })
}

/** One transaction. `what` completes "the kernel refused to …". Throws NetworkError EFIREWALL. */
export const transact = async (root: NetworkRoot, what: string, messages: readonly TableMessage[]): Promise<void> => {
  const errno = refusalOf(await root.talk(encodeBatch(messages), messages.length), [])
  if (errno !== 0) throw refused(what, errno)
}

/** Each message in a transaction of its own; what is not there counts as deleted. */
export const deleteEach = async (root: NetworkRoot, what: string, messages: readonly TableMessage[]): Promise<void> => {
  const replies: Buffer[] = []
  for (const message of messages) replies.push(await root.talk(encodeBatch([message]), 1))
  const errno = refusalOf(Buffer.concat(replies), [ENOENT])
  if (errno !== 0) throw refused(what, errno)
}

/** The answers of one dump. What does not exist dumps as nothing. */
export const dump = async (root: NetworkRoot, message: TableMessage): Promise<Buffer> => {
  const replies = await root.talk(encodeDump(message), 1)
  const errno = refusalOf(replies, [ENOENT])
  if (errno !== 0) throw refused('list the firewall', errno)
  return replies
}
