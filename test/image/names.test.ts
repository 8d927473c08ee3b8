/** Names of images: given, taken, and what goes with the last one. */
import { existsSync, statSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { historyOf } from '../../src/image/history.ts'
import { inspectImage } from '../../src/image/inspect.ts'
import { blobOf, layerOf } from '../../src/image/paths.ts'
import { type ImageUser, removeImageNames } from '../../src/image/remove.ts'
import { allRecords, blobsOf, findRecord, resolveMadeFrom, sweep, writeReference } from '../../src/image/store.ts'
import { summarise } from '../../src/image/summary.ts'
import { tag } from '../../src/image/tag.ts'
import { storeUsage } from '../../src/image/usage.ts'
import { ociArchive, ociImage } from './archive.ts'
import { bottom, codeOf, load, named, storeSuite, top, UNUSED } from './stored.ts'

const test = storeSuite('names')

/** both:1 stands on one:1 and a layer of its own. */
test.before.each(async (context) => {
  const both = ociImage({ layers: [bottom, top], config: { Labels: { a: 'b' } } })
  const one = ociImage({ layers: [bottom] })
  const entries = [named(both.descriptor, 'both:1'), named(one.descriptor, 'one:1')]
  await load(context, ociArchive([...both.blobs, ...one.blobs], entries))
})

const names = (place: { root: string }) =>
  allRecords(place)
    .map(({ reference }) => reference)
    .sort()
const DIGEST = `sha256:${'d'.repeat(64)}`

test('a tag is another name of the same image; the name that is taken leaves its image under its id', (place) => {
  const before = findRecord(place, 'one:1')
  tag(place, 'both:1', 'shop/both')
  tag(place, 'both:1', 'one:1')
  const { id } = findRecord(place, 'both:1')
  assert.equal(names(place), ['both:1', 'one:1', before.id, 'shop/both:latest'])
  assert.equal(findRecord(place, 'shop/both').manifest, findRecord(place, 'both:1').manifest)
  assert.equal(inspectImage(place, id).RepoTags, ['both:1', 'one:1', 'shop/both:latest'])
  assert.is(
    codeOf(() => tag(place, 'nothing:1', 'x')),
    'ENOIMAGE',
  )
  assert.is(
    codeOf(() => tag(place, 'both:1', `x@${DIGEST}`)),
    'EREFERENCE',
  )
  assert.is(
    codeOf(() => tag(place, 'both:1', 'caisson/host')),
    'EIMAGE',
  )
  assert.is(
    codeOf(() => tag(place, 'caisson/host', 'x')),
    'EIMAGE',
  )
})

test('removing says what goes: names, the image with its last one, and the layers nobody else needs', (place) => {
  const { id, layers } = findRecord(place, 'both:1')
  tag(place, 'both:1', 'both:2')
  assert.equal(removeImageNames(place, 'both:2', UNUSED), { untagged: ['both:2'], deleted: [] })
  assert.equal(removeImageNames(place, 'both:1', UNUSED), {
    untagged: ['both:1'],
    deleted: [id, `sha256:${layers[0]}`],
  })
})

test('a dry run says what would go, and nothing goes', (place) => {
  const before = allRecords(place)
  const { id } = findRecord(place, 'both:1')
  const dry = { ...UNUSED, dryRun: true }
  assert.equal(removeImageNames(place, 'both:1', dry), { untagged: ['both:1'], deleted: [id] })
  assert.is(
    codeOf(() => removeImageNames(place, 'both:1', { ...dry, users: [user(id, true)] })),
    'EIMAGEUSED',
  )
  assert.equal(allRecords(place), before)
})

test('an id that has several names takes force, and loses all of them', (place) => {
  const { id } = findRecord(place, 'both:1')
  tag(place, 'both:1', 'both:2')
  assert.is(
    codeOf(() => removeImageNames(place, id.slice(7, 19), UNUSED)),
    'EIMAGE',
  )
  const { untagged } = removeImageNames(place, id.slice(7, 19), { force: true, users: [] })
  assert.equal(untagged, ['both:1', 'both:2'])
  assert.equal(names(place), ['one:1'])
})

test('what registries call an image goes with the last name of the repository, and can be forgotten alone', (place) => {
  const whole = `both@${DIGEST}`
  writeReference(place, { ...findRecord(place, 'both:1'), repoDigests: [whole] })
  tag(place, 'both:1', 'both:2')
  assert.is(findRecord(place, whole).id, findRecord(place, 'both:1').id)
  assert.equal(inspectImage(place, 'both:1').RepoDigests, [whole])
  assert.equal(inspectImage(place, 'both:1').Descriptor, findRecord(place, 'both:1').manifest)
  assert.equal(removeImageNames(place, 'both:2', UNUSED).untagged, ['both:2'])
  assert.equal(removeImageNames(place, whole, UNUSED), { untagged: [whole], deleted: [] })
  assert.equal(findRecord(place, 'both:1').repoDigests, [])
  writeReference(place, { ...findRecord(place, 'both:1'), repoDigests: [whole] })
  assert.equal(removeImageNames(place, 'both:1', UNUSED).untagged, ['both:1', whole])
})

const user = (imageId: string, isRunning: boolean): ImageUser => ({ name: 'a', project: 'p', imageId, isRunning })

for (const [isRunning, force, outcome] of [
  [true, false, 'EIMAGEUSED'],
  [true, true, 'EIMAGEUSED'],
  [false, false, 'EIMAGEUSED'],
  [false, true, 'no error'],
] as const)
  test(`the last name of an image whose container ${isRunning ? 'runs' : 'is stopped'}, force ${force}: ${outcome}`, (place) => {
    const { id, layers } = findRecord(place, 'both:1')
    const users = [user(id, isRunning)]
    assert.is(
      codeOf(() => removeImageNames(place, 'both:1', { force, users })),
      outcome,
    )
    sweep(place)
    assert.ok(existsSync(layerOf(place, layers[0] ?? '')))
    assert.equal(resolveMadeFrom(place, { image: 'both:1', imageId: id }).id, id)
  })

test('a name of several may go from under a running container', (place) => {
  tag(place, 'both:1', 'both:2')
  const users = [user(findRecord(place, 'both:1').id, true)]
  assert.equal(removeImageNames(place, 'both:1', { force: false, users }).untagged, ['both:1'])
})

test('a container keeps the layers it was made on although the name means another image by now', (place) => {
  const { id } = findRecord(place, 'one:1')
  tag(place, 'both:1', 'one:1')
  assert.is(resolveMadeFrom(place, { image: 'one:1', imageId: id }).id, id)
})

test('a summary has each image once, with what it shares with others', (place) => {
  tag(place, 'both:1', 'another')
  const rows = summarise(place)
    .filter(({ isBuiltIn }) => !isBuiltIn)
    .map(({ references, sizeBytes, sharedBytes, labels }) => ({ references, sizeBytes, sharedBytes, labels }))
    .sort((a, b) => b.sizeBytes - a.sizeBytes)
  assert.equal(rows, [
    { references: ['another:latest', 'both:1'], sizeBytes: 15, sharedBytes: 5, labels: { a: 'b' } },
    { references: ['one:1'], sizeBytes: 5, sharedBytes: 5, labels: {} },
  ])
})

test('the store takes every layer and blob once; what no container needs can be reclaimed', (place) => {
  const size = (digests: readonly string[]) =>
    digests.reduce((sum, digest) => sum + statSync(blobOf(place, digest)).size, 0)
  const both = findRecord(place, 'both:1')
  const one = findRecord(place, 'one:1')
  const all = [...new Set([...blobsOf(place, both), ...blobsOf(place, one)])]
  const usage = storeUsage(place, new Set([one.id]))
  assert.equal(usage, {
    unpackedBytes: 15,
    storedBytes: size(all),
    reclaimableBytes: 10 + size(all) - size([...new Set(blobsOf(place, one))]),
  })
  assert.is(storeUsage(place, new Set()).reclaimableBytes, 15 + size(all))
  assert.is(storeUsage(place, new Set([both.id, one.id])).reclaimableBytes, 0)
})

test('history has a row for each step, the last one first; layers that it does not mention come on top', () => {
  const said = [
    { created: '2026-01-02T03:04:05Z', created_by: 'ADD x', comment: 'c' },
    { created_by: 'CMD y', empty_layer: true },
  ]
  const row = { id: undefined, createdAt: undefined, createdBy: '', comment: '', sizeBytes: 0 }
  assert.equal(historyOf('sha256:i', said, [5, 10]), [
    { ...row, id: 'sha256:i', sizeBytes: 10 },
    { ...row, createdBy: 'CMD y' },
    { ...row, createdAt: Date.parse('2026-01-02T03:04:05Z'), createdBy: 'ADD x', comment: 'c', sizeBytes: 5 },
  ])
  assert.equal(historyOf('sha256:i', undefined, [7]), [{ ...row, id: 'sha256:i', sizeBytes: 7 }])
})

test.run()
