/**
 * Runs the tests: `node --import tsx test/run.ts [part of a file name …]`.
 * Pure files share a few processes. A file that calls needsRoot, and everything in test/integration/, has a process,
 * namespaces, state root and deadline of its own, and must leave nothing behind. All of them are side by side, one more than
 * there are processors, for many wait; the longest come first (`// takes: N s`), so that none is left to run by itself at the end.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inNamespaces } from './helpers/namespaces.ts'
import { nativeJobs, runNativeJob } from './helpers/native-tests.ts'
import { NO_ROOT, type Skip } from './helpers/root.ts'
import type { FileResult } from './helpers/worker.ts'

const PURE_DEADLINE_MS = 60_000
const ROOT_DEADLINE_MS = 180_000
/** Where a file does not say what it takes. */
const ALONE_TAKES_MS = 10_000
const NATIVE_TAKES_MS = 4_000

const testDirectory = dirname(fileURLToPath(import.meta.url))
const worker = join(testDirectory, 'helpers', 'worker.ts')
const scratch = mkdtempSync(join(tmpdir(), 'caisson-test-'))
// Tests become other users to see what those may do.
chmodSync(scratch, 0o711)
const isRoot = process.getuid?.() === 0

interface TestFile {
  readonly path: string
  readonly name: string
  readonly alone: boolean
  readonly deadlineMs: number
  readonly takesMs: number
}

const millisecondsOf = (text: string, word: 'deadline' | 'takes'): number | undefined => {
  const asked = new RegExp(`^// ${word}: (\\d+) s$`, 'm').exec(text)?.[1]
  return asked === undefined ? undefined : Number(asked) * 1000
}

const describe = (path: string): TestFile => {
  const name = relative(testDirectory, path)
  const text = readFileSync(path, 'utf8')
  const alone = name.startsWith('integration/') || /^\s*needsRoot\(/m.test(text)
  const deadlineMs = millisecondsOf(text, 'deadline') ?? (alone ? ROOT_DEADLINE_MS : PURE_DEADLINE_MS)
  const takesMs = millisecondsOf(text, 'takes') ?? (alone ? ALONE_TAKES_MS : 0)
  return { path, name, alone, deadlineMs, takesMs }
}

const findFiles = (filters: readonly string[]): TestFile[] =>
  readdirSync(testDirectory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .filter((name) => filters.length === 0 || filters.some((filter) => join('test', name).includes(filter)))
    .sort()
    .map((name) => describe(join(testDirectory, name)))

const totals = { passed: 0, failed: 0, skips: [] as { file: string; skip: Skip }[] }

const report = (name: string, result: FileResult, output: string, startedMs: number): void => {
  totals.passed += result.passed
  totals.failed += result.failed
  for (const skip of result.skips) totals.skips.push({ file: name, skip })
  if (result.failed === 0) {
    const whole = result.skips.some((skip) => skip.name === undefined)
    console.log(
      `${whole ? 'skip' : 'ok  '} ${name} (${result.passed}, ${Math.round(performance.now() - startedMs)} ms)`,
    )
    return
  }
  console.log(`FAIL ${name}`)
  if (output.trim() !== '') console.log(output.trimEnd().replaceAll(/^/gm, '  | '))
  for (const failure of result.failures) console.log(failure)
}

const failure = (text: string): FileResult => ({ passed: 0, failed: 1, failures: [`  ${text}`], skips: [] })

/** One child and what it printed since it was last asked. */
class Worker {
  readonly #child: ChildProcess
  #output = ''
  constructor(command: readonly string[], env: Record<string, string>) {
    const [file = process.execPath, ...args] = [...command, process.execPath, '--import', 'tsx', worker]
    this.#child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...env, CAISSON_TEST_WORKER: '1', TMPDIR: scratch },
      detached: true,
    })
    this.#child.stdout?.on('data', (text) => this.#collect(text))
    this.#child.stderr?.on('data', (text) => this.#collect(text))
  }

  #collect(text: Buffer): void {
    this.#output += text.toString()
  }

  takeOutput(): string {
    const output = this.#output
    this.#output = ''
    return output
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  run(file: TestFile, watch: boolean): Promise<FileResult> {
    return new Promise((resolve) => {
      const finish = (result: FileResult): void => {
        clearTimeout(timer)
        for (const event of ['message', 'close', 'error']) this.#child.removeAllListeners(event)
        resolve(result)
      }
      const timer = setTimeout(() => {
        this.end()
        finish(failure(`not finished after ${file.deadlineMs / 1000} s`))
      }, file.deadlineMs)
      this.#child.on('message', (result) => finish(result as FileResult))
      this.#child.on('error', (error) => finish(failure(error.message)))
      this.#child.on('close', (code, signal) => finish(failure(`ended early: ${signal ?? `exit ${code}`}`)))
      this.#child.send({ file: file.path, watch }, () => {})
    })
  }

  /** Ends its whole process group; with a pid namespace of its own nothing survives that. */
  end(): void {
    if (!this.alive || this.#child.pid === undefined) return
    try {
      process.kill(-this.#child.pid, 'SIGKILL')
    } catch {
      this.#child.kill('SIGKILL')
    }
  }
}

/** What is kept from one job to the next. */
interface Lane {
  worker: Worker | undefined
}

interface Job {
  readonly takesMs: number
  run(lane: Lane): Promise<void>
}

const sideBySide = async (jobs: readonly Job[]): Promise<void> => {
  const queue = [...jobs].sort((a, b) => b.takesMs - a.takesMs)
  const drain = async (): Promise<void> => {
    const lane: Lane = { worker: undefined }
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job.run(lane)
    lane.worker?.end()
  }
  await Promise.all(Array.from({ length: Math.min(jobs.length, availableParallelism() + 1) }, drain))
}

const runPureFile = async (file: TestFile, lane: Lane): Promise<void> => {
  lane.worker = lane.worker?.alive ? lane.worker : new Worker([], {})
  const startedMs = performance.now()
  const result = await lane.worker.run(file, false)
  report(file.name, result, lane.worker.takeOutput(), startedMs)
}

const runAloneFile = async (file: TestFile, index: number): Promise<void> => {
  const home = join(scratch, `alone-${index}`)
  mkdirSync(home)
  const env = {
    CAISSON_ROOT: join(home, 'root'),
    CAISSON_RUN: join(home, 'run'),
    // No prefix begins another: what is left behind is found by it.
    CAISSON_TEST_PREFIX: `t${process.pid.toString(36)}x${String(index).padStart(3, '0')}`,
  }
  const startedMs = performance.now()
  const child = new Worker(isRoot ? inNamespaces : [], env)
  const result = await child.run(file, isRoot)
  child.end()
  report(file.name, result, child.takeOutput(), startedMs)
}

const listSkips = (): void => {
  for (const { file, skip } of totals.skips) {
    const rootInCi = skip.reason === NO_ROOT && process.env.CI !== undefined && process.env.CI !== 'false'
    if (rootInCi) totals.failed++
    console.log(
      `skipped: ${file}${skip.name === undefined ? '' : `: ${skip.name}`}: ${skip.reason}${rootInCi ? ' (a failure in CI)' : ''}`,
    )
  }
}

const main = async (): Promise<void> => {
  const filters = process.argv.slice(2)
  const files = findFiles(filters)
  await sideBySide([
    ...files.map((file, index) => ({
      takesMs: file.takesMs,
      run: (lane: Lane) => (file.alone ? runAloneFile(file, index) : runPureFile(file, lane)),
    })),
    ...nativeJobs(filters).map((job) => ({
      takesMs: NATIVE_TAKES_MS,
      run: async () => {
        const startedMs = performance.now()
        report(job.name, await runNativeJob(job), '', startedMs)
      },
    })),
  ])
  listSkips()
  if (totals.passed + totals.failed === 0) console.log('nothing ran')
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skips.length} skipped`)
  process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0
}

try {
  await main()
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
