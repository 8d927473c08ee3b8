/** Reads HostFacts from /proc and /sys: a dozen small files, once per command. */
import { existsSync, readFileSync } from 'node:fs'
import os from 'node:os'
import type { CgroupFacts, HostFacts } from '../native/host-facts.ts'

/** Synchronous: these files are made of memory, and starting the thread pool costs more than reading them. */
const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Mount point and options of a line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
interface MountLine {
  readonly root: string
  readonly point: string
  readonly type: string
  readonly superOptions: readonly string[]
}

/** mountinfo escapes space, tab, newline and backslash as three octal digits. */
const unescapeOctal = (text: string) =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

const parseMountLine = (line: string): MountLine | undefined => {
  const [left, right] = line.split(' - ')
  if (left === undefined || right === undefined) return undefined
  const [, , , root, point] = left.split(' ')
  const [type, , superOptions] = right.split(' ')
  if (root === undefined || point === undefined || type === undefined) return undefined
  return { root: unescapeOctal(root), point: unescapeOctal(point), type, superOptions: (superOptions ?? '').split(',') }
}

export const parseMounts = (mountinfo: string): readonly MountLine[] =>
  mountinfo.split('\n').flatMap((line) => parseMountLine(line) ?? [])

/** `/proc/self/cgroup`: controllers (joined as there) to path. The v2 line has the key ''. */
const parseOwnCgroups = (text: string): ReadonlyMap<string, string> => {
  const own = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, controllers, ...path] = line.split(':')
    if (controllers !== undefined) own.set(controllers, path.join(':'))
  }
  return own
}

const NOT_CONTROLLERS = new Set(['rw', 'ro', 'xattr', 'noprefix', 'clone_children', 'release_agent'])

/** Controllers of a v1 mount: its super options without the flags. */
const controllersOf = (mount: MountLine) =>
  mount.superOptions.filter((option) => !NOT_CONTROLLERS.has(option) && !option.startsWith('release_agent='))

const cgroupMode = (v1: number, v2: string | undefined): CgroupFacts['mode'] => {
  if (v1 > 0) return v2 === undefined ? 'v1' : 'hybrid'
  return v2 === undefined ? 'none' : 'v2'
}

/** What the machine's cgroup mounts are. Pure over the three texts. The first mount of a hierarchy counts. */
export const cgroupFacts = (mountinfo: string, ownCgroups: string, v2Controllers: string): CgroupFacts => {
  const v1: Record<string, string> = {}
  const own: Record<string, string> = {}
  let v2: string | undefined
  const ownPaths = parseOwnCgroups(ownCgroups)
  for (const mount of parseMounts(mountinfo)) {
    if (mount.type === 'cgroup2' && v2 === undefined) {
      v2 = mount.point
      own[mount.point] = ownPaths.get('') ?? '/'
    }
    if (mount.type !== 'cgroup') continue
    const controllers = controllersOf(mount).filter((controller) => v1[controller] === undefined)
    if (controllers.length === 0) continue
    for (const controller of controllers) v1[controller] = mount.point
    const line = [...ownPaths].find(([names]) => names.split(',').includes(controllers[0] ?? ''))
    own[mount.point] = line?.[1] ?? '/'
  }
  return {
    mode: cgroupMode(Object.keys(v1).length, v2),
    v1,
    v2,
    v2Controllers: v2Controllers.split(/\s+/).filter(Boolean),
    own,
  }
}

/** Type of the file system that holds `path`: that of the longest mount point above it (the last of equals is on top). */
export const fileSystemOf = (mounts: readonly MountLine[], path: string): string => {
  const above = mounts.filter(({ point }) => point === '/' || path === point || path.startsWith(`${point}/`))
  return (
    above.reduce<MountLine | undefined>(
      (best, mount) => (best && best.point.length > mount.point.length ? best : mount),
      undefined,
    )?.type ?? ''
  )
}

/** v1: the file is there with swap accounting only. v2: wherever the kernel can swap at all. */
const countsSwap = ({ v1 }: CgroupFacts): boolean =>
  existsSync(v1.memory === undefined ? '/proc/swaps' : `${v1.memory}/memory.memsw.limit_in_bytes`)

/** BFQ shows itself in every v1 group, and on v2, where the root has none of its files, as a module. */
const weighsIo = ({ v1, v2 }: CgroupFacts): Pick<CgroupFacts, 'ioWeight'> => {
  if (existsSync(v1.blkio === undefined ? '/sys/module/bfq' : `${v1.blkio}/blkio.bfq.io_service_bytes`))
    return { ioWeight: 'bfq' }
  return v2 !== undefined && existsSync(`${v2}/io.cost.qos`) ? { ioWeight: 'cost' } : {}
}

const kernelVersion = (release: string) => {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10) || 0)
  return { release, major, minor }
}

/** Reads what this machine can do. Missing files read as empty: a fact that cannot be known is the weaker one. */
export const readHostFacts = (engine: { readonly root: string }): HostFacts => {
  const mountinfo = read('/proc/self/mountinfo')
  const mounts = parseMounts(mountinfo)
  const v2 = mounts.find(({ type }) => type === 'cgroup2')?.point
  const v2Controllers = v2 === undefined ? '' : read(`${v2}/cgroup.controllers`)
  const cgroup = cgroupFacts(mountinfo, read('/proc/self/cgroup'), v2Controllers)
  return {
    machine: os.machine(),
    kernel: kernelVersion(os.release()),
    uid: process.getuid?.() ?? 0,
    cpus: os.availableParallelism(),
    onlineCpus: read('/sys/devices/system/cpu/online').trim(),
    memoryBytes: os.totalmem(),
    cgroup: {
      ...cgroup,
      ...{ swap: countsSwap(cgroup), ...weighsIo(cgroup) },
      realtime: cgroup.v1.cpu !== undefined && existsSync(`${cgroup.v1.cpu}/cpu.rt_runtime_us`),
    },
    lastCapability: Number.parseInt(read('/proc/sys/kernel/cap_last_cap'), 10) || 40,
    boundingCapabilities: BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(read('/proc/self/status'))?.[1] ?? '0'}`),
    stateOnOverlay: fileSystemOf(mounts, engine.root) === 'overlay',
    ipv6: read('/proc/sys/net/ipv6/conf/all/disable_ipv6').trim() === '0',
    resolvConf: read('/etc/resolv.conf'),
  }
}
