/**
 * `user:` and USER against the text of /etc/passwd and /etc/group. Both texts come from an image and are hostile: lines
 * that are not exactly formed are skipped, sizes are bounded, and a number is never looked up as a name (a passwd line
 * `1000:x:0:0` would make root of uid 1000).
 */
import { CaissonError } from '../errors.ts'
import type { Accounts } from './allocation.ts'

export interface User {
  readonly uid: number
  readonly gid: number
  /** The whole supplementary list, the primary group first. */
  readonly groups: readonly number[]
  readonly home: string
}

/** As Docker: ids above stay free for what the kernel and user namespaces reserve. */
export const MAX_ID = 2 ** 31 - 1
/** Longer texts are cut here: a real passwd of 10,000 users is a tenth of it. */
const MAX_TEXT = 4 * 1024 * 1024
const MAX_GROUPS = 65_536 // NGROUPS_MAX

interface PasswdEntry {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}
interface GroupEntry {
  readonly name: string
  readonly gid: number
  readonly members: string
}

/** undefined: not a number. A number too large for an id is NaN. */
const numeric = (text: string): number | undefined => {
  if (!/^\d+$/.test(text)) return undefined
  const value = Number(text)
  return value <= MAX_ID ? value : Number.NaN
}

const idOf = (text: string | undefined): number | undefined => {
  const value = numeric(text ?? '')
  return Number.isNaN(value) ? undefined : value
}

const lines = (text: string | undefined): string[] => (text ?? '').slice(0, MAX_TEXT).split('\n')

const parsePasswd = (text: string | undefined): PasswdEntry[] =>
  lines(text).flatMap((line) => {
    const [name = '', , uidText, gidText, , home = '', ...rest] = line.split(':')
    const [uid, gid] = [idOf(uidText), idOf(gidText)]
    if (name === '' || uid === undefined || gid === undefined || rest.length !== 1) return []
    return [{ name, uid, gid, home }]
  })

const parseGroup = (text: string | undefined): GroupEntry[] =>
  lines(text).flatMap((line) => {
    const [name = '', , gidText, members = '', ...rest] = line.split(':')
    const gid = idOf(gidText)
    if (name === '' || gid === undefined || rest.length > 0) return []
    return [{ name, gid, members }]
  })

const unknown = (message: string): CaissonError => new CaissonError('EUSER', message)

/** By name or by number, whichever `text` is; a number needs no entry. */
const findUser = (
  text: string,
  entries: readonly PasswdEntry[],
): Omit<PasswdEntry, 'name'> & { readonly name?: string } => {
  const uid = numeric(text)
  if (uid === undefined) {
    const entry = entries.find(({ name }) => name === text)
    if (entry === undefined) throw unknown(`user '${text}' is not in /etc/passwd of the image`)
    return entry
  }
  if (Number.isNaN(uid)) throw unknown(`user id ${text} is not in the range 0-${MAX_ID}`)
  return entries.find((entry) => entry.uid === uid) ?? { uid, gid: 0, home: '/' }
}

const findGroup = (text: string, accounts: Accounts): number => {
  const gid = numeric(text)
  if (gid !== undefined) {
    if (Number.isNaN(gid)) throw unknown(`group id ${text} is not in the range 0-${MAX_ID}`)
    return gid
  }
  const entry = parseGroup(accounts.group).find(({ name }) => name === text)
  if (entry === undefined) throw unknown(`group '${text}' is not in /etc/group of the image`)
  return entry.gid
}

const groupsOf = (name: string, accounts: Accounts): number[] =>
  parseGroup(accounts.group)
    .filter(({ members }) => members.split(',').includes(name))
    .map(({ gid }) => gid)

/** Numbers of `group_add`: names are those of the image's /etc/group. Throws CaissonError EUSER. */
export const resolveGroup = (text: string, accounts: Accounts): number => findGroup(text, accounts)

/**
 * `uid`, `uid:gid`, `name`, `name:group`, any mixture, or empty for root. Without a group it is the one of passwd, and the
 * user's groups of /etc/group come along; with one, they do not (as in Docker). Throws CaissonError EUSER.
 */
export const resolveUser = (spec: string, accounts: Accounts): User => {
  const colon = spec.indexOf(':')
  const userText = colon < 0 ? spec : spec.slice(0, colon)
  const groupText = colon < 0 ? '' : spec.slice(colon + 1)
  const user = findUser(userText === '' ? '0' : userText, parsePasswd(accounts.passwd))
  const gid = groupText === '' ? user.gid : findGroup(groupText, accounts)
  const further = groupText === '' && user.name !== undefined ? groupsOf(user.name, accounts) : []
  const groups = [...new Set([gid, ...further])].slice(0, MAX_GROUPS)
  return { uid: user.uid, gid, groups, home: user.home === '' ? '/' : user.home }
}
