/** What this machine cannot do of what a service asks for, each with its place: warnings where the rest works without. */
import type { Service } from '../compose/project.ts'
import type { Diagnostic, TreePath } from '../errors.ts'
import type { CgroupFacts, HostFacts } from '../native/host-facts.ts'
import { cpusOf } from './resources.ts'

type Severity = Diagnostic['severity']
/** undefined: it is fine. */
type Check = (service: Service, facts: HostFacts) => readonly (Diagnostic | undefined)[]

const finding = (service: Service, severity: Severity, rest: TreePath, message: string): Diagnostic => ({
  ...{ code: 'support/host', severity, path: ['services', service.name, ...rest] },
  message: `service ${service.name}: ${message}`,
})

const noEffect = (service: Service, key: string, why: string): Diagnostic =>
  finding(service, 'warning', [key], `${key} has no effect: ${why}`)

const hasController = ({ v1, v2Controllers }: CgroupFacts, one: string, other = one): boolean =>
  v1[one] !== undefined || v2Controllers.includes(other)

/** Which controller each limit needs; v1 and v2 name but one of them differently. */
const controllers: Check = (service, { cgroup }) => {
  const { memLimitBytes, cpus, pidsLimit, resources } = service
  const wants: readonly (readonly [string, boolean, string, string?])[] = [
    ['mem_limit', Boolean(memLimitBytes), 'memory'],
    ['mem_reservation', resources.memReservationBytes !== undefined, 'memory'],
    ['cpus', Boolean(cpus), 'cpu'],
    ['cpu_shares', resources.cpuShares !== undefined, 'cpu'],
    ['cpu_quota', resources.cpuQuotaUs !== undefined, 'cpu'],
    ['cpuset', resources.cpuset !== undefined, 'cpuset'],
    ['pids_limit', pidsLimit !== undefined && pidsLimit > 0, 'pids'],
    ['blkio_config', resources.blkio !== undefined, 'blkio', 'io'],
  ]
  return wants.map(([key, wanted, one, other]) =>
    wanted && !hasController(cgroup, one, other)
      ? noEffect(service, key, `there is no ${one} controller for control groups here`)
      : undefined,
  )
}

const memory: Check = (service, { cgroup }) => {
  const { memswapLimitBytes, memSwappiness, oomKillDisable } = service.resources
  const onlyV2 = cgroup.v1.memory === undefined
  return [
    memswapLimitBytes !== undefined && !cgroup.swap
      ? noEffect(service, 'memswap_limit', 'the kernel does not count swap (swapaccount=1 turns it on)')
      : undefined,
    memSwappiness !== undefined && onlyV2
      ? noEffect(service, 'mem_swappiness', 'control groups of version 2 have no swappiness')
      : undefined,
    oomKillDisable && onlyV2
      ? noEffect(service, 'oom_kill_disable', 'in control groups of version 2 it cannot be turned off')
      : undefined,
  ]
}

const realtime: Check = (service, { cgroup }) => {
  const { cpuRealtimePeriodUs, cpuRealtimeRuntimeUs } = service.resources
  const key = cpuRealtimeRuntimeUs === undefined ? 'cpu_rt_period' : 'cpu_rt_runtime'
  const wanted = cpuRealtimePeriodUs !== undefined || cpuRealtimeRuntimeUs !== undefined
  if (!wanted || cgroup.realtime) return []
  const why = 'the kernel has no realtime scheduling for control groups (CONFIG_RT_GROUP_SCHED, version 1)'
  return [finding(service, 'error', [key], `${key} cannot be had: ${why}`)]
}

const cpuset: Check = (service, { onlineCpus }) => {
  const wanted = cpusOf(service.resources.cpuset ?? '')
  const online = cpusOf(onlineCpus)
  const missing = online && wanted && [...wanted].filter((cpu) => !online.has(cpu))
  if (!missing?.length) return []
  return [finding(service, 'error', ['cpuset'], `CPU ${missing.join(', ')} is not there: CPUs ${onlineCpus} are`)]
}

const weights: Check = (service, { cgroup }) => {
  const { blkio } = service.resources
  const weighed = blkio !== undefined && (blkio.weight !== undefined || blkio.deviceWeights.length > 0)
  if (!weighed || cgroup.ioWeight !== undefined) return []
  const why = 'neither the BFQ scheduler nor the I/O cost controller is there'
  return [finding(service, 'warning', ['blkio_config'], `weights of blkio_config have no effect: ${why}`)]
}

/** Names that Docker gives to machines. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  ...{ x86_64: 'amd64', amd64: 'amd64', 'x86-64': 'amd64' },
  ...{ aarch64: 'arm64', arm64: 'arm64' },
}

const platform: Check = (service, { machine }) => {
  if (service.platform === undefined) return []
  const [os, architecture = machine] = service.platform.toLowerCase().split('/')
  const own = ARCHITECTURES[machine] ?? machine
  if (os === 'linux' && (ARCHITECTURES[architecture] ?? architecture) === own) return []
  return [finding(service, 'error', ['platform'], `platform ${service.platform} cannot run here: this is linux/${own}`)]
}

const CHECKS: readonly Check[] = [controllers, memory, realtime, cpuset, weights, platform]

export const checkHost = (service: Service, facts: HostFacts): readonly Diagnostic[] =>
  CHECKS.flatMap((check) => check(service, facts)).filter((found) => found !== undefined)
