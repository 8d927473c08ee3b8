// deadline: 240 s
// takes: 70 s
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot, skipFile } from '../helpers/root.ts'
import {
  hasBusybox,
  IMAGE,
  makeImage,
  readCases,
  readSaid,
  runner,
  type Said,
  type Step,
  take,
  titleOf,
  writeSaid,
} from '../parity/cases.ts'
import { caisson, CLI, commandEnvironment } from './scenario.ts'

needsRoot(test)
if (!hasBusybox) skipFile('needs busybox (Debian: busybox-static)')

const scratch = mkdtempSync(join(tmpdir(), 'caisson-parity-'))
const differences = readFileSync(resolve(import.meta.dirname, '../../docs/differences.md'), 'utf8')

test.before(() => {
  const imported = caisson(['image', 'import', makeImage(scratch), IMAGE])
  assert.is(imported.status, 0, imported.stderr)
})

test.after(() => {
  caisson(['image', 'rm', IMAGE])
  rmSync(scratch, { recursive: true, force: true })
})

const text = (said: Said | undefined): string => JSON.stringify(said, null, 1)
const same = (one: Said | undefined, other: Said | undefined): boolean => text(one) === text(other)

/** What is wrong with one step, all of it: nothing where it says what Docker says, or differs as listed. */
const mistakeOf = (step: Step, said?: Said, docker?: Said, ours?: Said): readonly string[] => {
  const title = titleOf(step)
  if (step.differs === undefined)
    return same(said, docker) ? [] : [`${title}: ${text(said)} is not Docker's ${text(docker)}`]
  if (!differences.includes(`| ${step.differs} |`)) return [`${title}: docs/differences.md has no row ${step.differs}`]
  if (same(said, docker)) return [`${title}: differs no more, which row ${step.differs} says`]
  return same(said, ours) ? [] : [`${title}: ${text(said)} is not the difference of ${step.differs}: ${text(ours)}`]
}

for (const { name, directory, steps } of readCases()) {
  test(`${name}: says and does what Docker Compose does, less the differences listed`, () => {
    const docker = readSaid(directory, 'docker')
    const ours = readSaid(directory, 'caisson')
    const copy = join(scratch, name)
    cpSync(directory, copy, { recursive: true })
    const run = runner([process.execPath, CLI, '--ansi', 'never'], copy, commandEnvironment())
    const said: Said[] = []
    try {
      for (const step of steps) said.push(take(run, step))
    } finally {
      run({ run: ['down', '-v', '--remove-orphans', '-t', '0'] })
    }
    if (process.env.UPDATE && steps.some(({ differs }) => differs)) writeSaid(directory, 'caisson', said)
    const mistakes = steps.flatMap((step, index) => mistakeOf(step, said[index], docker[index], ours[index]))
    assert.is(mistakes.join('\n'), '')
  })
}

test.run()
