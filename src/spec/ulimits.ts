import type { Service } from '../compose/project.ts'
import { RLIMIT_NAMES, rlimitNumber } from '../linux/rlimits.ts'
import type { OciRlimit } from '../oci/runtime-spec.ts'
import { didYouMean } from '../units/suggest.ts'
import type { Report } from './report.ts'

/** Unlimited is -1, and more than any number. */
const exceeds = (soft: number, hard: number): boolean => hard !== -1 && (soft === -1 || soft > hard)

export const rlimits = (service: Service, report: Report): OciRlimit[] =>
  Object.entries(service.ulimits).flatMap(([name, { soft, hard }]) => {
    const path = ['services', service.name, 'ulimits', name]
    if (rlimitNumber(name) === undefined) {
      report({
        code: 'EULIMIT',
        path,
        message: `there is no limit '${name}'`,
        hint: didYouMean(name, RLIMIT_NAMES) ?? `limits are ${RLIMIT_NAMES.join(', ')}`,
      })
      return []
    }
    if (exceeds(soft, hard)) {
      report({ code: 'EULIMIT', path, message: `soft limit ${soft} of '${name}' is above its hard limit ${hard}` })
      return []
    }
    return [{ type: `RLIMIT_${name.toUpperCase()}`, soft, hard }]
  })
