import type { HostFacts } from '../native/host-facts.ts'
import type { LaunchPlan } from '../native/launch-plan.ts'
import type { OciDevice, OciLinux, OciNamespace, RuntimeSpec } from '../oci/runtime-spec.ts'
import { propagationFlag } from '../linux/mount-flags.ts'
import { netdFilter } from '../linux/netd-filter.ts'
import type { Allocation } from './allocation.ts'
import { containerCgroups, deviceFilter, memoryEvents, monitorCgroups } from './cgroups.ts'
import { lowerHealth } from './health.ts'
import { lowerMounts } from './lower-mounts.ts'
import { knownMachine, lowerProcess } from './lower-process.ts'
import { lowerRestart } from './restart.ts'

/** CLONE_NEW*, linux/sched.h. The network namespace is the monitor's own and is not cloned. */
const CLONE: Readonly<Record<OciNamespace, bigint>> = {
  mount: 0x00020000n,
  cgroup: 0x02000000n,
  uts: 0x04000000n,
  ipc: 0x08000000n,
  user: 0x10000000n,
  pid: 0x20000000n,
  time: 0x80n,
  network: 0n,
}
const CLONE_NEWNET = 0x40000000n
/** S_IF*, stat(2). */
const FILE_TYPE = { c: 0o020000, b: 0o060000, p: 0o010000 } as const

const cloneFlags = (namespaces: OciLinux['namespaces']): bigint =>
  namespaces.reduce((flags, { type, path }) => (path === undefined ? flags | CLONE[type] : flags), 0n)

/** Only here has the network a flag: a joined namespace is entered, whichever it is. */
const joins = ({ joins }: Allocation): LaunchPlan['joins'] =>
  joins.map(({ container, controlSocket, namespaces }) => ({
    ...{ container, controlSocket },
    namespaces: namespaces.reduce((flags, type) => flags | (type === 'network' ? CLONE_NEWNET : CLONE[type]), 0n),
  }))

const device = (node: OciDevice): LaunchPlan['devices'][number] => ({
  path: node.path,
  type: FILE_TYPE[node.type],
  major: node.major,
  minor: node.minor,
  mode: node.fileMode,
  uid: node.uid,
  gid: node.gid,
})

const network = ({ caisson }: RuntimeSpec, allocation: Allocation, facts: HostFacts): LaunchPlan['network'] => {
  const { dns } = allocation.network
  const filter = dns.port === 0 ? dns.seccomp : netdFilter(knownMachine(facts.machine))
  return {
    ...allocation.network,
    dns: { ...dns, seccomp: filter },
    settings: caisson.networkSettings.map(({ path, value }) => ({ path: `net/${path}`, value })),
  }
}

const cgroups = ({ linux }: RuntimeSpec, allocation: Allocation, facts: HostFacts) => ({
  cgroups: containerCgroups(linux.cgroupsPath, linux.resources, facts.cgroup),
  monitorCgroups: monitorCgroups(`${allocation.cgroupParent}/${allocation.project}/monitors`, facts.cgroup),
  deviceFilter: deviceFilter(linux.resources, facts.cgroup),
  memoryEvents: memoryEvents(linux.cgroupsPath, facts.cgroup),
})

/** RuntimeSpec → LaunchPlan: names become numbers, filters become bytes, cgroup limits become files of this host. Pure. */
export const lower = (spec: RuntimeSpec, allocation: Allocation, facts: HostFacts): LaunchPlan => {
  const { caisson, linux } = spec
  const { mounts, symlinks, readonlyPaths } = lowerMounts(spec, facts.cgroup)
  return {
    id: caisson.id,
    name: caisson.name,
    journalAttributes: JSON.stringify(allocation.journalAttributes),
    journal: allocation.paths.journal,
    cloneFlags: cloneFlags(linux.namespaces),
    joins: joins(allocation),
    hostname: spec.hostname,
    domainname: spec.domainname ?? '',
    lower: allocation.layers,
    upper: allocation.paths.upper,
    work: allocation.paths.work,
    readOnlyRoot: spec.root.readonly,
    rootPropagation: linux.rootfsPropagation === 'rprivate' ? 0n : propagationFlag(linux.rootfsPropagation),
    mounts,
    devices: linux.devices.map(device),
    symlinks,
    maskedPaths: linux.maskedPaths,
    readonlyPaths,
    sysctls: Object.entries(linux.sysctl).map(([path, value]) => ({ path, value })),
    process: lowerProcess(spec, facts.machine),
    init: caisson.init,
    openStdin: caisson.openStdin,
    ...cgroups(spec, allocation, facts),
    network: network(spec, allocation, facts),
    logMaxBytes: BigInt(caisson.log.maxBytes),
    logMaxFiles: caisson.log.maxFiles,
    stopSignal: caisson.stop.signal,
    stopGraceMs: caisson.stop.graceMs,
    autoRemove: allocation.autoRemove === true,
    restart: lowerRestart(spec),
    health: lowerHealth(caisson.health, facts.machine),
  }
}
