import type { Service } from '../compose/project.ts'
import { fitsKernel } from '../linux/seccomp.ts'
import { parseSeccompFile, type SeccompHost } from '../linux/seccomp-file.ts'
import { defaultProfile } from '../linux/seccomp-profile.ts'
import { isMachine } from '../linux/syscalls.ts'
import { capabilitySet } from '../linux/capabilities.ts'
import type { OciSeccomp } from '../oci/runtime-spec.ts'
import { didYouMean } from '../units/suggest.ts'
import type { Report } from './report.ts'

/** What of the host a profile may be about. */
type HostKind = Pick<SeccompHost, 'machine' | 'kernel'>

export interface SecurityOptions {
  readonly noNewPrivileges: boolean
  /** file: Service.seccompProfile. */
  readonly seccomp: 'default' | 'unconfined' | 'file'
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

const changeOf = (key: string): Partial<SecurityOptions> | undefined => {
  if (Object.hasOwn(OPTIONS, key)) return OPTIONS[key]
  if (key.startsWith('seccomp=') && key !== 'seccomp=') return { seccomp: 'file' }
  // Files keep their SELinux labels whatever these say: plan/support.ts warns.
  return key.startsWith('label=') ? {} : undefined
}

/** security_opt, reduced to what it decides. */
export const securityOptions = (service: Service, report: Report): SecurityOptions => {
  let options = DEFAULTS
  for (const [index, text] of service.securityOpt.entries()) {
    const change = changeOf(text.replace(':', '='))
    const path = ['services', service.name, 'security_opt', index]
    if (change) options = { ...options, ...change }
    else {
      report({
        code: 'ESECURITYOPT',
        path,
        message: `security option '${text}' is not supported`,
        hint: didYouMean(text, Object.keys(OPTIONS)) ?? `known are ${Object.keys(OPTIONS).join(', ')}, seccomp=FILE`,
      })
    }
    if (change?.seccomp === 'file' && service.seccompProfile === undefined) {
      report({ code: 'ESECCOMP', path, message: `seccomp profile ${text.slice('seccomp='.length)} does not exist` })
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

/** The profile of the file, or nothing and a finding at the option that names it. */
const profileOfFile = (service: Service, host: SeccompHost, report: Report): OciSeccomp | undefined => {
  if (service.seccompProfile === undefined) return undefined
  const parsed = parseSeccompFile(service.seccompProfile, host)
  const fits = 'profile' in parsed && (!isMachine(host.machine) || fitsKernel(parsed.profile, host.machine))
  if (fits) return parsed.profile
  const mistake = 'mistake' in parsed ? parsed.mistake : 'its rules are more than the kernel takes, 4096 instructions'
  const index = service.securityOpt.findLastIndex((text) => /^seccomp[=:]/.test(text))
  const path = ['services', service.name, 'security_opt', index]
  const file = service.securityOpt[index]?.slice('seccomp='.length) ?? ''
  report({ code: 'ESECCOMP', path, message: `seccomp profile ${file} cannot be used: ${mistake}` })
  return undefined
}

/** undefined: no filter. `bounding`: names with CAP_. */
export const seccompProfile = (
  service: Service,
  security: SecurityOptions,
  { bounding, facts, report }: { bounding: readonly string[]; facts: HostKind; report: Report },
): OciSeccomp | undefined => {
  if (service.privileged || security.seccomp === 'unconfined') return undefined
  const capabilities = capabilitySet(bounding)
  if (security.seccomp === 'default') return defaultProfile(capabilities)
  return profileOfFile(service, { ...facts, capabilities }, report)
}
