/** At most so many at once, in the order in which they came. */
export interface Semaphore {
  /** Runs `work` when it is its turn. */
  readonly run: <T>(work: () => Promise<T>) => Promise<T>
}

export const semaphore = (limit: number): Semaphore => {
  let running = 0
  const waiting: (() => void)[] = []
  const enter = async (): Promise<void> => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
  }
  /** The place goes to the next, or is free. */
  const leave = (): void => {
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
  return {
    run: async (work) => {
      await enter()
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}
