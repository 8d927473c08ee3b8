import { parseMountOptions } from '../linux/mount-flags.ts'
import type { CgroupFacts } from '../native/host-facts.ts'
import type { LaunchPlan, MountPlan } from '../native/launch-plan.ts'
import type { OciLinux, OciMount, RuntimeSpec } from '../oci/runtime-spec.ts'
import { cgroupView } from './cgroups.ts'

type Symlinks = LaunchPlan['symlinks']

/** Options of our own, see OciMount. */
const COPY_UP = 'copyup'
const JOINED = 'joined'

const kindOf = (isBind: boolean, options: readonly string[]): MountPlan['kind'] => {
  if (!isBind) return 'filesystem'
  if (options.includes(JOINED)) return 'joined'
  return options.includes(COPY_UP) ? 'volume' : 'bind'
}

const lowerMount = (mount: OciMount): MountPlan => {
  const { attributes, propagation, recursive, rest } = parseMountOptions(mount.options)
  const isBind = mount.type === 'bind'
  const isImage = mount.type === 'image'
  return {
    kind: isImage ? 'image' : kindOf(isBind, rest),
    fsType: isBind || isImage ? '' : mount.type,
    source: mount.source,
    subpath: mount.subpath ?? '',
    layers: mount.layers ?? [],
    target: mount.destination,
    options: isBind || isImage ? [] : rest,
    attributes,
    recursive,
    propagation: mount.options.some((option) => option.endsWith('private')) ? 0n : propagation,
    // For binds the start path looks what the source is: a file where it is one.
    create: 'directory',
    optional: false,
  }
}

/**
 * The `cgroup` mount of the specification as binds of the container's own groups, so that it needs no cgroup namespace and
 * looks alike on v1, hybrid and v2. On v1 they stand in a tmpfs, which is sealed afterwards.
 */
const cgroupMounts = (mount: OciMount, linux: OciLinux, facts: CgroupFacts): OciMount[] => {
  const bind = ['bind', ...mount.options]
  const groups = cgroupView(linux.cgroupsPath, linux.resources, facts).map(
    ({ name, source }): OciMount => ({
      destination: name === '' ? mount.destination : `${mount.destination}/${name}`,
      type: 'bind',
      source,
      options: bind,
    }),
  )
  if (facts.mode === 'v2') return groups
  const options = [...mount.options.filter((option) => option !== 'ro'), 'mode=755', 'size=1m']
  return [{ destination: mount.destination, type: 'tmpfs', source: 'tmpfs', options }, ...groups]
}

/** Co-mounted v1 controllers (`cpu,cpuacct`) are found under each of their names. */
const cgroupSymlinks = (mounts: readonly OciMount[], cgroupRoot: string): Symlinks =>
  mounts
    .filter(({ destination }) => destination.startsWith(`${cgroupRoot}/`))
    .map(({ destination }) => destination.slice(cgroupRoot.length + 1))
    .filter((name) => name.includes(','))
    .flatMap((name) => name.split(',').map((controller) => ({ path: `${cgroupRoot}/${controller}`, target: name })))

export interface LoweredMounts {
  readonly mounts: readonly MountPlan[]
  readonly symlinks: Symlinks
  readonly readonlyPaths: readonly string[]
}

export const lowerMounts = (spec: RuntimeSpec, facts: CgroupFacts): LoweredMounts => {
  const cgroup = spec.mounts.find(({ type }) => type === 'cgroup')
  const cgroups = cgroup === undefined ? [] : cgroupMounts(cgroup, spec.linux, facts)
  const mounts = spec.mounts.flatMap((mount) => (mount === cgroup ? cgroups : [mount]))
  const sealed = cgroup?.options.includes('ro') && cgroups[0]?.type === 'tmpfs' ? [cgroup.destination] : []
  return {
    mounts: mounts.map(lowerMount),
    symlinks: [...spec.caisson.symlinks, ...(cgroup ? cgroupSymlinks(cgroups, cgroup.destination) : [])],
    readonlyPaths: [...spec.linux.readonlyPaths, ...sealed],
  }
}
