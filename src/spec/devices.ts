import type { Service } from '../compose/project.ts'
import type { OciDevice, OciMount } from '../oci/runtime-spec.ts'
import type { Allocation } from './allocation.ts'
import { givenDevices } from './device-rules.ts'

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

/** Where the host`s own nodes stand among Allocation.hostDevices. */
export const ALL_NODES = '/dev'

/** Of several nodes with one path the first counts. */
const firstOfEach = (devices: readonly OciDevice[]): readonly OciDevice[] => {
  const taken = new Set<string>()
  return devices.filter(({ path }) => !taken.has(path) && taken.add(path))
}

/**
 * What is made below /dev: nothing where the service mounts a /dev of its own, which may be the host's. What the service
 * asks for goes before the usual nodes, and in a privileged container before the host's.
 */
export const deviceNodes = (
  service: Service,
  mounts: readonly OciMount[],
  { hostDevices }: Pick<Allocation, 'hostDevices'>,
): DeviceNodes => {
  const ownDev = mounts.some(({ destination, type }) => destination === '/dev' && type === 'tmpfs')
  if (!ownDev) return { devices: [], symlinks: [] }
  const given = givenDevices(service, hostDevices, () => {}).map(({ access: _, ...node }) => node)
  const all = service.privileged ? (hostDevices[ALL_NODES] ?? []) : []
  const links = new Set(SYMLINKS.map(({ path }) => path))
  const nodes = firstOfEach([...given, ...DEFAULTS, ...all])
  return { devices: nodes.filter(({ path }) => !links.has(path)), symlinks: SYMLINKS }
}
