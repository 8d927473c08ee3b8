/** What is worth another try, and when. */
import { CaissonError } from '../../errors.ts'

const STATUSES = new Set([408, 429, 499, 500, 502, 503, 504, 522])
const MAX_TRIES = 5
const FIRST_MS = 250
const MAX_WAIT_MS = 60_000

export interface Failure {
  /** 0: there was no answer. */
  readonly status: number
  readonly retryAfter: string | undefined
  /** A quota that is used up does not come back for trying again. */
  readonly isQuota: boolean
}

/** Seconds, or a date (RFC 9110 §10.2.3). */
const milliseconds = (value: string, now: number): number | undefined => {
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** Milliseconds until the next try; undefined: give up. `tried`: 1 after the first. `random`: 0 to 1. */
export const retryDelay = (failure: Failure, tried: number, random: number, now: number): number | undefined => {
  if (tried >= MAX_TRIES || failure.isQuota) return undefined
  if (failure.status !== 0 && !STATUSES.has(failure.status)) return undefined
  const asked = failure.retryAfter === undefined ? undefined : milliseconds(failure.retryAfter, now)
  if (asked !== undefined) return asked > MAX_WAIT_MS ? undefined : asked
  return FIRST_MS * 3 ** (tried - 1) * (0.9 + random * 0.2)
}

const RETRIED = new Set(['ECONNECTION', 'ETIMEDOUT'])

export const isBroken = (error: unknown): boolean => error instanceof CaissonError && RETRIED.has(error.code)
