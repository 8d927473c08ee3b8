import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { humanDuration, humanSize, truncate } from '../../src/cli/render/human.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const durations: [milliseconds: number, text: string][] = [
  [10, 'Less than a second'],
  [SECOND, '1 second'],
  [59 * SECOND, '59 seconds'],
  [MINUTE, 'About a minute'],
  [2 * MINUTE, '2 minutes'],
  [50 * MINUTE, '50 minutes'],
  [HOUR, 'About an hour'],
  [3 * HOUR, '3 hours'],
  [47 * HOUR, '47 hours'],
  [3 * DAY, '3 days'],
  [20 * DAY, '2 weeks'],
  [90 * DAY, '3 months'],
  [800 * DAY, '2 years'],
]
for (const [milliseconds, text] of durations)
  test(`${milliseconds} ms are ${text}`, () => assert.is(humanDuration(milliseconds), text))

test('sizes count in thousands with three digits', () => {
  assert.equal([0, 999, 1210, 31_744_000].map(humanSize), ['0B', '999B', '1.21kB', '31.7MB'])
})

test('a cut text ends in one character for the rest', () => {
  assert.is(truncate('docker-entrypoint.sh postgres', 20), 'docker-entrypoint.s…')
  assert.is(truncate('short', 20), 'short')
})

test.run()
