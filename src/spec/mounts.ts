import assert from 'node:assert'
import type { Service, ServiceMount } from '../compose/project.ts'
import type { OciMount } from '../oci/runtime-spec.ts'
import type { Allocation } from './allocation.ts'
import { depthOf, isWithin, normalPath } from './path.ts'
import type { Report } from './report.ts'

const DEFAULT_SHM_BYTES = 64 * 1024 * 1024

const filesystem = (destination: string, type: string, ...options: string[]): OciMount => ({
  destination,
  type,
  source: type,
  options,
})

const bind = (source: string, destination: string, ...options: string[]): OciMount => ({
  destination,
  type: 'bind',
  source,
  options: [...(options.includes('bind') ? [] : ['rbind']), ...options],
})

const SHM = ['nosuid', 'noexec', 'nodev'] as const

/** /dev/shm goes with the ipc namespace, whosever that is. */
const sharedMemory = ({ ipc, shmSizeBytes }: Service): OciMount[] => {
  if (ipc === 'none') return []
  if (ipc === 'host') return [bind('/dev/shm', '/dev/shm', ...SHM, 'rprivate')]
  if (/^(service|container):/.test(ipc ?? '')) return [bind('/dev/shm', '/dev/shm', 'joined', ...SHM, 'rprivate')]
  return [filesystem('/dev/shm', 'tmpfs', ...SHM, 'mode=1777', `size=${shmSizeBytes || DEFAULT_SHM_BYTES}`)]
}

/** Its own cgroups, or all of them where its cgroup namespace is the host's. */
const cgroups = ({ cgroup }: Service, readOnly: readonly string[]): OciMount => {
  const options = ['nosuid', 'noexec', 'nodev', ...readOnly]
  return cgroup === 'host'
    ? bind('/sys/fs/cgroup', '/sys/fs/cgroup', ...options, 'rprivate')
    : filesystem('/sys/fs/cgroup', 'cgroup', ...options)
}

/** Docker's. /sys and its cgroups are writable in a privileged container only. */
const defaultMounts = (service: Service): OciMount[] => {
  const readOnly = service.privileged ? [] : ['ro']
  return [
    filesystem('/proc', 'proc', 'nosuid', 'noexec', 'nodev'),
    filesystem('/dev', 'tmpfs', 'nosuid', 'strictatime', 'mode=755', 'size=65536k'),
    filesystem('/dev/pts', 'devpts', 'nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'),
    filesystem('/sys', 'sysfs', 'nosuid', 'noexec', 'nodev', ...readOnly),
    cgroups(service, readOnly),
    filesystem('/dev/mqueue', 'mqueue', 'nosuid', 'noexec', 'nodev'),
    ...sharedMemory(service),
  ]
}

/** Read-only where the root is, as in Docker. */
const generatedFiles = (service: Service, { paths }: Allocation): OciMount[] =>
  [
    ['/etc/resolv.conf', paths.resolvConf] as const,
    ['/etc/hostname', paths.hostname] as const,
    ['/etc/hosts', paths.hosts] as const,
  ].flatMap(([target, source]) => (source === '' ? [] : [bind(source, target, 'rprivate', ...readOnlyOption(service))]))

const imageBinds = ({ imageBinds }: Allocation): OciMount[] =>
  imageBinds.map(({ source, target }) => bind(source, normalPath(target), 'ro', 'nodev', 'rprivate'))

const readOnlyOption = ({ readOnly }: { readonly readOnly: boolean }): string[] => (readOnly ? ['ro'] : [])

type Kind<T extends ServiceMount['type']> = Extract<ServiceMount, { readonly type: T }>

const bindMount = (mount: Kind<'bind'>, target: string): OciMount => {
  const shallow = mount.recursive === 'disabled' ? ['bind'] : []
  return bind(mount.source, target, ...shallow, ...readOnlyOption(mount), mount.propagation ?? 'rprivate')
}

const tmpfsMount = (mount: Kind<'tmpfs'>, target: string): OciMount => {
  const size = mount.sizeBytes === undefined ? [] : [`size=${mount.sizeBytes}`]
  const mode = mount.mode === undefined ? [] : [`mode=${mount.mode.toString(8)}`]
  // Options of the user come last: `exec` takes our `noexec` back.
  return filesystem(
    target,
    'tmpfs',
    'nosuid',
    'nodev',
    'noexec',
    ...readOnlyOption(mount),
    ...size,
    ...mode,
    ...mount.options,
  )
}

/** Content of the volume that was allocated for a target. */
const volumeSource = (allocation: Allocation, target: string): string | undefined =>
  Object.entries(allocation.volumes).find(([key]) => normalPath(key) === target)?.[1].source

const subpathOf = ({ subpath }: { readonly subpath: string | undefined }) => (subpath === undefined ? {} : { subpath })

const volumeMount = (mount: Kind<'volume'>, target: string, source: string): OciMount => ({
  ...bind(source, target, ...readOnlyOption(mount), 'rprivate', ...(mount.nocopy ? [] : ['copyup'])),
  ...subpathOf(mount),
})

const imageMount = (mount: Kind<'image'>, target: string, { imageMounts = {} }: Allocation): OciMount => {
  const image = imageMounts[mount.target]
  assert(image !== undefined, `no image was allocated for ${target}`)
  const { layers, empty } = image
  return { destination: target, type: 'image', source: empty, options: ['ro', 'nodev'], layers, ...subpathOf(mount) }
}

/** Files of procfs that may be mounted over; everything else there is how the kernel is spoken to (CVE-2019-19921). */
const PROC_FILES = ['cpuinfo', 'diskstats', 'meminfo', 'stat', 'swaps', 'uptime', 'loadavg', 'slabinfo']

/** Why nothing may be mounted at `target`; undefined: it may. */
const refusal = (target: string): string | undefined => {
  if (target === '/') return 'it is the root'
  if (isWithin(target, '/proc') && !PROC_FILES.some((file) => target === `/proc/${file}`))
    return 'it belongs to the kernel'
  return undefined
}

type Target = Pick<ServiceMount, 'target' | 'path'>

/** Reports a mount that cannot be; true: it can. */
const isPossible = (mount: Target, report: Report): boolean => {
  const reason = mount.target.startsWith('/') ? refusal(normalPath(mount.target)) : 'it is not an absolute path'
  if (reason !== undefined) {
    report({ code: 'EMOUNT', path: mount.path, message: `nothing can be mounted at '${mount.target}': ${reason}` })
  }
  return reason === undefined
}

/** As Docker: relative, and not out of what it is a part of by its own words. Where symlinks lead is seen at the start. */
const isInside = (subpath: string): boolean => {
  if (subpath.startsWith('/') || subpath.includes('\0')) return false
  let depth = 0
  for (const step of subpath.split('/')) {
    if (step === '..') depth -= 1
    else if (step !== '' && step !== '.') depth += 1
    if (depth < 0) return false
  }
  return true
}

const checkSubpath = (mount: ServiceMount, report: Report): void => {
  if (mount.type !== 'volume' && mount.type !== 'image') return
  if (mount.subpath === undefined || isInside(mount.subpath)) return
  const message = `subpath '${mount.subpath}' is not a relative path within the ${mount.type}`
  report({ code: 'EMOUNT', path: [...mount.path, mount.type, 'subpath'], message })
}

export const checkMounts = (service: Service, report: Report): void => {
  for (const mount of [...service.volumes, ...service.files]) isPossible(mount, report)
  for (const mount of service.volumes) checkSubpath(mount, report)
}

/** Files may be programs, so not noexec. */
const fileMounts = (service: Service, { files }: Allocation, report: Report): OciMount[] =>
  service.files.flatMap((file, index) => {
    const source = files[index]
    if (source === undefined || !isPossible(file, report)) return []
    return [bind(source, normalPath(file.target), 'ro', 'nosuid', 'nodev', 'rprivate')]
  })

const serviceMount = (mount: ServiceMount, allocation: Allocation, report: Report): OciMount[] => {
  if (!isPossible(mount, report)) return []
  const target = normalPath(mount.target)
  switch (mount.type) {
    case 'bind':
      return [bindMount(mount, target)]
    case 'tmpfs':
      return [tmpfsMount(mount, target)]
    case 'image':
      return [imageMount(mount, target, allocation)]
    case 'volume': {
      const source = volumeSource(allocation, target)
      assert(source !== undefined, `no volume was allocated for ${target}`)
      return [volumeMount(mount, target, source)]
    }
  }
}

/** What an image's declaration of a volume means, as a service would write it. */
export const imageVolume = (target: string, path: ServiceMount['path']): ServiceMount => ({
  ...{ type: 'volume', source: undefined, target, readOnly: false, nocopy: false, subpath: undefined, path },
})

/** Volumes that the image declares, unless the service mounts something there. */
const imageVolumes = (service: Service, allocation: Allocation, report: Report): OciMount[] =>
  Object.entries(allocation.volumes)
    .filter(([, volume]) => volume.fromImage)
    .flatMap(([target]) => serviceMount(imageVolume(target, ['services', service.name, 'image']), allocation, report))

/** Of several mounts at one place the last counts; a mount on /dev takes our own below it away. */
const withoutShadowed = (mounts: readonly OciMount[], ours: number): OciMount[] => {
  const theirs = mounts.slice(ours)
  const ownsDev = theirs.some(({ destination }) => destination === '/dev')
  return mounts.filter(({ destination }, index) => {
    if (index < ours && ownsDev && isWithin(destination, '/dev')) return false
    return !mounts.slice(index + 1).some((later) => later.destination === destination)
  })
}

/** Every mount of the container, parents before children. */
export const ociMounts = (service: Service, allocation: Allocation, report: Report): OciMount[] => {
  const ours = [...defaultMounts(service), ...imageBinds(allocation), ...generatedFiles(service, allocation)]
  const theirs = [
    ...imageVolumes(service, allocation, report),
    ...service.volumes.flatMap((mount) => serviceMount(mount, allocation, report)),
    ...fileMounts(service, allocation, report),
  ]
  return withoutShadowed([...ours, ...theirs], ours.length).sort(
    (a, b) => depthOf(a.destination) - depthOf(b.destination),
  )
}
