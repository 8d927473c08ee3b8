/** Limits as the runtime specification names them, with the checks that need no host. */
import type { BlockRate, Service } from '../compose/project.ts'
import type { TreePath } from '../errors.ts'
import { ALL_DEVICES, DEFAULT_DEVICE_RULES } from '../linux/device-filter.ts'
import type { OciBlockIo, OciCpu, OciDevice, OciMemory, OciResources, OciThrottle } from '../oci/runtime-spec.ts'
import { deviceRules } from './device-rules.ts'
import type { SpecCode } from './codes.ts'
import type { Report } from './report.ts'

const CPU_PERIOD_US = 100_000
/** The kernel refuses a shorter quota or period, and a longer period than the second. */
const MIN_QUOTA_US = 1000
const MAX_PERIOD_US = 1_000_000
/** Docker's: a process cannot start with less. */
const MIN_MEMORY_BYTES = 6 * 1024 * 1024
const SHARES_PER_CPU = 1024

/** Nodes by the path that the service names: Allocation.hostDevices. */
export type HostDevices = Readonly<Record<string, readonly OciDevice[]>>

interface Finding {
  readonly code: SpecCode
  readonly key: string
  readonly message: string
}

const reporter =
  ({ name }: Service, report: Report) =>
  ({ code, key, message }: Finding): void =>
    report({ code, path: ['services', name, key], message: `service ${name}: ${message}` })

type Tell = ReturnType<typeof reporter>

const outside = (value: number | undefined, least: number, most: number): boolean =>
  value !== undefined && (value < least || value > most)

const cpuQuota = (cpus: number, tell: Tell): number => {
  const quota = Math.round(cpus * CPU_PERIOD_US)
  const least = MIN_QUOTA_US / CPU_PERIOD_US
  const message = `${cpus} CPUs are fewer than the least that can be given, ${least}`
  if (quota < MIN_QUOTA_US) tell({ code: 'ECPUS', key: 'cpus', message })
  return quota
}

const checkCpu = ({ cpus, resources }: Service, tell: Tell): void => {
  const { cpuPeriodUs, cpuQuotaUs, cpuShares, cpuset } = resources
  const given = cpuQuotaUs === undefined ? 'cpu_period' : 'cpu_quota'
  if (cpus && (cpuPeriodUs !== undefined || cpuQuotaUs !== undefined)) {
    tell({ code: 'ECPUS', key: given, message: `cpus and ${given} cannot both be set: each is a limit of CPU time` })
  }
  if (outside(cpuPeriodUs, MIN_QUOTA_US, MAX_PERIOD_US)) {
    const message = `cpu_period ${cpuPeriodUs} is not in the range ${MIN_QUOTA_US}-${MAX_PERIOD_US} (microseconds)`
    tell({ code: 'ECPUS', key: 'cpu_period', message })
  }
  if (cpuQuotaUs !== -1 && outside(cpuQuotaUs, MIN_QUOTA_US, Number.MAX_SAFE_INTEGER)) {
    tell({ code: 'ECPUS', key: 'cpu_quota', message: `cpu_quota ${cpuQuotaUs} is less than ${MIN_QUOTA_US} µs` })
  }
  if (outside(cpuShares, 0, Number.MAX_SAFE_INTEGER)) {
    tell({ code: 'ECPUS', key: 'cpu_shares', message: `cpu_shares ${cpuShares} is negative` })
  }
  if (cpuset !== undefined && cpusOf(cpuset) === undefined) {
    tell({ code: 'ECPUS', key: 'cpuset', message: `cpuset '${cpuset}' is not a list of CPUs such as 0-3,5` })
  }
}

/** Numbers of a list such as `0-3,5`; undefined: it is none. */
export const cpusOf = (list: string): ReadonlySet<number> | undefined => {
  const cpus = new Set<number>()
  for (const part of list.trim().split(',')) {
    const [, from, to = from] = /^\s*(\d{1,4})(?:-(\d{1,4}))?\s*$/.exec(part) ?? []
    if (from === undefined || Number(from) > Number(to)) return undefined
    for (let cpu = Number(from); cpu <= Number(to); cpu += 1) cpus.add(cpu)
  }
  return cpus
}

/** `cpus` of Compose is a quota; a reservation of CPUs is a share, as the least that each gets when all want more. */
const ociCpu = (service: Service, tell: Tell): OciCpu => {
  const { cpus, resources } = service
  checkCpu(service, tell)
  const quota = cpus ? cpuQuota(cpus, tell) : resources.cpuQuotaUs
  const period = cpus ? CPU_PERIOD_US : resources.cpuPeriodUs
  const reserved = resources.reservedCpus
  const shares = resources.cpuShares ?? (reserved ? Math.max(2, Math.round(reserved * SHARES_PER_CPU)) : undefined)
  return withoutAbsent<OciCpu>({
    shares,
    quota,
    period,
    realtimePeriod: resources.cpuRealtimePeriodUs,
    realtimeRuntime: resources.cpuRealtimeRuntimeUs,
    cpus: resources.cpuset,
  })
}

const checkMemory = ({ memLimitBytes: limit, resources }: Service, tell: Tell): void => {
  const { memReservationBytes: reservation, memswapLimitBytes: swap, memSwappiness: swappiness } = resources
  const code = 'EMEMORY'
  if (limit && limit < MIN_MEMORY_BYTES) {
    tell({ code, key: 'mem_limit', message: `mem_limit ${limit} is less than the least that can be given, 6m` })
  }
  if (limit && reservation && reservation > limit) {
    tell({ code, key: 'mem_reservation', message: `mem_reservation ${reservation} is more than mem_limit ${limit}` })
  }
  if (swap && swap > 0 && !limit) {
    tell({ code, key: 'memswap_limit', message: 'memswap_limit needs a mem_limit: it is the sum of memory and swap' })
  }
  if (swap && swap > 0 && limit && swap < limit) {
    tell({ code, key: 'memswap_limit', message: `memswap_limit ${swap} is less than mem_limit ${limit}` })
  }
  if (outside(swappiness, 0, 100)) {
    tell({ code, key: 'mem_swappiness', message: `mem_swappiness ${swappiness} is not in the range 0-100` })
  }
}

/** Without memswap_limit as much swap as memory may be used, as in Docker. */
const ociMemory = (service: Service, tell: Tell): OciMemory => {
  const { memLimitBytes: limit, resources } = service
  checkMemory(service, tell)
  return withoutAbsent<OciMemory>({
    limit: limit || undefined,
    reservation: resources.memReservationBytes,
    swap: resources.memswapLimitBytes ?? (limit ? 2 * limit : undefined),
    swappiness: resources.memSwappiness,
    disableOOMKiller: resources.oomKillDisable,
  })
}

interface Located {
  readonly service: Service
  readonly devices: HostDevices
  readonly report: Report
}

/** Number of the block device at `path`; reports what is none. */
const blockDevice = ({ service, devices, report }: Located, path: string, place: TreePath) => {
  const node = devices[path]?.find((each) => each.path === path)
  if (node?.type === 'b') return [{ major: node.major, minor: node.minor }]
  report({
    code: 'EDEVICE',
    path: ['services', service.name, 'blkio_config', ...place],
    message: `service ${service.name}: ${path} is ${node === undefined ? 'not there' : 'not a block device'}`,
  })
  return []
}

const throttle = (located: Located, key: string, rates: readonly BlockRate[]): OciThrottle[] =>
  rates.flatMap(({ device, rate }, index) =>
    blockDevice(located, device, [key, index, 'path']).map((node) => ({ ...node, rate })),
  )

const MIN_WEIGHT = 10
const MAX_WEIGHT = 1000

const ociBlockIo = (located: Located, tell: Tell): OciBlockIo | undefined => {
  const { blkio } = located.service.resources
  if (blkio === undefined) return undefined
  for (const weight of [blkio.weight, ...blkio.deviceWeights.map((each) => each.weight)]) {
    if (!outside(weight, MIN_WEIGHT, MAX_WEIGHT)) continue
    const message = `weight ${weight} of block I/O is not in the range ${MIN_WEIGHT}-${MAX_WEIGHT}`
    tell({ code: 'EBLKIO', key: 'blkio_config', message })
  }
  return {
    ...(blkio.weight === undefined ? {} : { weight: blkio.weight }),
    weightDevice: blkio.deviceWeights.flatMap(({ device, weight }, index) =>
      blockDevice(located, device, ['weight_device', index, 'path']).map((node) => ({ ...node, weight })),
    ),
    throttleReadBpsDevice: throttle(located, 'device_read_bps', blkio.readBytes),
    throttleWriteBpsDevice: throttle(located, 'device_write_bps', blkio.writeBytes),
    throttleReadIOPSDevice: throttle(located, 'device_read_iops', blkio.readOperations),
    throttleWriteIOPSDevice: throttle(located, 'device_write_iops', blkio.writeOperations),
  }
}

const withoutAbsent = <T extends object>(values: { readonly [Key in keyof T]: T[Key] | undefined }): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T

/** undefined where nothing is set. */
const some = <T extends object>(value: T): T | undefined => (Object.keys(value).length === 0 ? undefined : value)

/** Whether the process goes into groups of the cpuset hierarchy of its own. */
export const hasCpuset = ({ resources }: Service): boolean => resources.cpuset !== undefined

export const ociResources = (service: Service, devices: HostDevices, report: Report): OciResources => {
  const tell = reporter(service, report)
  const limited = service.pidsLimit !== undefined && service.pidsLimit > 0
  const base = service.privileged ? ALL_DEVICES : DEFAULT_DEVICE_RULES
  return {
    devices: [...base, ...deviceRules(service, devices, report)],
    ...withoutAbsent<Omit<OciResources, 'devices'>>({
      memory: some(ociMemory(service, tell)),
      cpu: some(ociCpu(service, tell)),
      pids: limited ? { limit: service.pidsLimit ?? 0 } : undefined,
      blockIO: ociBlockIo({ service, devices, report }, tell),
    }),
  }
}
