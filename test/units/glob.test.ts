import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { namesLike } from '../../src/units/glob.ts'

const NAMES = ['web', 'web-2', 'worker', 'db', 'a.b']

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ['web', ['web']],
  ['we', []],
  ['*', NAMES],
  ['**', NAMES],
  ['w*', ['web', 'web-2', 'worker']],
  ['*-*', ['web-2']],
  ['??', ['db']],
  ['a?b', ['a.b']],
  ['a.b', ['a.b']],
  ['a.?', ['a.b']],
  ['[wd]*', ['web', 'web-2', 'worker', 'db']],
  ['[^w]*', ['db', 'a.b']],
  ['[a-d]*', ['db', 'a.b']],
  ['web[\\-]2', ['web-2']],
  ['w\\eb', ['web']],
  ['web\\*', []],
  ['[', []],
  ['[z-a]*', []],
  ['web\\', []],
  ['(web|db)', []],
  ['', []],
]

for (const [pattern, names] of CASES)
  test(`"${pattern}" fits ${names.length === 0 ? 'nothing' : names.join(', ')}`, () =>
    assert.equal(namesLike(pattern, NAMES), names))

test('what a pattern escapes stands for itself', () => {
  assert.equal(namesLike('a\\*b', ['a*b', 'axb']), ['a*b'])
  assert.equal(namesLike('[\\]]', [']']), [']'])
})

test.run()
