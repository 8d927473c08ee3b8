/** Where in the Compose file a value stands that the kernel refused: what it said becomes a finding at that place. */
import type { Service } from '../compose/project.ts'
import { type Diagnostic, ProjectError, type SystemError, type TreePath } from '../errors.ts'
import type { LaunchPlan } from '../native/launch-plan.ts'
import { normalPath } from '../spec/path.ts'
import { sysctlPath } from '../spec/sysctls.ts'

/** Key of the service by the file of a control group that its value went to, v1 and v2. */
const KEYS: readonly (readonly [RegExp, string])[] = [
  [/\/memory\.(limit_in_bytes|max)$/, 'mem_limit'],
  [/\/memory\.(memsw\.limit_in_bytes|swap\.max)$/, 'memswap_limit'],
  [/\/memory\.(soft_limit_in_bytes|low)$/, 'mem_reservation'],
  [/\/memory\.swappiness$/, 'mem_swappiness'],
  [/\/memory\.oom_control$/, 'oom_kill_disable'],
  [/\/cpu\.(shares|weight)$/, 'cpu_shares'],
  [/\/cpu\.rt_runtime_us$/, 'cpu_rt_runtime'],
  [/\/cpu\.rt_period_us$/, 'cpu_rt_period'],
  [/\/cpu\.(cfs_quota_us|cfs_period_us|max)$/, 'cpu_quota'],
  [/\/cpuset\.cpus$/, 'cpuset'],
  [/\/pids\.max$/, 'pids_limit'],
  [/\/(blkio\.(throttle|bfq)[^/]*|io\.(max|weight|bfq\.weight))$/, 'blkio_config'],
]

/** The first key that the service has, of those that can have set the value. */
const WRITTEN_AS: Readonly<Record<string, (service: Service) => string>> = {
  cpu_quota: ({ cpus, resources }) => (cpus ? 'cpus' : resources.cpuQuotaUs === undefined ? 'cpu_period' : 'cpu_quota'),
}

const cgroupKey = (path: string, service: Service): TreePath | undefined => {
  const key = KEYS.find(([pattern]) => pattern.test(path))?.[1]
  return key === undefined ? undefined : [WRITTEN_AS[key]?.(service) ?? key]
}

const sysctlKey = (plan: LaunchPlan, index: number, service: Service): TreePath | undefined => {
  const path = plan.sysctls[index]?.path
  const name = Object.keys(service.sysctls).find((each) => sysctlPath(each) === path)
  return name === undefined ? undefined : ['sysctls', name]
}

/** A part of a volume or an image that is not there, or is not in it. */
const subpathOf = (
  { step, code, syscall }: SystemError,
  index: number,
  plan: LaunchPlan,
  service: Service,
): Diagnostic | undefined => {
  const target = plan.mounts[index]?.target
  if (step !== 'mounts' || syscall !== 'openat2' || !plan.mounts[index]?.subpath) return undefined
  const mount = service.volumes.find((each) => normalPath(each.target) === target)
  if (mount === undefined || !('subpath' in mount)) return undefined
  const { type, source = 'of its own', subpath, path } = mount
  const whys: Readonly<Record<string, string>> = { ENOENT: 'is not there', EXDEV: `leads out of the ${type}` }
  return {
    ...{ code: 'EMOUNT', severity: 'error', path: [...path, type, 'subpath'] },
    message: `service ${service.name}: subpath '${subpath}' of ${type} ${source} ${whys[code] ?? `cannot be opened: ${code}`}`,
  }
}

const placeOf = ({ step, path = '' }: SystemError, index: number, plan: LaunchPlan, service: Service) => {
  if (step === 'cgroup') return cgroupKey(path, service)
  if (step === 'sysctl') return sysctlKey(plan, index, service)
  return step === 'limits' && path === '/proc/self/oom_score_adj' ? ['oom_score_adj'] : undefined
}

/** The error as a finding where it has a place; otherwise as it is. */
export const refusalOf = (
  error: SystemError,
  { index, plan, service }: { readonly index: number; readonly plan: LaunchPlan; readonly service: Service },
): Error => {
  const subpath = subpathOf(error, index, plan, service)
  if (subpath !== undefined) return new ProjectError([subpath])
  const place = placeOf(error, index, plan, service)
  if (place === undefined) return error
  const path = ['services', service.name, ...place]
  const message = `service ${service.name}: the kernel refuses ${place.join(' ')}: ${error.message}`
  const diagnostic: Diagnostic = { code: 'EREFUSED', severity: 'error', path, message }
  return new ProjectError([diagnostic])
}
