/** Child of test/run.ts: runs the files it is sent, one after another, and answers one FileResult for each. */
import { pathToFileURL } from 'node:url'
import { compareSnapshots, settledSnapshot, takeSnapshot } from './leaks.ts'
import { type Skip, SkipFile, takeSkips } from './root.ts'

export interface FileResult {
  readonly passed: number
  /** One text for each failed suite or file. */
  readonly failures: readonly string[]
  readonly failed: number
  readonly skips: readonly Skip[]
}

type SuiteRun = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>

interface UvuGlobals {
  UVU_DEFER: number
  UVU_INDEX: number
  UVU_QUEUE: SuiteRun[][]
}

// uvu's own hook for runners: suites queue up instead of starting a timer.
const uvu = globalThis as unknown as UvuGlobals
uvu.UVU_DEFER = 1
uvu.UVU_QUEUE = []

let stray: string[] = []
const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))
process.on('unhandledRejection', (error) => stray.push(`unhandled rejection: ${textOf(error)}`))
process.on('uncaughtException', (error) => stray.push(`uncaught exception: ${textOf(error)}`))

const emptyResult = (failures: string[], skips: Skip[]): FileResult => ({
  passed: 0,
  failures,
  failed: failures.length,
  skips,
})

const loadSuites = async (file: string): Promise<SuiteRun[]> => {
  const queue: SuiteRun[] = []
  uvu.UVU_INDEX = uvu.UVU_QUEUE.push(queue) - 1
  await import(pathToFileURL(file).href)
  const suites = queue.splice(0)
  // Without .run() its tests would run as part of the next file.
  if (suites.length === 0) (await import('uvu')).test.run()
  return suites
}

const runSuites = async (suites: readonly SuiteRun[]): Promise<FileResult> => {
  const failures: string[] = []
  let passed = 0
  let failed = 0
  let skipped = 0
  for (const suite of suites) {
    const [errors, ran, skips, total] = await suite()
    if (errors !== true) failures.push(errors)
    passed += ran
    failed += total - ran
    skipped += skips
  }
  const skips = takeSkips()
  const silent = skipped - skips.length
  if (silent > 0)
    failures.push(`${silent} skipped without a reason: use skipTest of test/helpers/root.ts, and no .only`)
  if (passed + failed + skipped === 0) failures.push('no tests in this file, or it does not end in test.run()')
  return { passed, failures, failed: failed + (failures.length > 0 && failed === 0 ? 1 : 0), skips }
}

const runFile = async (file: string): Promise<FileResult> => {
  try {
    return await runSuites(await loadSuites(file))
  } catch (error) {
    if (error instanceof SkipFile) return emptyResult([], [{ name: undefined, reason: error.message }])
    return emptyResult([textOf(error)], takeSkips())
  }
}

/** Adds what went wrong in the background; one turn of the event loop later Node has reported all of it. */
const withStray = async (result: FileResult): Promise<FileResult> => {
  await new Promise((resolve) => setImmediate(resolve))
  const found = stray
  stray = []
  return { ...result, failures: [...result.failures, ...found], failed: result.failed + found.length }
}

const runWatched = async (file: string): Promise<FileResult> => {
  const before = takeSnapshot()
  const result = await withStray(await runFile(file))
  const left = compareSnapshots(before, await settledSnapshot(before))
  if (left.length === 0) return result
  return {
    ...result,
    failed: result.failed + 1,
    failures: [...result.failures, `left behind:\n  ${left.join('\n  ')}`],
  }
}

process.on('message', async ({ file, watch }: { file: string; watch: boolean }) => {
  const result = watch ? await runWatched(file) : await withStray(await runFile(file))
  process.send?.(result)
})
