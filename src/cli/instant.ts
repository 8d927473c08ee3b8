/** Points in time as docker's filters take them: `24h` (ago), RFC 3339, a date, or seconds since the epoch. */
import { parseDuration } from '../units/duration.ts'
import { UsageError } from './usage.ts'

const NANOSECONDS_PER_MS = 1e6

/** Milliseconds since the epoch. Throws UsageError. */
export const readInstant = (text: string, now: number): number => {
  const ago = parseDuration(text)
  if (ago !== undefined) return now - ago / NANOSECONDS_PER_MS
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000
  const instant = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(instant))
    throw new UsageError(`not a time: "${text}"`, 'such as 24h, 2026-01-31 or 2026-01-31T12:00:00Z')
  return instant
}
