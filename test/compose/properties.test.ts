/** What holds for every Compose file, tried on all cases and on generated text. */
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatJson, formatYaml } from '../../src/compose/format.ts'
import { load } from '../../src/compose/load.ts'
import { parse } from '../../src/compose/parse.ts'
import type { LoadResult } from '../../src/compose/project.ts'
import { Report } from '../../src/compose/report.ts'
import { resolvePlain } from '../../src/compose/scalar.ts'
import { substitute } from '../../src/compose/template.ts'
import { writeYaml } from '../../src/compose/yaml-text.ts'
import { type Case, casesOf, compileSchema, loadCase, readerOf } from './cases.ts'

compileSchema()

const loadText = (
  text: string,
  readFile: (path: string) => string | undefined = () => undefined,
): Promise<LoadResult> =>
  load({
    files: ['/project/compose.yaml'],
    workingDirectory: '/project',
    environment: { HOME: '/home/user' },
    profiles: ['*'],
    readFile: (path) => (path === '/project/compose.yaml' ? text : readFile(path)),
  })

/** The reference doubles dollar signs of keys too, where no interpolation takes them back; so do we. */
const NO_FIXED_POINT = 'keys-are-left-alone'
/** Paths that were left relative are resolved by the second pass, and variables replaced. */
const hasFixedPoint = ({ name, settings }: Case): boolean => name !== NO_FIXED_POINT && settings.options === undefined

for (const phase of ['scalars', 'interpolation', 'merge', 'canonical', 'normalise', 'extends', 'include', 'models']) {
  for (const each of casesOf(phase).filter(hasFixedPoint)) {
    test(`the canonical form of ${phase}/${each.name} is a fixed point`, async () => {
      const first = await loadCase(each)
      if (!first.project) return
      const again = await loadText(formatYaml(first.canonical, { interpolated: true }), readerOf(each))
      assert.equal(
        again.diagnostics.filter(({ severity }) => severity === 'error'),
        [],
      )
      assert.is(
        formatJson(again.canonical, { interpolated: true }),
        formatJson(first.canonical, { interpolated: true }),
      )
    })
  }
}

for (const phase of [
  'syntax',
  'schema',
  'values',
  'consistency',
  'interpolation',
  'merge',
  'canonical',
  'extends',
  'include',
]) {
  test(`every position in ${phase} lies inside its file`, async () => {
    for (const each of casesOf(phase)) {
      const { origins, diagnostics, sources } = await loadCase(each)
      const check = ({
        file,
        start,
        end,
      }: {
        readonly file: string
        readonly start: number
        readonly end: number
      }): void => {
        const length = sources.get(file)?.length ?? 0
        assert.ok(
          0 <= start && start <= end && end <= Math.max(length, 1),
          `${each.name}: ${file} ${start}-${end} of ${length}`,
        )
      }
      for (const { at } of diagnostics) if (at) check(at)
      for (const { value, key } of origins.values())
        for (const origin of key ? [value, key] : [value]) if (origin.file) check(origin)
    }
  })
}

test('no text makes the loader throw, and whatever it says has a place', async () => {
  const pieces = [
    'services:',
    '\n',
    '  ',
    'web:',
    ' ',
    'image: a',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ':',
    '"',
    "'",
    '&a ',
    '*a',
    '<<: ',
    '!reset ',
    '$',
    '${',
    'x',
    '|',
    '\t',
    '#',
    '1',
  ]
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...pieces), { maxLength: 25 }), async (parts) => {
      const { diagnostics, project, sources } = await loadText(parts.join(''))
      for (const { at } of diagnostics) assert.ok(!at || at.end <= Math.max(1, sources.get(at.file)?.length ?? 0))
      assert.ok(project !== undefined || diagnostics.some(({ severity }) => severity === 'error'))
    }),
    { numRuns: 500 },
  )
})

test('what is written as YAML reads back as the same text', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[-~:#y0-9.'"\\ \n\t[{]*$/))
  fc.assert(
    fc.property(fc.array(text), fc.dictionary(text, text), (items, members) => {
      const written = writeYaml(
        new Map<string, string | readonly string[] | ReadonlyMap<string, string>>([
          ['items', items],
          ['members', new Map(Object.entries(members))],
        ]),
      )
      const report = new Report()
      const [tree] = parse('f', written, report).trees
      assert.equal(report.diagnostics, [], written)
      const list = tree?.kind === 'map' ? tree.entries.get('items')?.value : undefined
      assert.equal(
        list?.kind === 'sequence' ? list.items.map((item) => item.kind === 'scalar' && item.value) : [],
        items,
        written,
      )
      const map = tree?.kind === 'map' ? tree.entries.get('members')?.value : undefined
      const read =
        map?.kind === 'map'
          ? [...map.entries].map(([key, { value }]) => [key, value.kind === 'scalar' && value.value])
          : []
      assert.equal(read, Object.entries(members), written)
    }),
    { numRuns: 1000 },
  )
})

test('a text without dollar signs comes out of a substitution as it was', () => {
  const context = {
    lookup: () => 'x',
    used: () => {},
    unset: () => {},
    required: () => {},
    invalid: () => assert.unreachable(),
  }
  fc.assert(fc.property(fc.string(), (text) => substitute(text.replaceAll('$', '$$$$'), context) === text))
})

test('decimal integers of 64 bits keep every digit', () => {
  fc.assert(
    fc.property(
      fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n),
      (value) => String(resolvePlain(String(value))) === String(value),
    ),
  )
})

test.run()
