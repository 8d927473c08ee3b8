/** Durations as Compose writes them: `1h5m30s20ms`, `1d`, `1.5s`; and as Go prints them: `1m30s`. */

/** Nanoseconds of each unit. */
const UNITS: Readonly<Record<string, number>> = {
  w: 7 * 86_400e9,
  d: 86_400e9,
  h: 3_600e9,
  m: 60e9,
  s: 1e9,
  ms: 1e6,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ns: 1,
}
/** 64 bits of nanoseconds: 292 years. */
const MAXIMUM = 2 ** 63
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|w|d|h|m|s)/y

/** Nanoseconds, or undefined where the text is no duration. `0` needs no unit. */
export const parseDuration = (text: string): number | undefined => {
  const sign = text.startsWith('-') ? -1 : 1
  const body = text.replace(/^[-+]/, '')
  if (body === '0') return 0
  if (body === '') return undefined
  let total = 0
  PART.lastIndex = 0
  while (PART.lastIndex < body.length) {
    const match = PART.exec(body)
    if (match?.[1] === undefined || match[2] === undefined) return undefined
    total += Number(match[1]) * (UNITS[match[2]] ?? 0)
  }
  return total <= MAXIMUM ? sign * Math.round(total) : undefined
}

const fraction = (value: number): string => {
  const text = value.toFixed(9)
  return text.replace(/\.?0+$/, '')
}

/** `1m30s`, `500ms`, `24h0m0s`, `0s`: the form that `config` prints. */
export const formatDuration = (nanoseconds: number): string => {
  if (nanoseconds === 0) return '0s'
  if (nanoseconds < 0) return `-${formatDuration(-nanoseconds)}`
  if (nanoseconds < 1e3) return `${nanoseconds}ns`
  if (nanoseconds < 1e6) return `${fraction(nanoseconds / 1e3)}µs`
  if (nanoseconds < 1e9) return `${fraction(nanoseconds / 1e6)}ms`
  const minutes = Math.floor(nanoseconds / 60e9)
  const seconds = `${fraction((nanoseconds - minutes * 60e9) / 1e9)}s`
  if (minutes === 0) return seconds
  const hours = Math.floor(minutes / 60)
  return hours === 0 ? `${minutes}m${seconds}` : `${hours}h${minutes % 60}m${seconds}`
}
