/**
 * What every scenario is made of: a project folder, the built command line as a user runs it, and conditions that are
 * awaited with a deadline. State root, run directory and network namespace come from the environment that test/run.ts
 * gives each file; a file run by hand gets a state root of its own below the temporary directory.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

export const CLI = resolve(import.meta.dirname, '../../dist/caisson.js')

export interface Outcome {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly timeoutMs?: number
  /** Node options in front of the script (`--require FILE`). */
  readonly node?: readonly string[]
  /** `start` only: a pipe that stays open, or nothing. */
  readonly stdin?: 'pipe' | 'ignore'
}

const ownRoot = process.env.CAISSON_ROOT ? undefined : mkdtempSync(join(tmpdir(), 'caisson-test-'))
const environment = (extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  CAISSON_ROOT: process.env.CAISSON_ROOT ?? join(ownRoot ?? '', 'root'),
  CAISSON_RUN: process.env.CAISSON_RUN ?? join(ownRoot ?? '', 'run'),
  XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(tmpdir(), 'caisson-test-cache'),
  NO_COLOR: '1',
  ...extra,
})

/** The environment of every command of a scenario. */
export const commandEnvironment = (): NodeJS.ProcessEnv => environment()

export const stateRoot = (): string => environment().CAISSON_ROOT ?? ''
export const runRoot = (): string => environment().CAISSON_RUN ?? ''

/** Runs `caisson ARGS` to its end. */
export const caisson = (args: readonly string[], options: RunOptions = {}): Outcome => {
  const result = spawnSync(process.execPath, [...(options.node ?? []), CLI, ...args], {
    cwd: options.cwd,
    env: environment(options.env),
    input: options.input ?? '',
    encoding: 'utf8',
    timeout: options.timeoutMs ?? 60_000,
    killSignal: 'SIGKILL',
    maxBuffer: 64 << 20,
  })
  return { status: result.status, signal: result.signal, stdout: result.stdout, stderr: result.stderr }
}

/** Starts `caisson ARGS` and leaves it running; its own process group. */
export const start = (args: readonly string[], options: RunOptions = {}): ChildProcess & { text: () => string } => {
  const child = spawn(process.execPath, [...(options.node ?? []), CLI, ...args], {
    cwd: options.cwd,
    env: environment(options.env),
    stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return Object.assign(child, { text: () => text })
}

/** Runs `caisson ARGS` to its end beside this process, which may serve what the command asks for. */
export const caissonBeside = (args: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
  new Promise((resolve) => {
    const child = start(args, options.input === undefined ? options : { ...options, stdin: 'pipe' })
    child.stdin?.end(options.input)
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }))
  })

export interface Folder {
  readonly directory: string
  readonly name: string
  /** `caisson ARGS` in the folder; fails the test unless the status is 0. */
  run(...args: string[]): string
  /** The same with any outcome. */
  try(args: readonly string[], options?: RunOptions): Outcome
  write(path: string, content: string): void
}

const folders: string[] = []

/** A project folder with `compose.yaml` and further files. */
export const folder = (
  compose: string,
  files: Readonly<Record<string, string>> = {},
  name = `${process.env.CAISSON_TEST_PREFIX ?? `p${process.pid}`}x${folders.length}`,
): Folder => {
  const directory = join(mkdtempSync(join(tmpdir(), 'caisson-project-')), name)
  mkdirSync(directory)
  folders.push(directory)
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  for (const [path, content] of Object.entries({ 'compose.yaml': compose, ...files })) write(path, content)
  const attempt = (args: readonly string[], options: RunOptions = {}): Outcome =>
    caisson(args, { cwd: directory, ...options })
  return {
    directory,
    name,
    write,
    try: attempt,
    run(...args) {
      const outcome = attempt(args)
      if (outcome.status !== 0)
        throw new Error(
          `caisson ${args.join(' ')}: exit ${outcome.status ?? outcome.signal}\n${outcome.stdout}${outcome.stderr}`,
        )
      return outcome.stdout
    },
  }
}

/** Takes every project of this file down and removes its folders: the last thing a file does (`test.after(cleanUp)`). */
export const cleanUp = (): void => {
  for (const directory of folders.splice(0)) {
    caisson(['down', '-v', '--remove-orphans', '-t', '0'], { cwd: directory })
    rmSync(dirname(directory), { recursive: true, force: true })
  }
  if (ownRoot) rmSync(ownRoot, { recursive: true, force: true })
}

/** Awaits a condition: polls until `check` returns something true or the deadline passes. */
export const eventually = async <T>(
  check: () => T | undefined | false,
  what: string,
  deadlineMs = 10_000,
): Promise<T> => {
  const end = Date.now() + deadlineMs
  for (;;) {
    const value = check()
    if (value) return value
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await new Promise((resume) => setTimeout(resume, 20))
  }
}

export interface PsRow {
  readonly ID: string
  readonly Name: string
  readonly Service: string
  readonly State: string
  readonly ExitCode: number
}

/** `ps -a --format json`, one row per container. */
export const ps = (project: Folder): PsRow[] =>
  project
    .run('ps', '-a', '--format', 'json')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as PsRow)
