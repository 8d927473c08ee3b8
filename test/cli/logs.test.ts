import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readBound, readPattern } from '../../src/cli/commands/logs.ts'

const bound = (word: string | undefined): string => readBound(word, '--since', Date.UTC(2026, 0, 1))

test('a bound is a duration before now, seconds since the epoch, or a time with all its digits', () => {
  assert.is(bound(undefined), '')
  assert.is(bound('42m'), '2025-12-31T23:18:00.000000000Z')
  assert.is(bound('1136073845.000000001'), '2006-01-01T00:04:05.000000001Z')
  assert.is(bound('2026-01-02T13:23:37.123456789+02:00'), '2026-01-02T11:23:37.123456789Z')
  assert.is(bound('2026-01-02T13:23'), '2026-01-02T13:23:00.000000000Z')
  assert.is(bound('2026-01-02'), '2026-01-02T00:00:00.000000000Z')
  assert.throws(() => bound('yesterday'), /--since takes a time/)
})

test('a pattern may ignore case, and a wrong one is a mistake of the command line', () => {
  assert.equal(
    [readPattern('a.c').flags, readPattern('(?i)a.c').flags, readPattern('(?i)a.c').source],
    ['g', 'gi', 'a.c'],
  )
  assert.throws(() => readPattern('('), /--grep: /)
})

test.run()
