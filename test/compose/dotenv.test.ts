import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseDotenv } from '../../src/compose/dotenv.ts'
import { parseRawEnvironment } from '../../src/compose/dotenv-raw.ts'

const parse = (text: string, shell: Record<string, string> = {}): Record<string, string> => {
  const { variables, mistakes } = parseDotenv(text, (name) => shell[name])
  assert.equal(mistakes, [])
  return Object.fromEntries(variables)
}

const CASES: readonly (readonly [string, string, Record<string, string>])[] = [
  ['a plain assignment', 'A=b', { A: 'b' }],
  ['spaces around the sign are left out', 'A = b ', { A: 'b' }],
  ['a colon assigns too', 'A: b\nC:d', { A: 'b', C: 'd' }],
  ['export is allowed', 'export A=b\nexport  C=d', { A: 'b', C: 'd' }],
  ['an empty value is empty text', 'A=\nB=""\nC=', { A: '', B: '', C: '' }],
  ['comments stand at the start or after a space', '# x\nA=b # c\nC=d#e\n  # y', { A: 'b', C: 'd#e' }],
  ['a comment may follow a quoted value', 'A="b" # c\nD=\'e\' # f', { A: 'b', D: 'e' }],
  ['single quotes are literal', "A='$B \\n ${C}'", { A: '$B \\n ${C}' }],
  ['a single quote can be escaped', "A='it\\'s'", { A: "it's" }],
  ['double quotes know escapes', 'A="a\\nb\\tc\\\\d\\"e\\0101"', { A: 'a\nb\tc\\d"eA' }],
  ['an escaped dollar is a dollar', 'A="\\$B"\nC="$$B"', { A: '$B', C: '$B' }],
  ['quoted values may have several lines', 'A="one\ntwo"\nB=\'three\nfour\'', { A: 'one\ntwo', B: 'three\nfour' }],
  ['earlier variables can be used', 'A=1\nB=$A${A}-${A:-x}\nC="${B}"', { A: '1', B: '11-1', C: '11-1' }],
  ['operators work as in a Compose file', 'A=${X:-def}\nB=${X-}\nC=${A:+alt}', { A: 'def', B: '', C: 'alt' }],
  ['names may have dots, dashes and brackets', 'a.b=1\nc-d=2\ne[0]=3', { 'a.b': '1', 'c-d': '2', 'e[0]': '3' }],
  ['a byte order mark is left out', '\ufeffA=b', { A: 'b' }],
  ['lines may end as on Windows', 'A=b\r\nC="d"\r\n', { A: 'b', C: 'd' }],
  ['the last of several assignments counts', 'A=1\nA=2', { A: '2' }],
  ['an equals sign may be part of the value', 'A=b=c', { A: 'b=c' }],
  ['quotes inside of a value stay', 'A=it"s', { A: 'it"s' }],
]

for (const [name, text, expected] of CASES) {
  test(name, () => assert.equal(parse(text), expected))
}

test('a name alone is taken from the environment, or is not there', () => {
  assert.equal(parse('A\nB\nC=1', { A: 'shell' }), { A: 'shell', C: '1' })
})

test('the environment wins over the file where a value uses a variable', () => {
  assert.equal(parse('A=file\nB=$A', { A: 'shell' }), { A: 'file', B: 'shell' })
})

const MISTAKES: readonly (readonly [string, string, number])[] = [
  ['a name with a space', 'A=1\nB C=2', 2],
  ['a character that no name has', 'A=1\n\n!B=2', 3],
  ['a quote that is never closed', 'A="b\nc', 1],
  ['a variable that is none', 'A=${', 1],
  ['a variable that needs a value', 'X=1\nA=${B:?why}', 2],
]

for (const [name, text, line] of MISTAKES) {
  test(`a mistake with its line: ${name}`, () => {
    const { mistakes } = parseDotenv(text, () => undefined)
    assert.equal(
      mistakes.map((mistake) => mistake.line),
      [line],
    )
    for (const { start, end } of mistakes) assert.ok(start < end && end <= text.length)
  })
}

const SEVERAL: readonly (readonly [string, string, readonly number[], Record<string, string>])[] = [
  ['lines that are no assignments', 'A=1\nB C=2\n!D=3\nE=4', [2, 3], { A: '1', E: '4' }],
  ['values', 'A=${\nB="${"\nC=${X:?}${Y:?}\nD=1', [1, 2, 3, 3], { D: '1' }],
  ['a quote that is never closed, and what follows', 'A="b\nc d\n!e\nF=1\nG H=2\nI=3', [1, 5], { F: '1', I: '3' }],
  [
    'a key of several lines whose quote is never closed',
    "A=1\nB='-----BEGIN KEY-----\nMII/cd+e f\nab=\n-----END KEY-----\nC=2\n",
    [2],
    { A: '1', C: '2' },
  ],
]

for (const [name, text, lines, values] of SEVERAL) {
  test(`every mistake is told, and good lines count: ${name}`, () => {
    const { mistakes, variables } = parseDotenv(text, () => undefined)
    assert.equal(
      mistakes.map(({ line }) => line),
      lines,
    )
    assert.equal(Object.fromEntries(variables), values)
  })
}

test('every mistake of a raw file is told, and good lines count', () => {
  const { mistakes, variables, wrong } = parseRawEnvironment('A=1\nexport B=2\n=3\nC=4', () => undefined)
  assert.equal(
    mistakes.map(({ line }) => line),
    [2, 3],
  )
  assert.equal(Object.fromEntries(variables), { A: '1', C: '4' })
  assert.ok(wrong.has('B'))
})

test('a variable of a wrong line counts as unset without being said again, and so does what is made of it', () => {
  const { mistakes, unset, wrong } = parseDotenv('A="${"\nB=$A\nC=${B:?}\nD=${A:-d}\nE=${NONE}', () => undefined)
  assert.is(mistakes.length, 1)
  assert.equal(
    unset.map(({ name }) => name),
    ['NONE'],
  )
  assert.equal([...wrong], ['A', 'B', 'C'])
})

test('a quote that is missing is looked for where its value begins', () => {
  const { mistakes, variables, wrong } = parseDotenv('A="b\nC=d\nE="f"\nG=1\n', () => undefined)
  assert.equal(Object.fromEntries(variables), { G: '1' })
  for (const name of ['A', 'C', 'E']) assert.ok(wrong.has(name), name)
  assert.equal(
    mistakes.map(({ line, hint }) => [line, /\bA\b.*line 1\b/.test(hint ?? '')]),
    [[3, true]],
  )
})

test('raw files take every value as it stands', () => {
  const { variables } = parseRawEnvironment('\ufeffA="x" # y\r\n# c\nB=$A\n\nC\nD', (name) =>
    name === 'C' ? 'shell' : undefined,
  )
  assert.equal(Object.fromEntries(variables), { A: '"x" # y', B: '$A', C: 'shell' })
})

test('a raw line without a name, or with a space in it, is a mistake', () => {
  for (const [text, line] of [
    ['A=1\n =2', 2],
    ['A=1\r\n\r\n  export B=2\r\n', 3],
  ] as const) {
    const [mistake] = parseRawEnvironment(text, () => undefined).mistakes
    assert.is(mistake?.line, line)
    assert.ok(['=', 'export B'].includes(text.slice(mistake?.start, mistake?.end)))
  }
})

test('places are those of the file, whatever its line ends and whether it starts with a byte order mark', () => {
  const text = '\ufeffA=1\r\nB="x\ty $NONE"\r\nC=a${OTHER}\r\n!D=1'
  const { mistakes, unset } = parseDotenv(text, () => undefined)
  const [mistake] = mistakes
  assert.equal(
    unset.map(({ name, start, end }) => [name, text.slice(start, end)]),
    [
      ['NONE', '$'],
      ['OTHER', '${OTHER'],
    ],
  )
  assert.is(mistake?.line, 4)
  assert.is(text.slice(mistake?.start, mistake?.end), '!')
})

test('lines of a quoted value end alike on all machines', () => {
  assert.equal(parse('A="b\r\nc"\r\nD=\'e\r\nf\''), { A: 'b\nc', D: 'e\nf' })
})

test('a dollar sign that starts no name stands for itself', () => {
  assert.equal(parse('A=$2a$10$\nB="$(x) $"'), { A: '$2a$10$', B: '$(x) $' })
})

test.run()
