import type { Service } from '../compose/project.ts'
import { defaultProfile } from '../linux/seccomp-profile.ts'
import { capabilitySet } from '../linux/capabilities.ts'
import type { OciSeccomp } from '../oci/runtime-spec.ts'
import type { Report } from './report.ts'

export interface SecurityOptions {
  readonly noNewPrivileges: boolean
  readonly seccomp: 'default' | 'unconfined'
  /** Masked and read-only paths. */
  readonly systemPaths: 'default' | 'unconfined'
}

const DEFAULTS: SecurityOptions = { noNewPrivileges: false, seccomp: 'default', systemPaths: 'default' }

/** Each option as text, `=` and the older `:` alike, and what it changes. */
const OPTIONS: Readonly<Record<string, Partial<SecurityOptions>>> = {
  'no-new-privileges': { noNewPrivileges: true },
  'no-new-privileges=true': { noNewPrivileges: true },
  'no-new-privileges=false': { noNewPrivileges: false },
  'seccomp=unconfined': { seccomp: 'unconfined' },
  'seccomp=builtin': { seccomp: 'default' },
  'systempaths=unconfined': { systemPaths: 'unconfined' },
  // There is no profile to take away.
  'apparmor=unconfined': {},
  'label=disable': {},
}

/** security_opt, reduced to what it decides. */
export const securityOptions = (service: Service, report: Report): SecurityOptions => {
  let options = DEFAULTS
  for (const [index, text] of service.securityOpt.entries()) {
    const key = text.replace(':', '=')
    const change = Object.hasOwn(OPTIONS, key) ? OPTIONS[key] : undefined
    if (change) options = { ...options, ...change }
    else {
      report({
        code: 'ESECURITYOPT',
        path: ['services', service.name, 'security_opt', index],
        message: `security option '${text}' is not supported`,
        hint: `known are ${Object.keys(OPTIONS).join(', ')}`,
      })
    }
  }
  return options
}

/** Docker's: what shows or changes the whole machine. thermal_throttle counters leak activity (GHSA-6fw5-f8r9-fgfm). */
const MASKED = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
]
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/** One directory for each CPU there can be: those that do not exist are skipped. */
const throttlePaths = (cpus: number): string[] =>
  Array.from({ length: cpus }, (_, cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`)

export interface SystemPaths {
  readonly masked: readonly string[]
  readonly readOnly: readonly string[]
}

export const systemPaths = (service: Service, security: SecurityOptions, cpus: number): SystemPaths =>
  service.privileged || security.systemPaths === 'unconfined'
    ? { masked: [], readOnly: [] }
    : { masked: [...MASKED, ...throttlePaths(cpus)], readOnly: READ_ONLY }

/** undefined: no filter. `bounding`: names with CAP_. */
export const seccompProfile = (
  service: Service,
  security: SecurityOptions,
  bounding: readonly string[],
): OciSeccomp | undefined =>
  service.privileged || security.seccomp === 'unconfined' ? undefined : defaultProfile(capabilitySet(bounding))
