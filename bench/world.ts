/** What the benches run in: scratch folders, a state root of their own, the built command line, one payload image for all. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { importImage } from './peers.ts'

export const CLI = resolve(import.meta.dirname, '../dist/caisson.js')
export const scratch = mkdtempSync(join(tmpdir(), 'caisson-bench-'))
export const LIMIT = join(scratch, 'limit')

export const environment: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  CAISSON_ROOT: join(scratch, 'state'),
  // A tmpfs, as /run is.
  CAISSON_RUN: existsSync('/dev/shm') ? `/dev/shm/${basename(scratch)}` : join(scratch, 'run'),
  XDG_CACHE_HOME: join(scratch, 'cache'),
  NO_COLOR: '1',
}
export const argv = (...args: readonly string[]): string[] => [process.execPath, CLI, ...args]

export const caisson = (cwd: string, ...args: readonly string[]): string => {
  const result = spawnSync(process.execPath, [CLI, ...args], {
    cwd,
    env: environment,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  if (result.status !== 0) throw new Error(`caisson ${args.join(' ')}: exit ${result.status}: ${result.stderr}`)
  return result.stdout
}

/** Project folder with `compose.yaml`. */
export const project = (name: string, compose: string): string => {
  const directory = join(scratch, name)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'compose.yaml'), compose)
  return directory
}

/** `count` services of the payload image, on the default network. */
export const services = (count: number): string =>
  `services:\n${Array.from({ length: count }, (_, index) => `  s${index}: {image: bench, command: [/limit, payload], stop_signal: SIGKILL}\n`).join('')}`

/** A larger service each, for parsing. */
export const wordy = (count: number): string =>
  `services:\n${Array.from(
    { length: count },
    (_, index) => `  s${index}:
    image: caisson/host
    command: ["node", "server.js", "--port", "80"]
    environment:
      NAME: s${index}
      MODE: \${MODE:-development}
    ports: ["${10_000 + index}:80"]
    volumes: ["data:/data", "./src:/src:ro"]
    depends_on: [${index > 0 ? `s${index - 1}` : ''}]
    labels: {role: "web", index: "${index}"}
`,
  ).join('')}volumes:\n  data:\n`

/** Builds the limit program and gives every engine the same image: that one static program. */
export const prepare = (): void => {
  execFileSync('gcc', ['-O2', '-static', '-o', LIMIT, join(import.meta.dirname, 'limit.c')])
  const root = join(scratch, 'rootfs')
  for (const path of ['proc', 'sys', 'dev', 'etc', 'tmp']) mkdirSync(join(root, path), { recursive: true })
  execFileSync('cp', [LIMIT, join(root, 'limit')])
  const tarball = join(scratch, 'bench.tar')
  execFileSync('tar', ['-C', root, '-cf', tarball, '.'])
  caisson(scratch, 'image', 'import', tarball, 'bench')
  importImage(tarball)
}

export const limit = (count: number, parallel: number, runs: number): { startMs: number; totalMs: number } => {
  const results: [number, number][] = []
  for (let run = 0; run < runs; run++) {
    const directory = mkdtempSync(join(scratch, 'limit-'))
    const [startMs = 0, totalMs = 0] = execFileSync(LIMIT, [directory, String(count), String(parallel)], {
      encoding: 'utf8',
    })
      .trim()
      .split(' ')
      .map(Number)
    results.push([startMs, totalMs])
    rmSync(directory, { recursive: true, force: true })
  }
  const median = (index: 0 | 1): number =>
    results.map((each) => each[index]).sort((a, b) => a - b)[Math.floor(runs / 2)] ?? Number.NaN
  return { startMs: median(0), totalMs: median(1) }
}

export const remove = (): void => {
  for (const path of [scratch, environment.CAISSON_RUN ?? '']) rmSync(path, { recursive: true, force: true })
}
