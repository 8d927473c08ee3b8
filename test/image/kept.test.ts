/** What the store keeps of an image beside its unpacked layers, and what other programs see of it. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { importArchive } from '../../src/image/import.ts'
import { layoutIndex, writeLayout } from '../../src/image/layout-index.ts'
import { blobOf, contentOf, ingestOf, layerOf } from '../../src/image/paths.ts'
import { blobsOf, findRecord, type ReferenceRecord, sweep } from '../../src/image/store.ts'
import { removeImageNames } from '../../src/image/remove.ts'
import { archive, ociArchive, ociImage, oldDockerArchive } from './archive.ts'
import { bottom, load, named, type Place, storeSuite, top, UNUSED } from './stored.ts'

const test = storeSuite('kept')
const parts = { layers: [bottom, top] }

const sha256 = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const blobNames = (place: Place) => readdirSync(join(contentOf(place), 'blobs/sha256')).sort()

/** Every blob is what its name says. */
const checkBlobs = (place: Place) => {
  for (const name of blobNames(place))
    assert.is(sha256(readFileSync(blobOf(place, `sha256:${name}`))), `sha256:${name}`)
}

test('the manifest of an OCI archive and its layers are kept byte for byte, as they were stored', async (place) => {
  const image = ociImage({ ...parts, compress: (layer) => gzipSync(layer) })
  await load(place, ociArchive(image.blobs, [named(image.descriptor, 'a:1')]))
  const record = findRecord(place, 'a:1')
  const { mediaType, digest, size } = image.descriptor
  assert.equal(record.manifest, { mediaType, digest, size })
  assert.equal(blobNames(place), image.blobs.map((blob) => sha256(blob).slice('sha256:'.length)).sort())
  checkBlobs(place)
  assert.equal(readdirSync(ingestOf(place)), [])
})

test('an archive without a manifest gets one of ours, which says how its layers are stored', async (place) => {
  await load(place, oldDockerArchive(parts, ['a:1']))
  const { manifest, id } = findRecord(place, 'a:1')
  assert.ok(manifest)
  const document = JSON.parse(readFileSync(blobOf(place, manifest?.digest ?? ''), 'utf8'))
  assert.is(document.mediaType, 'application/vnd.oci.image.manifest.v1+json')
  assert.is(document.config.digest, id)
  assert.equal(
    document.layers.map((layer: { mediaType: string; digest: string }) => [layer.mediaType, layer.digest]),
    [bottom, top].map((layer) => ['application/vnd.oci.image.layer.v1.tar', sha256(layer)]),
  )
  checkBlobs(place)
})

test('an imported tarball is a layer as it is stored, gzip or not', async (place) => {
  const tar = join(place.base, 'rootfs.tar.gz')
  writeFileSync(tar, gzipSync(bottom))
  await importArchive(place, tar, 'mine')
  const document = JSON.parse(readFileSync(blobOf(place, findRecord(place, 'mine').manifest?.digest ?? ''), 'utf8'))
  assert.is(document.layers[0].mediaType, 'application/vnd.oci.image.layer.v1.tar+gzip')
  assert.is(document.layers[0].digest, sha256(readFileSync(tar)))
  checkBlobs(place)
})

test('a layer that is unpacked without its blob gets it from the next archive', async (place) => {
  const image = ociImage(parts)
  const bytes = ociArchive(image.blobs, [named(image.descriptor, 'a:1')])
  await load(place, bytes)
  rmSync(blobOf(place, sha256(top)))
  await load(place, bytes)
  assert.ok(existsSync(blobOf(place, sha256(top))))
})

test('what a killed command was writing goes with a sweep, the beginning of a known blob stays', async (place) => {
  mkdirSync(ingestOf(place), { recursive: true })
  for (const name of ['4711.1', 'sha256-abcd', '12.34'])
    writeFileSync(join(ingestOf(place), name), 'the beginning of something')
  sweep(place)
  assert.equal(readdirSync(ingestOf(place)), ['sha256-abcd'])
})

test('with the last name go manifest, configuration, layers and their blobs; what another name leads to stays', async (place) => {
  const both = ociImage(parts)
  const one = ociImage({ layers: [bottom] })
  await load(
    place,
    ociArchive([...both.blobs, ...one.blobs], [named(both.descriptor, 'both:1'), named(one.descriptor, 'one:1')]),
  )
  const kept = findRecord(place, 'one:1')
  const [gone] = findRecord(place, 'both:1').layers
  removeImageNames(place, 'both:1', UNUSED)
  sweep(place)
  assert.equal(blobNames(place), [...new Set(blobsOf(place, kept).map((digest) => digest.slice(7)))].sort())
  assert.ok(existsSync(layerOf(place, kept.layers[0] ?? '')))
  assert.not.ok(existsSync(layerOf(place, gone ?? '')))
})

test('layers under a running container stay although no name leads to them', async (place) => {
  const image = ociImage(parts)
  await load(place, ociArchive(image.blobs, [named(image.descriptor, 'a:1')]))
  const [upper = '', lower = ''] = findRecord(place, 'a:1').layers.map((chain) => layerOf(place, chain))
  removeImageNames(place, 'a:1', UNUSED)
  sweep(place, new Set([lower]))
  assert.equal([existsSync(lower), existsSync(upper)], [true, false])
  assert.equal(blobNames(place), [])
})

test('while a manifest is damaged no blob is swept, for nobody knows which it leads to', async (place) => {
  const image = ociImage(parts)
  await load(place, ociArchive(image.blobs, [named(image.descriptor, 'a:1')]))
  const before = blobNames(place)
  writeFileSync(blobOf(place, image.descriptor.digest), 'no manifest')
  sweep(place)
  assert.equal(blobNames(place), before)
})

const record = (reference: string, manifest: string | undefined): ReferenceRecord => ({
  ...{ version: 2, reference, id: 'sha256:id', indexes: [], repoDigests: [], layers: [], importedAt: 0, sizeBytes: 0 },
  manifest: manifest === undefined ? undefined : { mediaType: 'm', digest: manifest, size: 7 },
})

test('index.json has an entry for each name, in their order; none for an image without name or manifest', () => {
  const records = [record('b:2', 'sha256:b'), record('sha256:id', 'sha256:c'), record('old:1', undefined)]
  const { schemaVersion, manifests } = JSON.parse(layoutIndex([...records, record('host:5000/a:1', 'sha256:b')]))
  assert.is(schemaVersion, 2)
  assert.equal(manifests, [
    {
      ...{ mediaType: 'm', digest: 'sha256:b', size: 7 },
      annotations: {
        'io.containerd.image.name': 'docker.io/library/b:2',
        'org.opencontainers.image.ref.name': 'b:2',
      },
    },
    {
      ...{ mediaType: 'm', digest: 'sha256:b', size: 7 },
      annotations: {
        'io.containerd.image.name': 'host:5000/a:1',
        'org.opencontainers.image.ref.name': 'host:5000/a:1',
      },
    },
  ])
})

test('an archive of the store itself is loaded again under the same names', async (place) => {
  const image = ociImage(parts)
  await load(place, ociArchive(image.blobs, [named(image.descriptor, 'shop/web:1')]))
  writeLayout(place)
  const files = ['oci-layout', 'index.json', ...blobNames(place).map((name) => `blobs/sha256/${name}`)]
  const whole = archive(files.map((name) => ({ name, body: readFileSync(join(contentOf(place), name)) })))
  const other = { base: place.base, root: join(place.base, 'other') }
  const { images } = await load(other, whole)
  assert.equal(
    images.map(({ reference, id }) => [reference, id]),
    [['shop/web:1', findRecord(place, 'shop/web:1').id]],
  )
})

test.run()
