/** Resources as files of a cgroup: the same limits in the words of v1 and of v2 (cgroups of the kernel`s admin guide). */
import { deviceLines } from '../linux/device-filter.ts'
import type { CgroupFacts } from '../native/host-facts.ts'
import type { CgroupPlan } from '../native/launch-plan.ts'
import type { OciBlockIo, OciCpu, OciMemory, OciResources, OciThrottle } from '../oci/runtime-spec.ts'

type Setting = CgroupPlan['limits'][number]

const set = (path: string, value: number | string | undefined): Setting[] =>
  value === undefined ? [] : [{ path, value: String(value) }]

/** The memory limit goes before memory and swap together, which may never be less. */
const v1Memory = (memory: OciMemory, facts: CgroupFacts): Setting[] => [
  ...set('memory.limit_in_bytes', memory.limit),
  ...(facts.swap ? set('memory.memsw.limit_in_bytes', memory.swap) : []),
  ...set('memory.soft_limit_in_bytes', memory.reservation),
  ...set('memory.swappiness', memory.swappiness),
  ...set('memory.oom_control', memory.disableOOMKiller ? 1 : undefined),
]

const v1Cpu = (cpu: OciCpu): Setting[] => [
  ...set('cpu.shares', cpu.shares),
  ...set('cpu.rt_period_us', cpu.realtimePeriod),
  ...set('cpu.rt_runtime_us', cpu.realtimeRuntime),
  ...set('cpu.cfs_period_us', cpu.period),
  ...set('cpu.cfs_quota_us', cpu.quota),
]

const throttleLines = (path: string, throttles: readonly OciThrottle[]): Setting[] =>
  throttles.map(({ major, minor, rate }) => ({ path, value: `${major}:${minor} ${rate}` }))

const v1BlockIo = (io: OciBlockIo, facts: CgroupFacts): Setting[] => [
  ...(facts.ioWeight === 'bfq' ? bfqWeights('blkio.bfq', io) : []),
  ...throttleLines('blkio.throttle.read_bps_device', io.throttleReadBpsDevice),
  ...throttleLines('blkio.throttle.write_bps_device', io.throttleWriteBpsDevice),
  ...throttleLines('blkio.throttle.read_iops_device', io.throttleReadIOPSDevice),
  ...throttleLines('blkio.throttle.write_iops_device', io.throttleWriteIOPSDevice),
]

/** BFQ takes the weights of v1 as they are, in both versions. */
const bfqWeights = (prefix: string, { weight, weightDevice }: OciBlockIo): Setting[] => [
  ...set(`${prefix}.weight`, weight),
  ...weightDevice.map((each) => ({
    path: `${prefix}.weight${prefix.startsWith('blkio') ? '_device' : ''}`,
    value: `${each.major}:${each.minor} ${each.weight}`,
  })),
]

/** What goes into one v1 controller`s files. */
export const v1Limits = (controller: string, resources: OciResources, facts: CgroupFacts): Setting[] => {
  const { memory, cpu, pids, devices, blockIO } = resources
  switch (controller) {
    case 'memory':
      return memory === undefined ? [] : v1Memory(memory, facts)
    case 'cpu':
      return cpu === undefined ? [] : v1Cpu(cpu)
    case 'cpuset':
      return set('cpuset.cpus', cpu?.cpus)
    case 'pids':
      return set('pids.max', pids?.limit)
    case 'blkio':
      return blockIO === undefined ? [] : v1BlockIo(blockIO, facts)
    case 'devices':
      return deviceLines(devices).map(({ file, line }) => ({ path: file, value: line }))
    default:
      return []
  }
}

/** All that the kernel gives to realtime by default, of each second: the groups above must have what those below get. */
const REALTIME = { period: 1_000_000, runtime: 950_000 }

/** Realtime for the levels above a v1 group; that of the hierarchy`s root has it. */
export const realtimeAbove = (mount: string, levels: readonly string[], { cpu }: OciResources): Setting[] =>
  cpu?.realtimeRuntime === undefined
    ? []
    : levels
        .filter((level) => level !== '')
        .flatMap((level) => [
          ...set(`${mount}/${level}/cpu.rt_period_us`, REALTIME.period),
          ...set(`${mount}/${level}/cpu.rt_runtime_us`, REALTIME.runtime),
        ])

/** v2 counts swap by itself. */
const swapOnly = ({ limit = 0, swap }: OciMemory): number | string | undefined =>
  swap === undefined ? undefined : swap < 0 ? 'max' : swap - limit

/**
 * cpu.weight (1..10000, usual 100) of cpu.shares (2..262144, usual 1024): the curve of the runc of today, which, unlike a
 * straight line, leaves the usual value the usual one.
 */
const weightOfShares = (shares: number): number => {
  if (shares <= 2) return 1
  if (shares >= 262_144) return 10_000
  const log = Math.log2(shares)
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34))
}

const v2Cpu = ({ shares, quota, period }: OciCpu): Setting[] => {
  const limited = quota !== undefined || period !== undefined
  const time = quota === undefined || quota < 0 ? 'max' : String(quota)
  return [
    ...set('cpu.weight', shares === undefined || shares === 0 ? undefined : weightOfShares(shares)),
    ...set('cpu.max', limited ? `${time} ${period ?? 100_000}` : undefined),
  ]
}

/** io.weight (1..10000, usual 100) of a weight of 10..1000. */
const ioWeight = (weight: number): number => Math.trunc(1 + ((weight - 10) * 9999) / 990)

const v2Weights = (io: OciBlockIo, facts: CgroupFacts): Setting[] => {
  if (facts.ioWeight === 'bfq') return bfqWeights('io.bfq', io)
  if (facts.ioWeight === undefined) return []
  const devices = io.weightDevice.map(({ major, minor, weight }) => ({
    path: 'io.weight',
    value: `${major}:${minor} ${ioWeight(weight)}`,
  }))
  return [...set('io.weight', io.weight === undefined ? undefined : ioWeight(io.weight)), ...devices]
}

const v2BlockIo = (io: OciBlockIo, facts: CgroupFacts): Setting[] => {
  const max = (name: string, throttles: readonly OciThrottle[]): Setting[] =>
    throttles.map(({ major, minor, rate }) => ({ path: 'io.max', value: `${major}:${minor} ${name}=${rate}` }))
  return [
    ...v2Weights(io, facts),
    ...max('rbps', io.throttleReadBpsDevice),
    ...max('wbps', io.throttleWriteBpsDevice),
    ...max('riops', io.throttleReadIOPSDevice),
    ...max('wiops', io.throttleWriteIOPSDevice),
  ]
}

const v2Memory = (memory: OciMemory, facts: CgroupFacts): Setting[] => [
  ...set('memory.max', memory.limit),
  ...(facts.swap ? set('memory.swap.max', swapOnly(memory)) : []),
  ...set('memory.low', memory.reservation),
]

/** What goes into the files of the v2 group, for the controllers that the host has. */
export const v2Limits = (resources: OciResources, facts: CgroupFacts): Setting[] => {
  const { memory, cpu, pids, blockIO } = resources
  const has = (controller: string): boolean => facts.v2Controllers.includes(controller)
  return [
    ...(has('memory') && memory ? v2Memory(memory, facts) : []),
    ...(has('cpu') && cpu ? v2Cpu(cpu) : []),
    ...(has('cpuset') ? set('cpuset.cpus', cpu?.cpus) : []),
    ...(has('pids') ? set('pids.max', pids?.limit) : []),
    ...(has('io') && blockIO ? v2BlockIo(blockIO, facts) : []),
  ]
}
