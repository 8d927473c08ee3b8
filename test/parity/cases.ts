/**
 * Parity: the same Compose files and commands under Docker Compose and under Caisson. What Docker said is committed beside
 * each case (docker.json, written by record.ts); the scenario compares without Docker. Where Caisson differs on purpose a
 * step names the row of docs/differences.md that says why, and caisson.json holds what it says instead.
 */
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  chmodSync,
  copyFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'

export const fixtures = resolve(import.meta.dirname, '../../fixtures/parity')
export const IMAGE = 'parity/base:1'
export const PROJECT = 'parity'

export interface Step {
  /** Words behind `docker compose -p parity` and `caisson -p parity`. */
  readonly run?: readonly string[]
  /** A shell command in the case's directory instead. */
  readonly local?: string
  /** What is compared. Messages on stderr are each program's own. */
  readonly compare?: 'status' | 'stdout' | 'both'
  /** Repeated until the output matches this pattern: what is compared then. */
  readonly until?: string
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Row of docs/differences.md. */
  readonly differs?: string
}

export interface Case {
  readonly name: string
  readonly directory: string
  readonly steps: readonly Step[]
}

export interface Said {
  readonly run: string
  readonly status?: number
  readonly stdout?: readonly string[]
}

export const readCases = (): readonly Case[] =>
  readdirSync(fixtures)
    .sort()
    .map((name) => {
      const directory = join(fixtures, name)
      return { name, directory, steps: JSON.parse(readFileSync(join(directory, 'steps.json'), 'utf8')) as Step[] }
    })

export const readSaid = (directory: string, engine: 'docker' | 'caisson'): readonly Said[] => {
  const file = join(directory, `${engine}.json`)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Said[]) : []
}

export const writeSaid = (directory: string, engine: 'docker' | 'caisson', said: readonly Said[]): void =>
  writeFileSync(join(directory, `${engine}.json`), `${JSON.stringify(said, null, 2)}\n`)

/** What is different each time: ids, addresses, times, sizes of columns. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{64}\b/g, '<id>'],
  [/\b[0-9a-f]{12}\b/g, '<id>'],
  [/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, '<mac>'],
  [/\d+\.\d+\.\d+\.\d+\.in-addr\.arpa/g, '<reverse>'],
  [/\b(?:10|172|192)\.\d+\.\d+\.\d+\b/g, '<address>'],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?(?:Z|[+-]\d{4} \w+|[+-]\d\d:\d\d))?/g, '<time>'],
  [/\b(?:Less than a|About an?|\d+) (?:second|minute|hour)s?(?: ago)?/g, '<ago>'],
  [/\u001b\[[0-9;]*[A-Za-z]/g, ''],
  [/[ \t]+$/g, ''],
]

export const normalise = (text: string): readonly string[] =>
  text
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => VARYING.reduce((done, [pattern, name]) => done.replaceAll(pattern, name), line))
    .filter((line) => line !== '')

export interface Ran {
  readonly status: number
  readonly stdout: string
}

/** Runs `<command> -p parity <words>` in the case's directory. */
export type Run = (step: Step) => Ran

export const runner =
  (command: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): Run =>
  ({ run = [], local, input = '', environment = {} }) => {
    const [file = '', ...words] = local === undefined ? [...command, '-p', PROJECT, ...run] : ['sh', '-c', local]
    const options = { cwd, input, encoding: 'utf8', timeout: 60_000, env: { ...env, ...environment } } as const
    const { status, stdout } = spawnSync(file, words, options)
    return { status: status ?? -1, stdout }
  }

const PAUSE = new Int32Array(new SharedArrayBuffer(4))

export const titleOf = ({ run = [], local }: Step): string => local ?? run.join(' ')

/** Repeats a step with `until` for half a minute. */
export const take = (run: Run, step: Step): Said => {
  let ran = run(step)
  const deadline = Date.now() + 30_000
  while (step.until !== undefined && !new RegExp(step.until).test(ran.stdout) && Date.now() < deadline) {
    Atomics.wait(PAUSE, 0, 0, 50)
    ran = run(step)
  }
  const { compare = 'both' } = step
  return {
    run: titleOf(step),
    ...(compare === 'stdout' ? {} : { status: ran.status }),
    ...(compare === 'status' ? {} : { stdout: normalise(ran.stdout) }),
  }
}

const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'].find(existsSync)
export const hasBusybox = BUSYBOX !== undefined

const ACCOUNTS = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\nnobody:x:65534:65534:::/bin/false\n',
  group: 'root:x:0:\nwheel:x:10:app\napp:x:1000:\nextra:x:2000:\nnogroup:x:65534:\n',
}

/** A root filesystem of one static busybox, as a tarball. */
export const makeImage = (scratch: string): string => {
  const root = join(scratch, 'root')
  const directories = ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev', 'root', 'home/app', 'var/lib/data', 'run', 'usr/bin']
  for (const directory of directories) mkdirSync(join(root, directory), { recursive: true })
  copyFileSync(BUSYBOX ?? '', join(root, 'bin/busybox'))
  chmodSync(join(root, 'bin/busybox'), 0o755)
  const { stdout } = spawnSync(BUSYBOX ?? '', ['--list'], { encoding: 'utf8' })
  for (const applet of stdout.split('\n').filter((name) => name !== '' && name !== 'busybox')) {
    symlinkSync('busybox', join(root, 'bin', applet))
  }
  for (const [name, text] of Object.entries(ACCOUNTS)) writeFileSync(join(root, 'etc', name), text)
  chmodSync(join(root, 'tmp'), 0o1777)
  writeFileSync(join(root, 'var/lib/data/seed'), 'from the image\n')
  const tarball = join(scratch, 'base.tar')
  spawnSync('tar', ['-C', root, '--owner=0', '--group=0', '-cf', tarball, '.'])
  return tarball
}
