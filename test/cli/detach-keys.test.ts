import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DEFAULT_DETACH_KEYS, DetachKeys, parseDetachKeys } from '../../src/cli/detach-keys.ts'

const typed = (keys: string, ...parts: string[]): string => {
  const scanner = new DetachKeys(parseDetachKeys(keys))
  let passed = ''
  for (const part of parts) {
    const { data, isDetached } = scanner.feed(Buffer.from(part))
    passed += data.toString()
    if (isDetached) return `${passed}!`
  }
  return passed
}

test('keys by name and by letter', () => {
  assert.equal(parseDetachKeys(DEFAULT_DETACH_KEYS), [16, 17])
  assert.equal(parseDetachKeys('ctrl-@,a,ctrl-_,ctrl-A'), [0, 97, 31, 1])
  for (const wrong of ['', 'ctrl-', 'ctrl-5', 'ab', 'ä'])
    assert.throws(
      () => parseDetachKeys(wrong),
      ({ name }: Error) => name === 'UsageError',
      wrong,
    )
})

test('the sequence detaches, in one piece or in several', () => {
  assert.is(typed('ctrl-p,ctrl-q', 'ls\n\x10\x11rest'), 'ls\n!')
  assert.is(typed('ctrl-p,ctrl-q', 'ls', '\x10', '\x11'), 'ls!')
  assert.is(typed('a,b,c', 'xa', 'bc'), 'x!')
})

test('the beginning of it is held back, and passed on when something else follows', () => {
  assert.is(typed('ctrl-p,ctrl-q', '\x10'), '')
  assert.is(typed('ctrl-p,ctrl-q', '\x10', 'x'), '\x10x')
  assert.is(typed('ctrl-p,ctrl-q', '\x10\x10\x11'), '\x10!')
})

test.run()
