import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Positions } from '../../src/compose/positions.ts'

const at = (text: string, offset: number) => {
  const { line, column } = new Positions(new Map([['f', text]])).at('f', offset)
  return `${line}:${column}`
}

test('lines and columns count from one, the end of a line belongs to it', () => {
  assert.equal(
    [0, 1, 2, 3, 5].map((offset) => at('ab\ncd', offset)),
    ['1:1', '1:2', '1:3', '2:1', '2:3'],
  )
})

test('lines may be empty, and end as on Windows', () => {
  assert.equal([at('\n\nx', 1), at('\n\nx', 2), at('a\r\nb', 3)], ['2:1', '3:1', '2:1'])
})

test('a character is one column, however many units it takes', () => {
  assert.is(at('a: 🐳x', 5), '1:5')
})

test('what was not read has one line, and an offset behind the end is at the end', () => {
  assert.is(at('ab', 99), '1:3')
  assert.equal(new Positions(new Map()).at('nowhere', 7), { line: 1, column: 1 })
})

test.run()
