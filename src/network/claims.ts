/** Claims: `$CAISSON_RUN/claims/<kind>/<key>` is a symlink to its owner's id. symlink(2) is exclusive and its content atomic. */
import { mkdirSync, readdirSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'

/** subnet: owned by a network id. ip, port, name: owned by a container id. */
export type ClaimKind = 'subnet' | 'ip' | 'port' | 'name'

/** What the network side has to know about owners; state answers. */
export interface Owners {
  /** false: the record of the owner is gone, so that its claim may be taken over. */
  exists(kind: ClaimKind, owner: string): boolean
  /** For messages: `container shop-web-1 of project shop`. */
  describe(kind: ClaimKind, owner: string): string
}

/** Where claims are and who judges their owners. A NetworkRoot is one. */
export interface ClaimContext {
  /** $CAISSON_RUN. */
  readonly run: string
  readonly owners: Owners
}

/** `taken`: by whom. `claimed` with `takenOver`: the claim was left behind by an owner that is gone. */
export type ClaimResult =
  | { readonly state: 'claimed'; readonly takenOver: boolean }
  | { readonly state: 'taken'; readonly owner: string }

const directoryOf = (context: { readonly run: string }, kind: ClaimKind): string => join(context.run, 'claims', kind)

/** Absolute path of a claim, for undo lists. */
export const claimPath = (context: { readonly run: string }, kind: ClaimKind, key: string): string =>
  join(directoryOf(context, kind), key)

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === code

/** undefined: there is no such claim. */
export const claimOwner = (context: { readonly run: string }, kind: ClaimKind, key: string): string | undefined => {
  try {
    return readlinkSync(claimPath(context, kind, key))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Makes the symlink; false: there is one. The directory is made where it is missing. */
const create = (context: ClaimContext, kind: ClaimKind, key: string, owner: string): boolean => {
  const path = claimPath(context, kind, key)
  for (let attempt = 0; ; attempt += 1) {
    try {
      symlinkSync(owner, path)
      return true
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false
      if (!hasCode(error, 'ENOENT') || attempt > 0) throw error
      mkdirSync(directoryOf(context, kind), { recursive: true, mode: 0o700 })
    }
  }
}

/**
 * Removes a claim whose owner is gone. It is renamed first: of two commands that find it only one gets it, and neither
 * can remove the claim that the other has made since (that one is put back).
 */
const evict = (context: ClaimContext, kind: ClaimKind, key: string, dead: string): void => {
  const path = claimPath(context, kind, key)
  const aside = join(directoryOf(context, kind), `.${process.pid}.${key}`)
  try {
    renameSync(path, aside)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return
    throw error
  }
  const owner = readlinkSync(aside)
  if (owner !== dead) create(context, kind, key, owner)
  unlinkSync(aside)
}

/** Claims `key` for `owner`. Claiming again what one owns already succeeds. */
export const claim = (context: ClaimContext, kind: ClaimKind, key: string, owner: string): ClaimResult => {
  if (create(context, kind, key, owner)) return { state: 'claimed', takenOver: false }
  const holder = claimOwner(context, kind, key)
  if (holder === owner) return { state: 'claimed', takenOver: false }
  if (holder !== undefined) {
    if (context.owners.exists(kind, holder)) return { state: 'taken', owner: holder }
    evict(context, kind, key, holder)
  }
  if (create(context, kind, key, owner)) return { state: 'claimed', takenOver: holder !== undefined }
  return { state: 'taken', owner: claimOwner(context, kind, key) ?? 'unknown' }
}

/** Gives a claim back. One that is somebody else's by now, or gone, stays as it is. */
export const release = (context: { readonly run: string }, kind: ClaimKind, key: string, owner: string): void => {
  if (claimOwner(context, kind, key) !== owner) return
  unlinkSync(claimPath(context, kind, key))
}

/** All claims of a kind: key to owner. */
export const listClaims = (context: { readonly run: string }, kind: ClaimKind): ReadonlyMap<string, string> => {
  const claims = new Map<string, string>()
  for (const key of readDirectory(directoryOf(context, kind))) {
    const owner = key.startsWith('.') ? undefined : claimOwner(context, kind, key)
    if (owner !== undefined) claims.set(key, owner)
  }
  return claims
}

const readDirectory = (path: string): readonly string[] => {
  try {
    return readdirSync(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}
