/**
 * Writes expected.json and expected.yaml of all cases that have one from the reference implementation:
 *   [WRAPPER=program] tsx test/compose/regenerate.ts [phase | phase/case …]
 * It runs in a copy of the case, so that paths come out as /project/….
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Case, casesOf, fixtures } from './cases.ts'

/** Words before the command, where the reference is not installed here. */
const wrapper = (process.env.WRAPPER ?? '').split(' ').filter((word) => word !== '')

const flagsOf = ({ settings }: Case, format: string): readonly string[] => [
  ...(settings.files ?? []).flatMap((file) => ['-f', file]),
  ...(settings.profiles ?? []).flatMap((profile) => ['--profile', profile]),
  ...(settings.envFiles ?? []).flatMap((file) => ['--env-file', file]),
  ...(settings.projectName ? ['-p', settings.projectName] : []),
  ...(settings.projectDirectory ? ['--project-directory', settings.projectDirectory] : []),
  'config',
  '--format',
  format,
  ...(settings.options?.interpolate === false ? ['--no-interpolate'] : []),
  ...(settings.options?.resolvePaths === false ? ['--no-path-resolution'] : []),
  ...(settings.services ?? []),
]

const run = (each: Case, format: string): string => {
  const parent = mkdtempSync(join(tmpdir(), 'caisson-reference-'))
  const directory = join(parent, 'project')
  cpSync(each.directory, directory, { recursive: true })
  const environment = Object.entries({ HOME: '/home/user', ...each.settings.environment }).map(
    ([name, value]) => `${name}=${value}`,
  )
  // As arguments of env: a wrapper need not hand the environment on.
  const command = [...wrapper, 'env', ...environment, 'docker', 'compose', ...flagsOf(each, format)]
  const [file = 'env', ...args] = command
  try {
    const cwd = join(directory, (each.settings.cwd ?? '/project').slice('/project'.length))
    return execFileSync(file, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).replaceAll(
      directory,
      '/project',
    )
  } finally {
    rmSync(parent, { recursive: true, force: true })
  }
}

const wanted = process.argv.slice(2)
for (const phase of readdirSync(fixtures)) {
  for (const each of casesOf(phase)) {
    if (wanted.length > 0 && !wanted.some((name) => name === phase || name === `${phase}/${each.name}`)) continue
    for (const format of ['json', 'yaml']) {
      const file = join(each.directory, `expected.${format}`)
      if (!existsSync(file)) continue
      try {
        writeFileSync(file, run(each, format))
      } catch (error) {
        console.error(
          `${phase}/${each.name}: ${error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)}`,
        )
      }
    }
  }
}
