import type { Diagnostic, TreePath } from '../errors.ts'

/** Collects what cannot be lowered, so that all of it is told at once. */
export type Report = (finding: {
  readonly code: string
  readonly path: TreePath
  readonly message: string
  readonly hint?: string
}) => void

export const reportTo =
  (diagnostics: Diagnostic[]): Report =>
  (finding) => {
    diagnostics.push({ severity: 'error', ...finding })
  }
