/** capabilities(7): a set is a bigint, bit n = capability n. */

/** Name of capability n at index n, without CAP_ (linux/capability.h, Linux 5.9 to 6.18). */
const NAMES: readonly string[] =
  `CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
   NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
   SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
   MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`.split(/\s+/)

const bits = new Map(NAMES.map((name, bit) => [name, bit]))

/** Number of a capability: `NET_ADMIN`, `CAP_NET_ADMIN`, in any case. undefined: there is none. */
export const capabilityBit = (name: string): number | undefined => bits.get(name.toUpperCase().replace(/^CAP_/, ''))

export const capabilitySet = (names: readonly string[]): bigint =>
  names.reduce((set, name) => {
    const bit = capabilityBit(name)
    return bit === undefined ? set : set | (1n << BigInt(bit))
  }, 0n)

/** Names with CAP_, lowest bit first; bits without a name are left out. */
export const capabilityNames = (set: bigint): string[] =>
  NAMES.filter((_, bit) => (set >> BigInt(bit)) & 1n).map((name) => `CAP_${name}`)

export const ALL_CAPABILITIES: bigint = (1n << BigInt(NAMES.length)) - 1n

/** What Docker leaves to root in a container: enough for a daemon that binds ports, changes owner and drops its user. */
export const DEFAULT_CAPABILITIES: bigint = capabilitySet([
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SYS_CHROOT',
  'MKNOD',
  'AUDIT_WRITE',
  'SETFCAP',
])

const isAll = (name: string): boolean => /^(CAP_)?ALL$/i.test(name)

/**
 * The set that `cap_add` and `cap_drop` make of the default one, by Docker's rules: added ALL beats dropped ALL, and a
 * dropped ALL leaves exactly what is added. Unknown names count for nothing.
 */
export const adjustCapabilities = (add: readonly string[], drop: readonly string[]): bigint => {
  if (add.some(isAll)) return ALL_CAPABILITIES & ~capabilitySet(drop)
  if (drop.some(isAll)) return capabilitySet(add)
  return (DEFAULT_CAPABILITIES & ~capabilitySet(drop)) | capabilitySet(add)
}

/** Whether cap_add and cap_drop know the name. */
export const isCapability = (name: string): boolean => isAll(name) || capabilityBit(name) !== undefined
