/** Mount options of mount(8) as the numbers of mount_setattr(2) and mount(2). */

export const MOUNT_ATTR = {
  rdonly: 0x1n,
  nosuid: 0x2n,
  nodev: 0x4n,
  noexec: 0x8n,
  noatime: 0x10n,
  strictatime: 0x20n,
  nodiratime: 0x80n,
  nosymfollow: 0x200000n,
} as const

/** MS_* of propagation, linux/mount.h. */
export const PROPAGATION = { unbindable: 1n << 17n, private: 1n << 18n, slave: 1n << 19n, shared: 1n << 20n } as const

const ATIME = 0x70n
type Change = { readonly set: bigint; readonly clear: bigint }
const on = (bit: bigint): Change => ({ set: bit, clear: 0n })
const off = (bit: bigint): Change => ({ set: 0n, clear: bit })

const ATTRIBUTES: Readonly<Record<string, Change>> = {
  ro: on(MOUNT_ATTR.rdonly),
  rw: off(MOUNT_ATTR.rdonly),
  nosuid: on(MOUNT_ATTR.nosuid),
  suid: off(MOUNT_ATTR.nosuid),
  nodev: on(MOUNT_ATTR.nodev),
  dev: off(MOUNT_ATTR.nodev),
  noexec: on(MOUNT_ATTR.noexec),
  exec: off(MOUNT_ATTR.noexec),
  noatime: { set: MOUNT_ATTR.noatime, clear: ATIME },
  relatime: off(ATIME),
  strictatime: { set: MOUNT_ATTR.strictatime, clear: ATIME },
  nodiratime: on(MOUNT_ATTR.nodiratime),
  diratime: off(MOUNT_ATTR.nodiratime),
  nosymfollow: on(MOUNT_ATTR.nosymfollow),
  defaults: { set: 0n, clear: 0n },
}

export interface MountOptions {
  /** MOUNT_ATTR_* to set. */
  readonly attributes: bigint
  /** MS_*; 0 = private. */
  readonly propagation: bigint
  /** `rbind`, or a propagation with r in front. */
  readonly recursive: boolean
  /** Everything else, in order: what the file system itself understands. */
  readonly rest: readonly string[]
}

/** `rslave` → slave. undefined: not a propagation. */
const propagationOf = (option: string): bigint | undefined => {
  const name = option.startsWith('r') ? option.slice(1) : option
  return Object.hasOwn(PROPAGATION, name) ? PROPAGATION[name as keyof typeof PROPAGATION] : undefined
}

/** MS_* of `private`, `rslave` …; 0 = private, or not a propagation. */
export const propagationFlag = (name: string): bigint => propagationOf(name) ?? 0n

/** Sorts options into what belongs to the mount and what to the file system. A later option overrides an earlier one. */
export const parseMountOptions = (options: readonly string[]): MountOptions => {
  let attributes = 0n
  let propagation = 0n
  let recursive = false
  const rest: string[] = []
  for (const option of options) {
    const change = Object.hasOwn(ATTRIBUTES, option) ? ATTRIBUTES[option] : undefined
    const flag = propagationOf(option)
    if (change) attributes = (attributes & ~change.clear) | change.set
    else if (flag !== undefined) propagation = flag
    else if (option !== 'bind' && option !== 'rbind') rest.push(option)
    if (option === 'rbind') recursive = true
  }
  return { attributes, propagation, recursive, rest }
}
