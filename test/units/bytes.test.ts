import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatBytes, parseBytes } from '../../src/units/bytes.ts'

test('sizes have units of 1024 whatever their spelling', () => {
  const sizes = [
    '0',
    '1024',
    '1b',
    '2k',
    '2kb',
    '2KiB',
    '50m',
    '1.5g',
    '64 MB',
    '.5k',
    '1tib',
    '1p',
    '-1',
    '1e3',
    '+1',
    '1_000',
  ]
  const expected = [
    0,
    1024,
    1,
    2048,
    2048,
    2048,
    52428800,
    1610612736,
    67108864,
    512,
    2 ** 40,
    2 ** 50,
    -1,
    1000,
    1,
    1000,
  ]
  assert.equal(sizes.map(parseBytes), expected)
})

test('what is no size is undefined', () => {
  for (const text of ['', 'm', '1x', '10 apples', '1 2', '-5m', '1kk', '1bb', '0x10', '8192p']) {
    assert.is(parseBytes(text), undefined, text)
  }
})

test('sizes for people have few digits', () => {
  assert.equal([0, 1023, 1024, 1536, 52428800, 1e12].map(formatBytes), [
    '0B',
    '1023B',
    '1KiB',
    '1.5KiB',
    '50MiB',
    '931GiB',
  ])
})

test.run()
