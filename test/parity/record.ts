/**
 * Writes docker.json of every case, or of those named, from Docker Compose:
 *   WRAPPER=program tsx test/parity/record.ts [CASE…]
 * WRAPPER runs a command where Docker is; it must see the temporary directory.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Case, IMAGE, makeImage, PROJECT, readCases, runner, take, writeSaid } from './cases.ts'

const wrapper = (process.env.WRAPPER ?? '').split(' ').filter((word) => word !== '')
const scratch = mkdtempSync(join(tmpdir(), 'caisson-parity-'))

const docker = (...words: string[]) => {
  const [file = 'docker', ...rest] = [...wrapper, 'docker', ...words]
  return spawnSync(file, rest, { cwd: scratch, stdio: 'ignore' })
}

/** In a copy, so that what a case writes stays out of the fixtures. */
const record = ({ name, directory, steps }: Case): void => {
  const copy = join(scratch, name)
  cpSync(directory, copy, { recursive: true })
  const run = runner([...wrapper, 'docker', 'compose', '--ansi', 'never'], copy)
  try {
    writeSaid(
      directory,
      'docker',
      steps.map((step) => take(run, step)),
    )
    console.log(name)
  } finally {
    docker('rm', '-f', `${PROJECT}-detached`) // a one-off, which `down` leaves
    run({ run: ['down', '-v', '--remove-orphans', '-t', '0'] })
  }
}

try {
  docker('import', makeImage(scratch), IMAGE)
  const named = process.argv.slice(2)
  for (const each of readCases()) if (named.length === 0 || named.includes(each.name)) record(each)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
