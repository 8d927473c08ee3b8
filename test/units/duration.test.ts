import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatDuration, parseDuration } from '../../src/units/duration.ts'

test('durations add up their parts', () => {
  const texts = ['10s', '1m30s', '1h5m30s20ms', '1d', '1w2d', '500us', '1.5s', '.5m', '0', '0s', '-3s', '2ns', '3µs']
  const expected = [10e9, 90e9, 3930.02e9, 86400e9, 777600e9, 500e3, 1.5e9, 30e9, 0, 0, -3e9, 2, 3000]
  assert.equal(texts.map(parseDuration), expected)
})

test('what is no duration is undefined', () => {
  for (const text of ['', '10', 'soon', '5 s', '1s2', 's', '1x', '--1s'])
    assert.is(parseDuration(text), undefined, text)
})

test('durations print as Go prints them', () => {
  const values = [0, 1, 1500, 2_500_000, 1.5e9, 60e9, 90e9, 3600e9, 86_400e9, 3930.02e9, -90e9]
  const texts = ['0s', '1ns', '1.5µs', '2.5ms', '1.5s', '1m0s', '1m30s', '1h0m0s', '24h0m0s', '1h5m30.02s', '-1m30s']
  assert.equal(values.map(formatDuration), texts)
})

test('what is printed reads back the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 15 }), (value) => parseDuration(formatDuration(value)) === value),
  )
})

test.run()
