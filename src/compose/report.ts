/** Where phases leave what they find. Collected, never thrown; one finding at one place is reported once. */
import type { Diagnostic, Severity, TreePath } from '../errors.ts'
import type { Code } from './codes.ts'
import type { Origin } from './project.ts'

export interface Finding {
  readonly code: Code
  readonly path: TreePath
  readonly message: string
  readonly hint?: string | undefined
  /** Default: error. */
  readonly severity?: Severity
  readonly origin?: Pick<Origin, 'file' | 'start' | 'end'> | undefined
}

export class Report {
  readonly diagnostics: Diagnostic[] = []
  readonly #seen = new Set<string>()

  add(finding: Finding): void {
    const { code, path, message, origin, hint } = finding
    // A variable that is not set is mostly not set in many places.
    const place = code === 'variable-unset' ? '' : `${origin?.file}:${origin?.start}`
    const key = `${code} ${place} ${message}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    const at = origin && { file: origin.file, start: origin.start, end: origin.end }
    this.diagnostics.push({
      code,
      severity: finding.severity ?? 'error',
      path: [...path],
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(at ? { at } : {}),
    })
  }

  get failed(): boolean {
    return this.diagnostics.some((diagnostic) => diagnostic.severity === 'error')
  }
}
