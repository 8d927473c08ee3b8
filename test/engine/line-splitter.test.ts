import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LineSplitter } from '../../src/engine/line-splitter.ts'

const linesOf = (...pieces: (string | Buffer)[]): string[] => {
  const lines: string[] = []
  const splitter = new LineSplitter((line) => lines.push(line))
  for (const piece of pieces) splitter.add(Buffer.from(piece))
  splitter.end()
  return lines
}

test('pieces become lines, the last one without its end too, empty ones included', () => {
  assert.equal(linesOf('a', 'b\n\nc', '\nd'), ['ab', '', 'c', 'd'])
  assert.equal(linesOf('a\n'), ['a'])
  assert.equal(linesOf(), [])
})

test('a character may be cut anywhere', () => {
  const bytes = Buffer.from('ä\n')
  assert.equal(linesOf(bytes.subarray(0, 1), bytes.subarray(1)), ['ä'])
})

test('a line that never ends is told in pieces', () => {
  const lines = linesOf(...Array.from({ length: 100 }, () => 'x'.repeat(1000)))
  assert.ok(lines.length > 4)
  assert.is(lines.join('').length, 100_000)
})

test.run()
