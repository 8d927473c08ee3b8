/** Runs the built command line as a user does. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { repository } from './imports.ts'

export const cli = join(repository, 'dist', 'caisson.js')

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly uid?: number
}

/** HOME is the working directory: caches are its own. */
export const caisson = (args: readonly string[], { cwd, env = {}, input, uid }: RunOptions): Ran => {
  const { PATH = '/usr/bin:/bin' } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd,
    encoding: 'utf8',
    input: input ?? '',
    env: { PATH, HOME: cwd, CAISSON_ROOT: join(cwd, '.root'), CAISSON_RUN: join(cwd, '.run'), ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  return { status, stdout, stderr }
}

/** A new directory with these files. */
export const projectWith = (files: Readonly<Record<string, string>>): string => {
  const directory = mkdtempSync(join(tmpdir(), 'project-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  return directory
}
