/**
 * Cgroup directories of a container and its monitor, with the files that set its limits, on whatever hierarchies this host
 * has. v1, hybrid and v2 are equals. Two levels, `<parent>/<project>/{monitors,<id>}`: on v2 no process may live beside
 * a directory whose subtree_control is on, and limits survive a service manager that rewrites the level above.
 */
import { deviceProgram } from '../linux/device-filter.ts'
import type { CgroupFacts } from '../native/host-facts.ts'
import type { CgroupPlan, LaunchPlan } from '../native/launch-plan.ts'
import type { OciResources } from '../oci/runtime-spec.ts'
import { realtimeAbove, v1Limits, v2Limits } from './cgroup-limits.ts'

type Setting = CgroupPlan['limits'][number]

/** v1 controllers that get a group of their own: those with limits, those that count, and the freezer. The order is runc's. */
const V1_CONTROLLERS = ['devices', 'memory', 'cpu', 'cpuacct', 'pids', 'blkio', 'freezer']
/** v2 controllers that are switched on where the host has them. */
const V2_CONTROLLERS = ['cpu', 'memory', 'pids', 'io']
/** Only for whoever binds itself to CPUs: a group of its own would not follow CPUs that come and go. */
const withCpuset = (controllers: readonly string[], cpuset: boolean) =>
  cpuset ? [...controllers, 'cpuset'] : controllers

/** `a/b/c` → '', `a`, `a/b`: every level above the last. */
const levelsAbove = (path: string): string[] => {
  const steps = path.split('/')
  return steps.map((_, depth) => steps.slice(0, depth).join('/'))
}

/** Switches the controllers on in every level above the group. */
const subtreeControl = (mount: string, path: string, facts: CgroupFacts, cpuset: boolean): Setting[] => {
  const value = withCpuset(V2_CONTROLLERS, cpuset)
    .filter((name) => facts.v2Controllers.includes(name))
    .map((name) => `+${name}`)
    .join(' ')
  if (value === '') return []
  return levelsAbove(path).map((level) => ({
    path: `${[mount, level].filter(Boolean).join('/')}/cgroup.subtree_control`,
    value,
  }))
}

/** v1 mount points with the controllers on each, in the order of V1_CONTROLLERS. */
const v1Mounts = (facts: CgroupFacts, controllers: readonly string[]): Map<string, string[]> => {
  const mounts = new Map<string, string[]>()
  for (const controller of controllers) {
    const mount = facts.v1[controller]
    if (mount === undefined) continue
    const known = mounts.get(mount)
    if (known) known.push(controller)
    else mounts.set(mount, [controller])
  }
  return mounts
}

const hasCpuset = (facts: CgroupFacts, mount: string): boolean => facts.v1.cpuset === mount

const ownsCpuset = ({ cpu }: Pick<OciResources, 'cpu'>): boolean => cpu?.cpus !== undefined

/** Groups of the container: one for each v1 hierarchy, and that of v2 where there is one. */
export const containerCgroups = (path: string, resources: OciResources, facts: CgroupFacts): CgroupPlan[] => {
  const cpuset = ownsCpuset(resources)
  const v1 = [...v1Mounts(facts, withCpuset(V1_CONTROLLERS, cpuset))].map(
    ([mount, controllers]): CgroupPlan => ({
      path: `${mount}/${path}`,
      prepare: controllers.includes('cpu') ? realtimeAbove(mount, levelsAbove(path), resources) : [],
      limits: controllers.flatMap((controller) => v1Limits(controller, resources, facts)),
      join: true,
      inheritCpuset: hasCpuset(facts, mount),
      unified: false,
    }),
  )
  if (facts.v2 === undefined) return v1
  const unified: CgroupPlan = {
    path: `${facts.v2}/${path}`,
    prepare: subtreeControl(facts.v2, path, facts, cpuset),
    limits: v2Limits(resources, facts),
    join: true,
    inheritCpuset: false,
    unified: true,
  }
  return [...v1, unified]
}

/** Where the monitor goes in every hierarchy in which the caller is not at the root: it must outlive the caller's session. */
export const monitorCgroups = (path: string, facts: CgroupFacts): CgroupPlan[] => {
  const mounts = [...new Set(Object.values(facts.v1)), ...(facts.v2 === undefined ? [] : [facts.v2])]
  return mounts
    .filter((mount) => facts.own[mount] !== '/')
    .map((mount) => ({
      path: `${mount}/${path}`,
      prepare: [],
      limits: [],
      join: true,
      inheritCpuset: hasCpuset(facts, mount),
      unified: mount === facts.v2,
    }))
}

/** eBPF, where the device controller is not v1's. */
export const deviceFilter = (resources: OciResources, facts: CgroupFacts): Uint8Array =>
  facts.v1.devices === undefined && facts.v2 !== undefined ? deviceProgram(resources.devices) : new Uint8Array()

export const memoryEvents = (path: string, facts: CgroupFacts): LaunchPlan['memoryEvents'] => {
  if (facts.v1.memory !== undefined) return { kind: 'v1', path: `${facts.v1.memory}/${path}` }
  if (facts.v2 !== undefined && facts.v2Controllers.includes('memory'))
    return { kind: 'v2', path: `${facts.v2}/${path}` }
  return { kind: 'none', path: '' }
}

/** Where a container sees its own groups: name of the hierarchy below /sys/fs/cgroup ('' = that itself) and host directory. */
export const cgroupView = (
  path: string,
  resources: Pick<OciResources, 'cpu'>,
  facts: CgroupFacts,
): { readonly name: string; readonly source: string }[] => {
  const v1 = [...v1Mounts(facts, withCpuset(V1_CONTROLLERS, ownsCpuset(resources)))].map(([mount]) => ({
    name: mount.slice(mount.lastIndexOf('/') + 1),
    source: `${mount}/${path}`,
  }))
  if (facts.v2 === undefined) return v1
  return [...v1, { name: v1.length === 0 ? '' : 'unified', source: `${facts.v2}/${path}` }]
}
