/** `logging`: how much of its output a container keeps. */
import type { Service } from '../compose/project.ts'
import type { Extension } from '../oci/runtime-spec.ts'
import { parseBytes } from '../units/bytes.ts'
import type { Report } from './report.ts'

const DEFAULT = { maxBytes: 20 * 1024 * 1024, maxFiles: 5 }
/** A smaller segment would be spent on its own bookkeeping. */
const MIN_BYTES = 4096
const MAX_FILES = 10_000

const parseSize = (text: string): number | undefined => {
  const bytes = parseBytes(text)
  if (bytes === -1) return 0
  return bytes === undefined || bytes <= 0 ? undefined : Math.max(bytes, MIN_BYTES)
}

const parseCount = (text: string): number | undefined =>
  /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_FILES ? Number(text) : undefined

/**
 * Size and number of the segments. Without `max-size` they are bounded, unlike Docker's json-file: a log must not fill the
 * disk. With it and without `max-file` there is one, as there.
 */
export const logLimits = (service: Service, report: Report): Extension['log'] => {
  const { driver = 'json-file', options = {} } = service.logging ?? {}
  if (driver === 'none') return { maxBytes: 0, maxFiles: 0 }
  const size = options['max-size']
  const count = options['max-file']
  const maxBytes = size === undefined ? DEFAULT.maxBytes : parseSize(size)
  const single = size !== undefined && driver === 'json-file' ? 1 : DEFAULT.maxFiles
  const maxFiles = count === undefined ? single : parseCount(count)
  const tell = (option: string, value: string | undefined, what: string) =>
    report({
      code: 'ELOGGING',
      path: ['services', service.name, 'logging', 'options', option],
      message: `service ${service.name}: ${option} '${value}' of its log is not ${what}`,
    })
  if (maxBytes === undefined) tell('max-size', size, 'a size such as 10m, or -1')
  if (maxFiles === undefined) tell('max-file', count, `a number from 1 to ${MAX_FILES}`)
  return { maxBytes: maxBytes ?? DEFAULT.maxBytes, maxFiles: maxFiles ?? DEFAULT.maxFiles }
}
