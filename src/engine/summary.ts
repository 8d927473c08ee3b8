/** What is said at the end of a change that failed: each container once, by what went wrong with it first. */
import type { CaissonError } from '../errors.ts'
import { ServiceError } from './errors.ts'

export const summary = (errors: readonly CaissonError[]): readonly CaissonError[] => {
  const told = new Set<string>()
  return errors.filter((error) => {
    if (!(error instanceof ServiceError)) return true
    if (told.has(error.container)) return false
    told.add(error.container)
    return true
  })
}
