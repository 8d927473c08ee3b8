/** Monotonic. Not `performance.now()`: the first use of that global loads 3 ms of modules. */
export const milliseconds = (): number => {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

/** Time as waiting needs it; tests have one of their own. */
export interface Clock {
  readonly now: () => number
  /** Calls `then` once, `ms` from now; what it returns calls that off. */
  readonly after: (ms: number, then: () => void) => () => void
}

/** Longest delay of a timer: 24 days. */
const MAX_DELAY_MS = 0x7fffffff

export const clock: Clock = {
  now: milliseconds,
  after: (ms, then) => {
    const timer = setTimeout(then, Math.min(Math.max(ms, 0), MAX_DELAY_MS))
    return () => clearTimeout(timer)
  },
}
