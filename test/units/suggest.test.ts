import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { suggest } from '../../src/units/suggest.ts'

const verbs = ['up', 'down', 'ps', 'logs', 'port', 'config', 'version', 'stop', 'start']

const cases: [word: string, meant: string | undefined][] = [
  ['lgos', 'logs'],
  ['log', 'logs'],
  ['dwon', 'down'],
  ['verison', 'version'],
  ['conf', 'config'],
  ['sta', undefined],
  ['xyzzy', undefined],
  ['a', undefined],
]

for (const [word, meant] of cases) test(`${word} means ${meant}`, () => assert.is(suggest(word, verbs), meant))

test.run()
