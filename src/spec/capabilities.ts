import type { Service } from '../compose/project.ts'
import { ALL_CAPABILITIES, adjustCapabilities, capabilityNames, isCapability } from '../linux/capabilities.ts'
import type { OciCapabilities } from '../oci/runtime-spec.ts'
import { didYouMean } from '../units/suggest.ts'
import type { Report } from './report.ts'

const reportUnknown = (service: Service, key: 'cap_add' | 'cap_drop', names: readonly string[], report: Report) => {
  for (const [index, name] of names.entries()) {
    if (isCapability(name)) continue
    report({
      code: 'ECAPABILITY',
      path: ['services', service.name, key, index],
      message: `there is no capability '${name}'`,
      hint:
        didYouMean(
          name.replace(/^CAP_/i, ''),
          capabilityNames(ALL_CAPABILITIES).map((known) => known.slice(4)),
        ) ?? 'names are those of capabilities(7), with or without CAP_, or ALL',
    })
  }
}

/**
 * The sets of a service. Nothing goes beyond `available`, the caller's own bounding set: the kernel could not grant it.
 * Inheritable and ambient stay empty (CVE-2022-24769), and only root starts with permitted ones: what a capability is
 * worth to another user is decided by the files that it executes.
 */
export const ociCapabilities = (service: Service, uid: number, available: bigint, report: Report): OciCapabilities => {
  reportUnknown(service, 'cap_add', service.capAdd, report)
  reportUnknown(service, 'cap_drop', service.capDrop, report)
  const wanted = service.privileged ? ALL_CAPABILITIES : adjustCapabilities(service.capAdd, service.capDrop)
  const bounding = capabilityNames(wanted & available)
  const own = uid === 0 ? bounding : []
  return { bounding, effective: own, permitted: own, inheritable: [], ambient: [] }
}
