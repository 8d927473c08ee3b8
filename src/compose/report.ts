/** Where phases leave what they find. Collected, never thrown; one finding at one place is reported once. */
import type { Diagnostic, Severity, TreePath } from '../errors.ts'
import type { Code } from './codes.ts'
import type { Origin } from './project.ts'

export type Place = Pick<Origin, 'file' | 'start' | 'end'>

export interface Finding {
  readonly code: Code
  readonly path: TreePath
  readonly message: string
  readonly hint?: string | undefined
  /** Default: error. */
  readonly severity?: Severity
  readonly origin?: Place | undefined
  /** What in the value is wrong; it alone is marked where it is written once. */
  readonly part?: string | undefined
  /** The other half of what does not go together. */
  readonly related?: { readonly message: string; readonly origin: Place } | undefined
}

/** What makes a finding the same as another: an alias or `extends` brings one mistake to many services. */
const keyOf = ({ code, path, message, origin }: Finding): string => {
  // A variable that is not set is mostly not set in many places.
  if (code === 'variable-unset') return `${code} ${message}`
  const [section, name] = path
  const said = origin && section === 'services' ? message.replaceAll(`services.${name}`, 'services') : message
  return `${code} ${origin?.file}:${origin?.start} ${said}`
}

export class Report {
  readonly diagnostics: Diagnostic[] = []
  readonly #seen = new Set<string>()
  readonly #sources: ReadonlyMap<string, string>

  /** `sources`: texts of the files, by which a part of a value is found. */
  constructor(sources: ReadonlyMap<string, string> = new Map()) {
    this.#sources = sources
  }

  add(finding: Finding): void {
    const { code, path, message, origin, hint, related } = finding
    const key = keyOf(finding)
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    const at = origin && this.#narrow(origin, finding.part)
    this.diagnostics.push({
      code,
      severity: finding.severity ?? 'error',
      path: [...path],
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(at ? { at } : {}),
      ...(related ? { related: { message: related.message, at: placeOf(related.origin) } } : {}),
    })
  }

  #narrow(origin: Place, part: string | undefined): Place {
    const { file, start, end } = origin
    const written = part ? (this.#sources.get(file)?.slice(start, end) ?? '') : ''
    const found = part ? written.indexOf(part) : -1
    if (!part || found < 0 || written.indexOf(part, found + 1) >= 0) return placeOf(origin)
    return { file, start: start + found, end: start + found + part.length }
  }

  /** What the file says there. */
  written({ file, start, end }: Place): string | undefined {
    return this.#sources.get(file)?.slice(start, end)
  }

  get failed(): boolean {
    return this.diagnostics.some((diagnostic) => diagnostic.severity === 'error')
  }
}

const placeOf = ({ file, start, end }: Place): Place => ({ file, start, end })
