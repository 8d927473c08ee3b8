import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { keepBinary } from '../../src/state/binary.ts'
import { closeScratch, noScratch, openScratch, type Scratch } from './world.ts'

const test = suite<Scratch>('binary', { ...noScratch })
test.before.each(openScratch)
test.after.each(closeScratch)

test('a build is copied once, under the digest of its content', ({ base, roots }) => {
  const source = join(base, 'monitor')
  writeFileSync(source, 'one', { mode: 0o755 })
  const first = keepBinary(roots, source)
  assert.is(readFileSync(first, 'utf8'), 'one')
  assert.is(statSync(first).mode & 0o777, 0o755)
  const { ino } = statSync(first)
  assert.is(keepBinary(roots, source), first)
  assert.is(statSync(first).ino, ino)
})

test('a rebuild gets a copy of its own, and the old one stays for whoever runs it', ({ base, roots }) => {
  mkdirSync(join(base, 'build'))
  const source = join(base, 'build', 'monitor')
  writeFileSync(source, 'one')
  const first = keepBinary(roots, source)
  writeFileSync(source, 'longer')
  const second = keepBinary(roots, source)
  assert.is.not(second, first)
  assert.is(readFileSync(first, 'utf8'), 'one')
  assert.is(readdirSync(join(roots.root, 'bin')).filter((name) => /^[0-9a-f]{64}$/.test(name)).length, 2)
})

test.run()
