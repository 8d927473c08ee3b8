import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Tail } from '../../src/cli/tail.ts'

const tailOf = (count: number, ...pieces: string[]): readonly string[] => {
  const tail = new Tail(count)
  for (const piece of pieces) tail.add(Buffer.from(piece, 'latin1'))
  return tail.lines
}

test('the last lines stay, however they are cut', () => {
  assert.equal(tailOf(2, 'a\nb', 'c\n', 'd\ne\n'), ['d', 'e'])
  assert.equal(tailOf(2, 'a\nb\nc', 'd'), ['b', 'cd'])
  assert.equal(tailOf(3, '\n', '\n', 'x\n'), ['', '', 'x'])
  assert.equal(tailOf(3), [])
})

test('a character that comes in two pieces is one', () => {
  assert.equal(tailOf(1, '\xc3', '\xbc\n'), ['ü'])
})

test('a line without end is bounded', () => {
  assert.ok((tailOf(1, 'x'.repeat(1 << 20), 'y')[0] ?? '').length <= 64 << 10)
})

test.run()
