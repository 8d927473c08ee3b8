import { ProjectError } from '../../src/errors.ts'
import type { LaunchPlan } from '../../src/native/launch-plan.ts'
import type { RuntimeSpec } from '../../src/oci/runtime-spec.ts'
import { lower } from '../../src/spec/lower.ts'
import { createRuntimeSpec } from '../../src/spec/runtime-spec.ts'
import { type Changes, input } from './inputs.ts'

export const specOf = (changes: Changes = {}): RuntimeSpec => createRuntimeSpec(input(changes))

export const planOf = (changes: Changes = {}): LaunchPlan => {
  const from = input(changes)
  return lower(createRuntimeSpec(from), from.allocation, from.facts)
}

/** `CODE /path` of everything that is wrong with it. */
export const findingsOf = (changes: Changes): string[] => {
  try {
    specOf(changes)
    return []
  } catch (error) {
    if (!(error instanceof ProjectError)) throw error
    return error.diagnostics.map(({ code, path }) => `${code} ${path.join('.')}`)
  }
}
