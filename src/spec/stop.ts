import type { Service } from '../compose/project.ts'
import type { Extension } from '../oci/runtime-spec.ts'
import { SIGNAL_NAMES, parseSignal } from '../units/signals.ts'
import { didYouMean } from '../units/suggest.ts'
import type { Report } from './report.ts'

const GRACE_MS = 10_000
/** The plan holds 32 bits: seven weeks. */
const MAX_GRACE_MS = 2 ** 32 - 1
const SIGTERM = 15

/** How the container is asked to stop, and how long it may take before SIGKILL. */
export const stopOf = (service: Service, ofImage: string | undefined, report: Report): Extension['stop'] => {
  const text = service.stopSignal ?? ofImage ?? 'SIGTERM'
  const signal = parseSignal(text)
  if (signal === undefined) {
    const path = ['services', service.name, service.stopSignal === undefined ? 'image' : 'stop_signal']
    const hint = didYouMean(text, SIGNAL_NAMES) ?? 'write a name such as SIGTERM, or a number'
    report({ code: 'ESIGNAL', path, message: `there is no signal '${text}'`, hint })
  }
  return { signal: signal ?? SIGTERM, graceMs: Math.min(Math.ceil(service.stopGraceMs ?? GRACE_MS), MAX_GRACE_MS) }
}
