import type { Diagnostic, TreePath } from '../errors.ts'
import type { SpecCode } from './codes.ts'

/** Collects what cannot be lowered, so that all of it is told at once. */
export type Report = (finding: {
  readonly code: SpecCode
  readonly path: TreePath
  readonly message: string
  readonly hint?: string
}) => void

export const reportTo =
  (diagnostics: Diagnostic[]): Report =>
  (finding) => {
    diagnostics.push({ severity: 'error', ...finding })
  }
