/**
 * The short way through YAML gives to the last offset what the YAML package gives, or nothing: on every file of the cases, on
 * those files changed at random, and on generated ones. Runs of one seed; FUZZ_RUNS=100000 for more.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeText } from '../../src/cli/files.ts'
import type { Node } from '../../src/compose/node.ts'
import { parse } from '../../src/compose/parse.ts'
import { Report } from '../../src/compose/report.ts'
import { parsePlainly } from '../../src/compose/yaml-fast/parse-plainly.ts'
import { fixtures } from './cases.ts'

const SEED = 7
const RUNS = Number(process.env.FUZZ_RUNS ?? 3000)

const texts = readdirSync(fixtures, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name) && !entry.parentPath.includes('bomb'))
  .map((entry) => decodeText(readFileSync(join(entry.parentPath, entry.name))))
  .filter((text) => text.length < 20_000)

/** Every node once, with its places, and aliases as what they share. */
const describe = (root: Node): string => {
  const seen = new Map<Node, number>()
  const lines: string[] = []
  const visit = (node: Node): void => {
    const known = seen.get(node)
    if (known !== undefined) return void lines.push(`same as ${known}`)
    seen.set(node, seen.size)
    const { kind, origin, tag } = node
    lines.push(`${kind} ${origin.start}-${origin.end} ${origin.file} ${tag ?? ''}`)
    if (node.kind === 'scalar')
      lines.push(`${typeof node.value} ${JSON.stringify(String(node.value))} ${node.date ?? ''}`)
    if (node.kind === 'sequence') for (const item of node.items) visit(item)
    if (node.kind !== 'map') return
    for (const [name, { key, value }] of node.entries) {
      lines.push(`${JSON.stringify(name)} ${key?.start}-${key?.end}`)
      visit(value)
    }
    lines.push('end')
  }
  visit(root)
  return lines.join('\n')
}

/** true: the short way was enough. */
const compare = (text: string): boolean => {
  const plain = parsePlainly('file', text)
  if (plain === undefined) return false
  const report = new Report()
  const { trees, broken } = parse('file', text, report)
  assert.not(broken)
  assert.equal(report.diagnostics, [])
  assert.is(trees.length, 1)
  assert.is(describe(plain), trees[0] && describe(trees[0]))
  return true
}

test('both ways agree on all files of the cases, and the short one does for most', () => {
  const enough = texts.filter(compare).length
  assert.ok(enough > 0.7 * texts.length, `${enough} of ${texts.length}`)
})

const PIECES = [
  ...[
    '\n',
    '\n\n',
    '\n  ',
    '\n    ',
    ' ',
    '  ',
    '# c',
    ' # c\n',
    '\n# c\n',
    '\n  # c\n',
    '\n      # c\n',
    ':',
    ': ',
    ':\n',
    '- ',
    '-',
  ],
  ...[
    '[',
    ']',
    '{',
    '}',
    ',',
    ', ',
    '"',
    "'",
    "''",
    '\\',
    '\\n',
    '&a ',
    '&a\n',
    '*a',
    '<<: *a\n',
    '<<: ',
    '|',
    '|\n',
    '>-\n',
    '|-',
  ],
  ...[
    '~',
    'null',
    '1',
    '0x1f',
    '2024-01-01',
    'a',
    'é',
    '😀',
    '\ud800',
    '---\n',
    '...\n',
    '---',
    '%',
    '@',
    '!x ',
    '? ',
    '$',
    '\t',
    '\r\n',
  ],
]

const change = fc.record({ at: fc.nat(4000), remove: fc.nat(6), piece: fc.constantFrom(...PIECES, '', '') })

const changed = fc
  .tuple(fc.constantFrom(...texts), fc.array(change, { minLength: 1, maxLength: 4 }))
  .map(([text, changes]) =>
    changes.reduce((whole, { at, remove, piece }) => {
      const place = whole.length === 0 ? 0 : at % whole.length
      return whole.slice(0, place) + piece + whole.slice(place + remove)
    }, text),
  )

/** Runs of which the short way read none would show nothing. */
const agree = (some: fc.Arbitrary<string>, numRuns: number, share: number): void => {
  let read = 0
  const tryOne = (text: string): void => {
    if (compare(text)) read++
  }
  fc.assert(fc.property(some, tryOne), { seed: SEED, numRuns })
  assert.ok(read > share * numRuns, `${read} of ${numRuns}`)
}

test('both ways agree on changed files', () => {
  agree(changed, RUNS, 0.05)
})

/** Lines of any indentation that look like YAML: comments, empty values and blocks of text meet in every order. */
const line = fc
  .tuple(
    fc.constantFrom('', '', '  ', '  ', '    ', '      ', ' ', '   '),
    fc.constantFrom(
      ...['a:', 'b:', 'c:', 'd: 1', 'e: x # c', 'f: &n', 'g: *n', 'h: &n v', '<<: *n', 'i:  # c', 'j: ', '"k": "v"'],
      ...['- a', '- b: 1', '-  c:', '- |', '- &m x', '- *m', '-', '- [a, b]', "- 'q'", '# c', '# d', '', '', 'text'],
      ...[
        'l: |',
        'm: >-',
        'n: >',
        'o: |-  ',
        'p: [a, {b: c}]',
        'q: {a: "1", b: [x]}',
        'r: [a,',
        'b]',
        ']',
        's: []',
        't: {}',
      ],
    ),
  )
  .map(([indent, text]) => indent + text)

test('both ways agree on lines in any order', () => {
  const lines = fc.array(line, { minLength: 1, maxLength: 9 }).map((some) => some.join('\n'))
  const end = fc.constantFrom('', '\n', '\n\n', '  ', '\n  # c', '\n  # c\n')
  agree(
    fc.tuple(lines, end).map((parts) => parts.join('')),
    3 * RUNS,
    0.01,
  )
})

test.run()
