import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type FilterKey, isReferenceLike, matchesImage, readImageFilters } from '../../src/cli/image-filters.ts'

const ALL: readonly FilterKey[] = ['dangling', 'reference', 'label', 'label!', 'before', 'since', 'until']
const NOW = Date.parse('2026-01-10T00:00:00Z')
const image = { references: ['shop/web:1'], labels: { tier: 'front' }, createdAt: Date.parse('2026-01-08T00:00:00Z') }
const other = (name: string): number => Date.parse(name === 'old' ? '2026-01-01' : '2026-01-09')
const fits = (...filters: string[]) => matchesImage(image, readImageFilters(filters, ALL, NOW), other)

for (const [filters, expected] of [
  [[], true],
  [['dangling=true'], false],
  [['dangling=0'], true],
  [['label=tier'], true],
  [['label=tier=front', 'label=none'], false],
  [['label!=tier'], false],
  [['label!=tier=back'], true],
  [['reference=shop/*'], true],
  [['reference=*'], false],
  [['reference=nothing', 'reference=shop/w?b:1'], true],
  [['before=new'], true],
  [['before=old'], false],
  [['since=old'], true],
  [['since=new'], false],
  [['until=24h'], true],
  [['until=72h'], false],
  [['until=2026-01-09'], true],
  [[`until=${image.createdAt / 1000}`], false],
] as const)
  test(`${filters.join(' and ') || 'no filter'}: ${expected}`, () => assert.is(fits(...filters), expected))

test('a pattern is of the name with its tag or without, and of a digest', () => {
  assert.ok(isReferenceLike(['localhost:5000/a'], 'localhost:5000/a:1'))
  assert.ok(isReferenceLike(['a'], `a@sha256:${'0'.repeat(64)}`))
  assert.not.ok(isReferenceLike(['a'], 'b/a:1'))
})

test('a key that is not of the command, and values that mean nothing, are usage errors', () => {
  for (const filter of ['colour=red', 'dangling', 'dangling=perhaps', 'until=soon'])
    assert.throws(
      () => readImageFilters([filter], ALL, NOW),
      (error: { code?: string }) => error.code === 'EUSAGE',
    )
  assert.throws(() => readImageFilters(['before=x'], ['label'], NOW))
})

test.run()
