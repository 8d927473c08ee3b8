import type { Service } from '../compose/project.ts'
import type { Diagnostic } from '../errors.ts'
import { ALL_CAPABILITIES } from '../linux/capabilities.ts'
import { ociCapabilities } from './capabilities.ts'
import { checkFiles } from './files.ts'
import { logLimits } from './logging.ts'
import { checkMounts } from './mounts.ts'
import { checkNames, workingDirectory } from './process.ts'
import { reportTo } from './report.ts'
import { type HostDevices, ociResources } from './resources.ts'
import { securityOptions } from './security.ts'
import { ociSysctls } from './sysctls.ts'
import { stopOf } from './stop.ts'
import { rlimits } from './ulimits.ts'

/** What `createRuntimeSpec` would refuse in a service whatever its image: to be asked before anything is changed. */
export const checkService = (service: Service, devices: HostDevices): readonly Diagnostic[] => {
  const diagnostics: Diagnostic[] = []
  const report = reportTo(diagnostics)
  securityOptions(service, report)
  ociCapabilities(service, 0, ALL_CAPABILITIES, report)
  rlimits(service, report)
  ociResources(service, devices, report)
  workingDirectory(service, '', report)
  checkNames(service, report)
  stopOf(service, undefined, report)
  checkMounts(service, report)
  checkFiles(service, report)
  logLimits(service, report)
  ociSysctls(service, report)
  return diagnostics
}
