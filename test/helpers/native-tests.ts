/** Test programs of the native core, built with the sanitizers: core-test, and each fuzz entry for some seconds. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FileResult } from './worker.ts'

export interface NativeJob {
  readonly name: string
  readonly file: string
  readonly args: readonly string[]
}

const build = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'build')
const FUZZ_SECONDS = process.env.CAISSON_FUZZ_SECONDS ?? '3'
const DEADLINE_MS = 120_000

/** Jobs whose name contains one of `filters`; all without filters. */
export const nativeJobs = (filters: readonly string[]): NativeJob[] => {
  const names = existsSync(build) ? readdirSync(build).sort() : []
  const jobs = names.flatMap((name): NativeJob[] => {
    const file = join(build, name)
    if (name === 'core-test') return [{ name: `native/${name}`, file, args: [] }]
    if (/^fuzz-[a-z-]+$/.test(name)) return [{ name: `native/${name}`, file, args: [FUZZ_SECONDS] }]
    return []
  })
  return jobs.filter((job) => filters.length === 0 || filters.some((filter) => job.name.includes(filter)))
}

/** One result for the whole binary; what it prints is shown when it fails. */
export const runNativeJob = (job: NativeJob): Promise<FileResult> =>
  new Promise((resolve) => {
    const child = spawn(job.file, job.args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    })
    let output = ''
    const collect = (text: Buffer): void => {
      output = (output + text.toString()).slice(-20_000)
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const fail = (reason: string): void =>
      resolve({ passed: 0, failed: 1, failures: [`  ${reason}\n${output}`], skips: [] })
    child.on('error', (error) => fail(error.message))
    child.on('close', (code, signal) =>
      code === 0 ? resolve({ passed: 1, failed: 0, failures: [], skips: [] }) : fail(signal ?? `exit ${code}`),
    )
  })
