/** How a test file says what it needs. A skip is never silent: test/run.ts lists each with its reason. */

interface Suite {
  skip(name?: string): void
}

export interface Skip {
  /** undefined: the whole file. */
  readonly name: string | undefined
  readonly reason: string
}

/** Thrown while a file loads, to skip all of it. */
export class SkipFile extends Error {
  override readonly name = 'SkipFile'
}

const skips: Skip[] = []

/** Skips recorded since the last call; test/helpers/worker.ts takes them after each file. */
export const takeSkips = (): Skip[] => skips.splice(0)

/** Skips the rest of this file: to be called before its first test. */
export const skipFile = (reason: string): never => {
  if (process.env.CAISSON_TEST_WORKER !== undefined) throw new SkipFile(reason)
  console.log(`skip: ${reason}`)
  process.exit(0)
}

/** Skips one test, with its reason. */
export const skipTest = (test: Suite, name: string, reason: string): void => {
  skips.push({ name, reason })
  test.skip(name)
}

export const NO_ROOT = 'needs root'

/**
 * The tests of this file need root. test/run.ts runs such a file in a process, pid, mount and network namespace of its own
 * with CAISSON_ROOT, CAISSON_RUN and CAISSON_TEST_PREFIX set, and fails it when it leaves something behind.
 */
export const needsRoot = (_test: Suite): void => {
  if (process.getuid?.() !== 0) skipFile(NO_ROOT)
}
