import type { Service } from '../compose/project.ts'
import { ALL_DEVICES, DEFAULT_DEVICE_RULES } from '../linux/device-filter.ts'
import type { OciResources } from '../oci/runtime-spec.ts'
import type { Report } from './report.ts'

const CPU_PERIOD_US = 100_000
/** The kernel refuses a shorter quota. */
const MIN_QUOTA_US = 1000

const cpuQuota = (service: Service, cpus: number, report: Report): number => {
  const quota = Math.round(cpus * CPU_PERIOD_US)
  if (quota < MIN_QUOTA_US) {
    report({
      code: 'ECPUS',
      path: ['services', service.name, 'cpus'],
      message: `${cpus} CPUs are fewer than the least that can be given, ${MIN_QUOTA_US / CPU_PERIOD_US}`,
    })
  }
  return quota
}

/** Limits as the specification names them. Without memswap_limit as much swap as memory may be used, as in Docker. */
export const ociResources = (service: Service, report: Report): OciResources => {
  const memory = service.memLimitBytes
  return {
    devices: service.privileged ? ALL_DEVICES : DEFAULT_DEVICE_RULES,
    ...(memory ? { memory: { limit: memory, swap: 2 * memory } } : {}),
    ...(service.cpus ? { cpu: { quota: cpuQuota(service, service.cpus, report), period: CPU_PERIOD_US } } : {}),
    ...(service.pidsLimit !== undefined && service.pidsLimit > 0 ? { pids: { limit: service.pidsLimit } } : {}),
  }
}
