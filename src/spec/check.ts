import type { Service } from '../compose/project.ts'
import type { Diagnostic } from '../errors.ts'
import type { HostFacts } from '../native/host-facts.ts'
import { ociCapabilities } from './capabilities.ts'
import { checkGroup } from './cgroup-path.ts'
import { checkFiles } from './files.ts'
import { logLimits } from './logging.ts'
import { checkMounts } from './mounts.ts'
import { checkNames, workingDirectory } from './process.ts'
import { reportTo } from './report.ts'
import { type HostDevices, ociResources } from './resources.ts'
import { seccompProfile, securityOptions } from './security.ts'
import { ociSysctls } from './sysctls.ts'
import { stopOf } from './stop.ts'
import { rlimits } from './ulimits.ts'

export interface CheckInput {
  readonly facts: HostFacts
  /** As Allocation.hostDevices. */
  readonly devices: HostDevices
}

/** What `createRuntimeSpec` would refuse in a service whatever its image: to be asked before anything is changed. */
export const checkService = (service: Service, { facts, devices }: CheckInput): readonly Diagnostic[] => {
  const diagnostics: Diagnostic[] = []
  const report = reportTo(diagnostics)
  const security = securityOptions(service, report)
  const capabilities = ociCapabilities(service, 0, facts.boundingCapabilities, report)
  seccompProfile(service, security, { bounding: capabilities.bounding, facts, report })
  rlimits(service, report)
  ociResources(service, devices, report)
  workingDirectory(service, '', report)
  checkNames(service, report)
  stopOf(service, undefined, report)
  checkMounts(service, report)
  checkGroup(service, report)
  checkFiles(service, report)
  logLimits(service, report)
  ociSysctls(service, report)
  return diagnostics
}
