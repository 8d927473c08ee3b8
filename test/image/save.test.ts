/** Archives that are written: their structure, that they are read again, and that they are the same each time. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { blobOf, layerOf } from '../../src/image/paths.ts'
import { filesToSave, type SaveFormat, saveImages } from '../../src/image/save.ts'
import { allRecords, blobsOf, findRecord, writeReference } from '../../src/image/store.ts'
import { tag } from '../../src/image/tag.ts'
import { tarOf } from '../../src/image/tar.ts'
import { removeDamaged, verifyImages } from '../../src/image/verify.ts'
import { ociArchive, ociImage } from './archive.ts'
import { bottom, codeOf, load, named, type Place, storeSuite, top } from './stored.ts'

const test = storeSuite('save')
const both = ociImage({ layers: [bottom, top], compress: (layer) => gzipSync(layer) })
const one = ociImage({ layers: [bottom], compress: (layer) => gzipSync(layer) })
const whole = () =>
  ociArchive([...both.blobs, ...one.blobs], [named(both.descriptor, 'shop/both:1'), named(one.descriptor, 'one:1')])

test.before.each(async (context) => {
  await load(context, whole())
})

const bytesOf = async (place: Place, names: readonly string[], format: SaveFormat = 'docker-archive') => {
  const chunks: Buffer[] = []
  for await (const chunk of saveImages(place, names, format)) chunks.push(chunk)
  return Buffer.concat(chunks)
}
const json = (place: Place, names: readonly string[], file: string) => {
  const found = filesToSave(place, names, 'docker-archive').find(({ name }) => name === file)
  return JSON.parse(String(found?.content))
}
test('an archive has every blob once, an index of OCI and the manifest of docker', (place) => {
  tag(place, 'one:1', 'one:2')
  const files = filesToSave(place, ['one', 'shop/both:1'], 'docker-archive').map(({ name }) => name)
  const blobs = new Set([
    ...blobsOf(place, findRecord(place, 'one:1')),
    ...blobsOf(place, findRecord(place, 'shop/both:1')),
  ])
  assert.equal(files, [
    'blobs/',
    'blobs/sha256/',
    ...[...blobs].sort().map((digest) => `blobs/${digest.replace(':', '/')}`),
    ...['index.json', 'manifest.json', 'oci-layout'],
  ])
  const tags = json(place, ['one', 'shop/both:1'], 'manifest.json').map(
    ({ RepoTags }: { RepoTags: string[] }) => RepoTags,
  )
  assert.equal(tags.sort(), [['one:1', 'one:2'], ['shop/both:1']])
  const index = json(place, ['shop/both:1'], 'index.json')
  assert.equal(index.manifests, [
    {
      ...findRecord(place, 'shop/both:1').manifest,
      annotations: {
        'io.containerd.image.name': 'docker.io/shop/both:1',
        'org.opencontainers.image.ref.name': '1',
      },
    },
  ])
})

test('by its id an image is saved without a name, and --format oci has no manifest of docker', (place) => {
  const { id, manifest } = findRecord(place, 'one:1')
  assert.equal(json(place, [id.slice(7, 19)], 'index.json').manifests, [manifest])
  assert.is(json(place, [id], 'manifest.json')[0].RepoTags, null)
  assert.not.ok(filesToSave(place, ['one:1'], 'oci').some(({ name }) => name === 'manifest.json'))
})

test('what is saved is loaded again elsewhere, with names, ids and manifests, and is the same bytes each time', async (place) => {
  for (const format of ['docker-archive', 'oci'] as const) {
    const bytes = await bytesOf(place, ['shop/both:1', 'one:1'], format)
    assert.ok(bytes.equals(await bytesOf(place, ['one:1', 'shop/both:1'], format)))
    const other = { base: place.base, root: join(place.base, format) }
    await load(other, bytes)
    const known = (records: ReturnType<typeof allRecords>) =>
      records
        .map(({ reference, id, manifest, layers }) => ({ reference, id, manifest, layers }))
        .sort((a, b) => (a.reference < b.reference ? -1 : 1))
    assert.equal(known(allRecords(other)), known(allRecords(place)))
  }
})

test('an image that is not whole is not saved', async (place) => {
  const record = findRecord(place, 'one:1')
  writeReference(place, { ...record, manifest: undefined })
  assert.is(
    codeOf(() => filesToSave(place, ['one:1'], 'oci')),
    'ENOMANIFEST',
  )
  rmSync(blobOf(place, blobsOf(place, findRecord(place, 'shop/both:1')).at(-1) ?? ''))
  assert.is(
    codeOf(() => filesToSave(place, ['shop/both:1'], 'oci')),
    'ENOBLOB',
  )
  assert.is(
    codeOf(() => filesToSave(place, ['nothing:1'], 'oci')),
    'ENOIMAGE',
  )
  assert.is(
    codeOf(() => filesToSave(place, ['caisson/host'], 'oci')),
    'EIMAGE',
  )
})

test('names longer than a header holds are kept', async (place) => {
  const name = `blobs/sha512/${'a'.repeat(128)}`
  const chunks: Buffer[] = []
  for await (const chunk of tarOf([{ name, content: Buffer.from('content') }])) chunks.push(chunk)
  writeFileSync(join(place.base, 'long.tar'), Buffer.concat(chunks))
  const { openArchive } = await import('../../src/image/archive-file.ts')
  const opened = await openArchive(place, join(place.base, 'long.tar'))
  assert.is(String(opened.read(name, 100)), 'content')
  opened.close()
})

const damagesOf = async (place: Place) =>
  (await verifyImages(place, allRecords(place))).flatMap(({ reference, damages }) =>
    damages.map(({ part, kind }) => `${reference} ${part} ${kind}`),
  )
const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const spoil = (place: Place, digest: string) => {
  const bytes = readFileSync(blobOf(place, digest))
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  writeFileSync(blobOf(place, digest), bytes)
}

test('verify finds nothing wrong with what is whole', async (place) => assert.equal(await damagesOf(place), []))

test('verify finds a layer that is damaged in every image that has it', async (place) => {
  spoil(place, digestOf(gzipSync(bottom)))
  assert.equal((await damagesOf(place)).sort(), ['one:1 layer damaged', 'shop/both:1 layer damaged'])
})

test('verify finds what is too short, what is missing, and layers that are not unpacked', async (place) => {
  const { layers, id } = findRecord(place, 'shop/both:1')
  writeFileSync(blobOf(place, digestOf(gzipSync(top))), 'short')
  rmSync(blobOf(place, id))
  rmSync(layerOf(place, layers[0] ?? ''), { recursive: true })
  assert.equal((await damagesOf(place)).sort(), [
    'shop/both:1 configuration missing',
    'shop/both:1 layer damaged',
    'shop/both:1 layer not unpacked',
  ])
})

test('verify finds a manifest that is damaged, and a configuration that is not that of the layers', async (place) => {
  spoil(place, findRecord(place, 'one:1').manifest?.digest ?? '')
  const record = findRecord(place, 'shop/both:1')
  writeReference(place, { ...record, layers: [...record.layers].reverse() })
  assert.equal((await damagesOf(place)).sort(), ['one:1 manifest damaged', 'shop/both:1 configuration contradiction'])
})

test('what is damaged is removed on request, and the next load brings it', async (place) => {
  const digest = digestOf(gzipSync(top))
  spoil(place, digest)
  removeDamaged(place, await verifyImages(place, allRecords(place)))
  assert.not.ok(existsSync(blobOf(place, digest)))
  await load(place, whole())
  assert.equal(await damagesOf(place), [])
})

test.run()
