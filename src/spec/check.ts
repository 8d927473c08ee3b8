import type { Service } from '../compose/project.ts'
import type { Diagnostic } from '../errors.ts'
import { ALL_CAPABILITIES } from '../linux/capabilities.ts'
import { ociCapabilities } from './capabilities.ts'
import { checkMounts } from './mounts.ts'
import { checkNames, workingDirectory } from './process.ts'
import { reportTo } from './report.ts'
import { ociResources } from './resources.ts'
import { securityOptions } from './security.ts'
import { stopOf } from './stop.ts'
import { rlimits } from './ulimits.ts'

/** What `createRuntimeSpec` would refuse in a service whatever its image: to be asked before anything is changed. */
export const checkService = (service: Service): readonly Diagnostic[] => {
  const diagnostics: Diagnostic[] = []
  const report = reportTo(diagnostics)
  securityOptions(service, report)
  ociCapabilities(service, 0, ALL_CAPABILITIES, report)
  rlimits(service, report)
  ociResources(service, report)
  workingDirectory(service, '', report)
  checkNames(service, report)
  stopOf(service, undefined, report)
  checkMounts(service, report)
  return diagnostics
}
