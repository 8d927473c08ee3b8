/** The rivals: each command is timed by hyperfine inside their own environment, so that its wrapper is not counted. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Sample, sampleOf } from './measure.ts'

/** Program that runs a command among the rivals (CAISSON_BENCH_PEERS); undefined: not on this machine. */
export const peers = process.env.CAISSON_BENCH_PEERS

export interface Timed {
  readonly command: string
  readonly prepare?: string
  readonly conclude?: string
}

/** Runs a shell command among the rivals, in `cwd` (below the temporary directory). */
export const among = (script: string, cwd: string): string => {
  if (peers === undefined) throw new Error('CAISSON_BENCH_PEERS is not set')
  return execFileSync(peers, ['sh', '-c', script], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  })
}

/** hyperfine 2: one measurement each run, in seconds. */
interface Report {
  readonly results: readonly {
    readonly measurements: readonly { readonly time_wall_clock: { readonly value: number } }[]
  }[]
}

/** Times each command; undefined where the rivals are not there or the command fails. */
export const time = (timed: Timed, cwd: string, runs: number): Sample | undefined => {
  if (peers === undefined) return undefined
  const scratch = mkdtempSync(join(tmpdir(), 'caisson-bench-'))
  const report = join(scratch, 'report.json')
  // What is run only once takes minutes.
  const options = ['-N', '-w', runs > 1 ? '1' : '0', '-r', String(runs), '--export-json', report]
  if (timed.prepare) options.push('--prepare', timed.prepare)
  if (timed.conclude) options.push('--conclude', timed.conclude)
  const result = spawnSync(peers, ['hyperfine', ...options, timed.command], { cwd, encoding: 'utf8' })
  try {
    if (result.status !== 0) {
      process.stderr.write(`bench: ${timed.command}: ${result.stderr.trim().split('\n').pop()}\n`)
      return undefined
    }
    const [only] = (JSON.parse(readFileSync(report, 'utf8')) as Report).results
    return only && sampleOf(only.measurements.map(({ time_wall_clock }) => time_wall_clock.value * 1000))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

export const COMPOSE = 'docker compose'
/** The plugin run without the docker front-end. */
export const PLUGIN = '/usr/libexec/docker/cli-plugins/docker-compose'

/** Imports a root filesystem tarball (below the temporary directory) as Docker image `bench`. */
export const importImage = (tarball: string): void => {
  if (peers !== undefined) among(`docker import ${tarball} bench >/dev/null`, tmpdir())
}
