/** Whether the image of a service is to be pulled before its container is made, or used as it is here. */
import type { Service } from '../compose/project.ts'
import { parseDuration } from '../units/duration.ts'
import type { PlanFinding } from './codes.ts'

/** Of `--pull` and `--policy`. What a service says may also be daily, weekly, refresh and `every_` with a time. */
export const PULL_FLAGS = ['always', 'missing', 'if_not_present', 'never', 'build', 'policy'] as const

export type PullFlag = (typeof PULL_FLAGS)[number]

export type PullPolicy =
  | { readonly kind: 'always' | 'missing' | 'never' | 'build' }
  | { readonly kind: 'refresh'; readonly afterMs: number }

export interface PullQuestion {
  readonly service: Pick<Service, 'name' | 'image' | 'pullPolicy'>
  /** Goes over what the service says, unless it is `policy`. undefined: not given. */
  readonly flag: PullFlag | undefined
  /** Where nobody says anything: `pull` asks the registry, other commands what is here. */
  readonly otherwise: 'always' | 'missing'
  /** undefined: it is not here. `pulledAt`: in milliseconds; undefined: never, it was loaded or imported. */
  readonly here: { readonly pulledAt: number | undefined } | undefined
  readonly now: number
}

export type PullDecision =
  /** `needed`: there is none here. Else what is here may be used where the registry cannot be asked. */
  | { readonly kind: 'pull'; readonly needed: boolean }
  | { readonly kind: 'use' }
  | { readonly kind: 'refuse'; readonly finding: PlanFinding }

const DAY_MS = 86_400_000
const EVERY = 'every_'

/** The words of `pull_policy`, which the schema has checked. undefined: nothing is said. */
export const readPullPolicy = (text: string | undefined): PullPolicy | undefined => {
  switch (text) {
    case undefined:
    case 'policy':
      return undefined
    case 'always':
    case 'never':
    case 'build':
      return { kind: text }
    case 'daily':
      return { kind: 'refresh', afterMs: DAY_MS }
    case 'weekly':
      return { kind: 'refresh', afterMs: 7 * DAY_MS }
  }
  const nanoseconds = text.startsWith(EVERY) ? parseDuration(text.slice(EVERY.length)) : undefined
  return nanoseconds === undefined ? { kind: 'missing' } : { kind: 'refresh', afterMs: nanoseconds / 1e6 }
}

/** A digest names one content for ever: what is here under it is what a registry would send. */
const isFixed = (reference: string): boolean => reference.includes('@sha256:')

/** By the time of the last pull; one in the future was told by a clock that was wrong. */
const isStale = (pulledAt: number | undefined, afterMs: number, now: number): boolean =>
  pulledAt === undefined || now - pulledAt > afterMs || pulledAt > now

const refusal = ({ service, flag }: PullQuestion, kind: 'never' | 'build'): PlanFinding => {
  const { name, image, pullPolicy } = service
  const byFlag = readPullPolicy(flag) !== undefined
  const cause = byFlag ? `--pull ${flag}` : `pull_policy: ${pullPolicy}`
  const why = kind === 'never' ? 'forbids to pull it' : 'wants it built, which is not supported yet'
  return {
    code: 'plan/image-not-here',
    severity: 'error',
    path: ['services', name, byFlag ? 'image' : 'pull_policy'],
    message: `service ${name}: the image ${image} is not on this machine, and ${cause} ${why}`,
    hint: kind === 'never' ? `\`caisson pull ${name}\` gets it` : 'give --pull missing to pull it instead',
  }
}

export const decidePull = (question: PullQuestion): PullDecision => {
  const { service, flag, otherwise, here, now } = question
  const policy = readPullPolicy(flag) ?? readPullPolicy(service.pullPolicy) ?? { kind: otherwise }
  const isForbidden = policy.kind === 'never' || policy.kind === 'build'
  if (here === undefined)
    return isForbidden ? { kind: 'refuse', finding: refusal(question, policy.kind) } : { kind: 'pull', needed: true }
  if (isFixed(service.image ?? '')) return { kind: 'use' }
  const isWanted = policy.kind === 'refresh' ? isStale(here.pulledAt, policy.afterMs, now) : policy.kind === 'always'
  return isWanted ? { kind: 'pull', needed: false } : { kind: 'use' }
}

/** Whether what is here will do when the registry cannot be asked: who refreshes now and then goes on, `always` means it. */
export const mayBeOld = ({ pullPolicy }: Pick<Service, 'pullPolicy'>, flag: PullFlag | undefined): boolean =>
  (readPullPolicy(flag) ?? readPullPolicy(pullPolicy))?.kind === 'refresh'
