import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from '../../src/compose/parse.ts'
import { Report } from '../../src/compose/report.ts'
import { decodeTrees, encodeTrees } from '../../src/compose/tree-codec.ts'
import { casesOf, loadCase, readerOf } from './cases.ts'

for (const phase of ['scalars', 'canonical', 'merge', 'format']) {
  for (const each of casesOf(phase)) {
    for (const file of ['/project/compose.yaml', '/project/override.yaml']) {
      const text = readerOf(each)(file)
      if (text === undefined) continue
      test(`${phase}/${each.name}${file.slice('/project'.length)} comes back as it was`, () => {
        const { trees } = parse(file, text, new Report())
        assert.equal(decodeTrees(encodeTrees(trees), file), trees)
      })
    }
  }
}

test('damaged or foreign bytes are not a tree', () => {
  const bytes = encodeTrees(parse('f', 'a: [1, text, true]\n', new Report()).trees)
  assert.is(decodeTrees(bytes.subarray(0, bytes.length - 2), 'f'), undefined)
  assert.is(decodeTrees(new Uint8Array(4), 'f'), undefined)
  assert.is(decodeTrees(Uint8Array.of(0, 0, 0, 99, ...bytes.subarray(4)), 'f'), undefined)
})

test('a second load takes tree and check from the cache, and finds the same', async () => {
  const [each] = casesOf('format').filter(({ name }) => name === 'every-section')
  assert.ok(each)
  const store = new Map<string, Uint8Array>()
  const reads: boolean[] = []
  const cache = {
    hash: (text: string): string => text,
    get: (key: string): Uint8Array | undefined => {
      reads.push(store.has(key))
      return store.get(key)
    },
    set: (key: string, bytes: Uint8Array): void => {
      store.set(key, bytes)
    },
  }
  const first = await loadCase(each, cache)
  const second = await loadCase(each, cache)
  assert.equal(reads, [false, false, true, true])
  assert.equal(second.canonical, first.canonical)
  assert.equal([...second.origins], [...first.origins])
})

test.run()
