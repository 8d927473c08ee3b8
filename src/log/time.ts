/** Log times: RFC 3339, UTC, nine digits of fraction, so that text order is time order. */

/** The time `milliseconds` after the epoch, as log lines carry it. */
export const logTime = (milliseconds: number): string => {
  const whole = Math.floor(milliseconds)
  const nanoseconds = Math.round((milliseconds - whole) * 1e6)
  return `${new Date(whole).toISOString().slice(0, -1)}${String(nanoseconds).padStart(6, '0')}Z`
}
