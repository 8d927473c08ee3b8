import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { narrow, roundToSingle, toBytes, toInteger } from '../../src/compose/numbers.ts'

test('whole numbers of 64 bits stay exact', () => {
  assert.is(toInteger('9223372036854775807'), 2n ** 63n - 1n)
  assert.is(toInteger(2n ** 64n - 1n), 2n ** 64n - 1n)
  assert.equal(['+1', '-1', '01', '1e3', 2, 2.5, '2.5', 'x', '', Number.NaN].map(toInteger), [
    ...[1n, -1n, 1n, 1000n, 2n],
    ...[undefined, undefined, undefined, undefined, undefined],
  ])
  assert.equal([5n, 2n ** 60n].map(narrow), [5, 2n ** 60n])
})

test('a fraction keeps the digits that a 32-bit float has', () => {
  assert.equal([0.1, 0.5, 3, 0.123456789, 16777217, 4294967296].map(roundToSingle), [
    ...[0.1, 0.5, 3, 0.12345679, 16777216, 4294967300],
  ])
})

test('sizes are bytes of 63 bits', () => {
  assert.equal(['1k', '9223372036854775807', '-1', 1.5, -2].map(toBytes), [1024n, 2n ** 63n - 1n, -1n, 1n, -2n])
  assert.equal(['8192p', '-2', '-1m', Number.POSITIVE_INFINITY, 1e20, 'x'].map(toBytes), Array(6).fill(undefined))
})

test.run()
