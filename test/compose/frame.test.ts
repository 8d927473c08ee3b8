/** Frames as a terminal shows them: the caret stands below its place whatever stands before it. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { columnsOf } from '../../src/compose/columns.ts'
import { formatDiagnostic, formatFrame, locate } from '../../src/compose/frame.ts'

const frameOf = (source: string, part: string): readonly string[] => {
  const start = source.indexOf(part)
  const at = { file: 'a', start, end: start + part.length }
  const sources = new Map([['a', source]])
  const place = locate({ path: [], at }, { origins: new Map(), sources })
  assert.ok(place)
  return formatFrame(place, source).split('\n').slice(-2)
}

/** Columns before the mark, and of it. */
const markOf = ([, marks = '']: readonly string[]): readonly [number, number] => [
  marks.indexOf('^'),
  marks.length - marks.indexOf('^'),
]

const columnsBefore = ([line = '']: readonly string[], part: string): number =>
  columnsOf(line.slice(0, line.indexOf(part)))

for (const [what, source, width] of [
  ['plain text', 'key: value', 5],
  ['a tab', 'a:\tkey: value', 5],
  ['Chinese', '名前: value', 5],
  ['an emoji of several characters', 'x: "👩‍👩‍👧 🏳️‍🌈" value', 5],
  ['a flag', 'x: 🇩🇪 value', 5],
  ['an accent of its own', 'x: e\u0301 value', 5],
  ['Korean', 'x: 한국어 value', 5],
] as const) {
  test(`the mark stands below its place behind ${what}`, () => {
    const frame = frameOf(source, 'value')
    assert.equal(markOf(frame), [columnsBefore(frame, 'value'), width])
  })
}

test('a wide text is marked in its whole width', () => assert.equal(markOf(frameOf('a: 名前', '名前'))[1], 4))

test('a long line is cut on both sides of its place, between characters', () => {
  const [line = '', marks = ''] = frameOf(`${'🙂'.repeat(500)}value${'x'.repeat(5000)}`, 'value')
  assert.match(line, /^ {2}1 \| …🙂+valuex+…$/u)
  assert.ok(columnsOf(line) < 140, line)
  assert.is(columnsOf(line.slice(0, line.indexOf('value'))), marks.indexOf('^'))
})

test('a place of several lines is marked to the end of the first', () =>
  assert.equal(frameOf('a: |\n  one\n  two\n', '|\n  one'), ['  1 | a: |', '    |    ^']))

test('carriage returns at the ends of lines are not shown', () =>
  assert.equal(frameOf('a: b\r\nc: d\r\n', 'd'), ['  2 | c: d', '    |    ^']))

test('what a terminal would obey is shown as a dot', () => {
  const [line] = frameOf('a: "\x1b[31mred\u202e" value', 'value')
  assert.is(line, '  1 | a: "·[31mred·" value')
})

test('escape sequences in a value do not get out by the message', () => {
  const diagnostic = { code: 'x', severity: 'error', path: [], message: 'is "\x1b]0;title\x07"' } as const
  assert.is(
    formatDiagnostic(diagnostic, { origins: new Map(), hidden: new Set(), sources: new Map() }),
    'error: is "·]0;title·" [x]',
  )
})

test('columns are counted in characters as an editor does', () => {
  const sources = new Map([['a', 'x: 🙂 value']])
  const place = locate({ path: [], at: { file: 'a', start: 6, end: 11 } }, { origins: new Map(), sources })
  assert.equal([place?.line, place?.column], [1, 6])
})

test.run()
