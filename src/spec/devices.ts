import type { OciDevice, OciMount } from '../oci/runtime-spec.ts'
import type { Allocation } from './allocation.ts'

const character = (path: string, major: number, minor: number): OciDevice => ({
  path,
  type: 'c',
  major,
  minor,
  fileMode: 0o666,
  uid: 0,
  gid: 0,
})

/** Nodes that the runtime specification asks for (config-linux.md, default devices). Console and ptmx come with devpts. */
const DEFAULTS: readonly OciDevice[] = [
  character('/dev/null', 1, 3),
  character('/dev/zero', 1, 5),
  character('/dev/full', 1, 7),
  character('/dev/random', 1, 8),
  character('/dev/urandom', 1, 9),
  character('/dev/tty', 5, 0),
]

const SYMLINKS = [
  { path: '/dev/ptmx', target: 'pts/ptmx' },
  { path: '/dev/fd', target: '/proc/self/fd' },
  { path: '/dev/stdin', target: '/proc/self/fd/0' },
  { path: '/dev/stdout', target: '/proc/self/fd/1' },
  { path: '/dev/stderr', target: '/proc/self/fd/2' },
  { path: '/dev/core', target: '/proc/kcore' },
]

export interface DeviceNodes {
  readonly devices: readonly OciDevice[]
  readonly symlinks: readonly { readonly path: string; readonly target: string }[]
}

/** What is made below /dev: nothing where the service mounts a /dev of its own, which may be the host's. */
export const deviceNodes = (
  mounts: readonly OciMount[],
  { hostDevices = [] }: Pick<Allocation, 'hostDevices'>,
): DeviceNodes => {
  const ownDev = mounts.some(({ destination, type }) => destination === '/dev' && type === 'tmpfs')
  if (!ownDev) return { devices: [], symlinks: [] }
  const taken = new Set([...DEFAULTS, ...SYMLINKS].map(({ path }) => path))
  return { devices: [...DEFAULTS, ...hostDevices.filter(({ path }) => !taken.has(path))], symlinks: SYMLINKS }
}
