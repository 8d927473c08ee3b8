// deadline: 240 s
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
    for (const [index, step] of steps.entries()) {
      const at = `${name}: ${titleOf(step)}`
      if (step.differs === undefined) {
        assert.equal(said[index], docker[index], at)
        continue
      }
      assert.ok(differences.includes(`| ${step.differs} |`), `${at}: no row ${step.differs} in docs/differences.md`)
      assert.not.equal(said[index], docker[index], `${at} does not differ any more`)
      assert.equal(said[index], ours[index], at)
    }
  })
}

test.run()
