/** Hundreds of mistakes are mostly one, made hundreds of times: the first ones are enough to see it. */
import type { Diagnostic } from '../../errors.ts'

const MOST = 30

const isError = ({ severity }: Diagnostic): boolean => severity === 'error'

const counted = (count: number, noun: string): string => `${count} more ${noun}${count === 1 ? '' : 's'}`

export interface CutFindings {
  /** In the order in which they came. */
  readonly shown: readonly Diagnostic[]
  /** A line about those that are not shown; empty: all are. */
  readonly rest: string
}

/** Errors first: warnings take the places that they leave. */
export const cutFindings = (diagnostics: readonly Diagnostic[]): CutFindings => {
  if (diagnostics.length <= MOST) return { shown: diagnostics, rest: '' }
  const errors = diagnostics.filter(isError)
  const warnings = diagnostics.filter((each) => !isError(each))
  const chosen = new Set([...errors, ...warnings].slice(0, MOST))
  const left = [errors.length - MOST, Math.min(warnings.length, diagnostics.length - MOST)] as const
  const words = [
    ...(left[0] > 0 ? [counted(left[0], 'error')] : []),
    ...(left[1] > 0 ? [counted(left[1], 'warning')] : []),
  ]
  return { shown: diagnostics.filter((each) => chosen.has(each)), rest: `… and ${words.join(' and ')}\n` }
}
