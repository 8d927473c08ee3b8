/** RLIMIT_* of asm-generic/resource.h, by the lower-case names that Compose and Docker use. */
const RLIMITS: Readonly<Record<string, number>> = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
}

export const RLIMIT_NAMES: readonly string[] = Object.keys(RLIMITS)

export const RLIM_INFINITY = (1n << 64n) - 1n

/** Number for `nofile`, `RLIMIT_NOFILE`, in any case. undefined: there is none. */
export const rlimitNumber = (name: string): number | undefined => {
  const key = name.toLowerCase().replace(/^rlimit_/, '')
  return Object.hasOwn(RLIMITS, key) ? RLIMITS[key] : undefined
}
