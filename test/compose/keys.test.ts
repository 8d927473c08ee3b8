/** Keys one by one, in both forms of output: JSON says what a value is, YAML how it is written, in which quotes and order. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { casesOf, OTHERWISE_IN_YAML, testPhase } from './cases.ts'

testPhase('keys')

test('every case that has the JSON of the reference has its YAML', () => {
  const lacking = casesOf('keys').filter(
    ({ directory }) => existsSync(join(directory, 'expected.json')) && !existsSync(join(directory, 'expected.yaml')),
  )
  assert.equal(
    lacking.map(({ name }) => name),
    OTHERWISE_IN_YAML,
  )
})

test.run()
