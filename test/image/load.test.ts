import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { inspectImage } from '../../src/image/inspect.ts'
import { listImages, resolveImage, sweep } from '../../src/image/store.ts'
import { removeImageNames } from '../../src/image/remove.ts'
import {
  archive,
  configurationOf,
  type ImageParts,
  indexDescriptor,
  OCI,
  ociArchive,
  ociImage,
  ociIndex,
  oldDockerArchive,
} from './archive.ts'
import { bottom, load, named, storeSuite, top, UNUSED } from './stored.ts'
import { code } from './unpacking.ts'

const test = storeSuite('load')
const parts: ImageParts = { layers: [bottom, top], config: { Cmd: ['/bin/true'], Labels: { a: 'b' } } }

const namesOf = async (loading: ReturnType<typeof load>) => (await loading).images.map(({ reference }) => reference)
test('an archive of an older docker save: directories, a link for an equal layer, two tags', async (place) => {
  const twice = { ...parts, layers: [bottom, top, bottom] }
  assert.equal(await namesOf(load(place, oldDockerArchive(twice, ['shop/web:1', 'shop/web:latest']))), [
    'shop/web:1',
    'shop/web:latest',
  ])
  const image = resolveImage(place, 'shop/web:1')
  assert.is(image.layers.length, 3)
  assert.equal(
    image.layers.map((layer) => readdirSync(join(layer, 'etc'))),
    [['hello'], ['world'], ['hello']],
  )
  assert.equal(image.config.cmd, ['/bin/true'])
  assert.equal(image.config.labels, { a: 'b' })
})

test('an OCI archive, plain, gzip as a whole, and with gzip layers, gives the same image', async (place) => {
  const plain = ociImage(parts)
  const zipped = ociImage({ ...parts, compress: (layer) => gzipSync(layer) })
  const first = await load(place, ociArchive(plain.blobs, [named(plain.descriptor, 'a:1')]))
  const second = await load(
    place,
    gzipSync(ociArchive(zipped.blobs, [named(zipped.descriptor, 'docker.io/library/b')])),
  )
  assert.equal([first.images[0]?.id], [second.images[0]?.id])
  assert.equal(
    listImages(place).map(({ reference, sizeBytes }) => [reference, sizeBytes]),
    [
      ['caisson/host', 0],
      ['a:1', 15],
      ['b:latest', 15],
    ],
  )
})

test('the layout of Docker 25: manifest.json beside index.json, the tag alone in ref.name', async (place) => {
  const image = ociImage(parts)
  const annotations = {
    'io.containerd.image.name': 'docker.io/library/web:2',
    'org.opencontainers.image.ref.name': '2',
  }
  const manifest = (tag: string) => ({
    name: 'manifest.json',
    body: JSON.stringify([
      {
        Config: image.descriptor && `blobs/${configDigest(image.config).replace(':', '/')}`,
        RepoTags: [tag],
        Layers: image.blobs.slice(0, 2).map((blob) => `blobs/${configDigest(blob).replace(':', '/')}`),
      },
    ]),
  })
  const bytes = ociArchive(image.blobs, [{ ...image.descriptor, annotations }], [manifest('web:3')])
  assert.equal(await namesOf(load(place, bytes)), ['web:3', 'web:2'])
  const other = ociImage({ ...parts, config: { Cmd: ['/other'] } })
  const lying = ociArchive([...image.blobs, ...other.blobs], [other.descriptor], [manifest('web:3')])
  assert.is(await code(load(place, lying)), 'EARCHIVE')
})

const configDigest = (bytes: Buffer): string => indexDescriptor(bytes).digest

test('the image for this platform is taken out of nested indexes, statements about it are not', async (place) => {
  const mine = ociImage({ ...parts, architecture: 'amd64' })
  const arm = ociImage({ ...parts, architecture: 'arm64', config: { Cmd: ['/arm'] } })
  const statement = { ...arm.descriptor, platform: { os: 'unknown', architecture: 'unknown' } }
  const inner = ociIndex([statement, arm.descriptor, mine.descriptor])
  const outer = ociIndex([indexDescriptor(inner)])
  const bytes = ociArchive([...mine.blobs, ...arm.blobs, inner, outer], [named(indexDescriptor(outer), 'multi:1')])
  await load(place, bytes, { platform: 'linux/amd64' })
  assert.equal(resolveImage(place, 'multi:1').config.cmd, ['/bin/true'])
  const { warnings } = await load(place, bytes, { platform: 'linux/arm64/v8' })
  assert.equal(warnings, [])
  assert.equal(resolveImage(place, 'multi:1').config.cmd, ['/arm'])
  assert.is(await code(load(place, bytes, { platform: 'linux/s390x' })), 'EPLATFORM')
  // The one that lost its name is still there, for containers stand on it.
  assert.equal(
    listImages(place).map(({ reference, id }) => (reference === id ? '<none>' : reference)),
    ['caisson/host', 'multi:1', '<none>'],
  )
})

test('an image for another platform alone in its archive is loaded, with a warning', async (place) => {
  const arm = ociImage({ ...parts, architecture: 'riscv64' })
  const bytes = ociArchive(arm.blobs, [named(arm.descriptor, 'arm:1')])
  const { warnings } = await load(place, bytes)
  assert.is(warnings.length, 1)
})

test('an image without a name is known by its id; --name gives it one, and keeps a tag', async (place) => {
  const image = ociImage(parts)
  const bytes = ociArchive(image.blobs, [named(image.descriptor, '7.2')])
  const [reference = ''] = await namesOf(load(place, bytes))
  assert.match(reference, /^sha256:[0-9a-f]{64}$/)
  assert.is(resolveImage(place, reference.slice('sha256:'.length, 20)).id, reference)
  assert.equal(await namesOf(load(place, bytes, { name: 'redis' })), ['redis:7.2'])
  assert.equal(
    listImages(place).map((each) => each.reference),
    ['caisson/host', 'redis:7.2'],
  )
  assert.equal(await namesOf(load(place, oldDockerArchive(parts, null), { name: 'x:1' })), ['x:1'])
})

const flipped = (bytes: Buffer, of: string): Buffer => {
  const copy = Buffer.from(bytes)
  const at = copy.indexOf(of)
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at)
  return copy
}

test('every digest is verified: configuration, layers as stored, layers as unpacked', async (place) => {
  const image = ociImage({ ...parts, compress: (layer) => gzipSync(layer, { level: 0 }) })
  const bytes = ociArchive(image.blobs, [named(image.descriptor, 'a:1')])
  for (const blob of image.blobs) {
    const copy = Buffer.from(bytes)
    const at = copy.indexOf(blob) + Math.floor(blob.length / 2)
    copy.writeUInt8(copy.readUInt8(at) ^ 1, at)
    assert.match(await code(load(place, copy)), /^(EDIGEST|EARCHIVE)$/)
  }
  // No digest says what the layers of an old archive are, but that of their content does.
  assert.is(await code(load(place, flipped(oldDockerArchive(parts, ['a:1']), 'worldworld'))), 'EDIGEST')
  sweep(place)
  assert.equal(listImages(place).length, 1)
  assert.equal(readdirSync(join(place.root, 'content/layers')), [])
})

test('documents that are two things, or not what they are said to be, are refused', async (place) => {
  const image = ociImage(parts)
  const [manifest = Buffer.alloc(0)] = image.blobs.slice(-1)
  const document = JSON.parse(manifest.toString()) as object
  const changed = (change: object, mediaType = `${OCI}.manifest.v1+json`) => {
    const blob = Buffer.from(JSON.stringify({ ...document, ...change }))
    return ociArchive([...image.blobs, blob], [{ ...indexDescriptor(blob), mediaType }])
  }
  const config = configurationOf({ ...parts, layers: [bottom] })
  const badConfig = Buffer.from(JSON.stringify({ config: { Env: 'PATH=/' }, rootfs: { type: 'layers', diff_ids: [] } }))
  for (const bytes of [
    changed({ manifests: [] }),
    changed({ fsLayers: [] }),
    changed({ mediaType: `${OCI}.index.v1+json` }),
    changed({}, `${OCI}.index.v1+json`),
    changed({}, 'application/vnd.docker.distribution.manifest.v2+json'),
    changed({ schemaVersion: 1 }),
    changed({ config: { mediaType: 'application/vnd.wasm', digest: configDigest(config), size: config.length } }),
    changed({ layers: [{ mediaType: 'text/plain', digest: configDigest(bottom), size: bottom.length }] }),
    changed({ layers: [{ mediaType: `${OCI}.layer.v1.tar`, digest: '../../../etc/passwd', size: 1 }] }),
    changed({ layers: [{ mediaType: `${OCI}.layer.v1.tar`, digest: configDigest(bottom), size: -1 }] }),
    changed({ layers: [] }),
    ociArchive([badConfig], [indexDescriptor(badConfig)]),
    archive([{ name: 'manifest.json', body: '{' }]),
    archive([{ name: 'manifest.json', body: JSON.stringify([{ Config: '../../x', Layers: [] }]) }]),
    archive([{ name: 'repositories', body: '{}' }]),
    archive([{ name: 'etc/passwd', body: '' }]),
    Buffer.from('no archive at all'),
    Buffer.alloc(0),
  ])
    assert.is(await code(load(place, bytes)), 'EARCHIVE')
  assert.is(listImages(place).length, 1)
})

test('a blob of another size than was said is refused before it is read', async (place) => {
  const image = ociImage(parts)
  const wrong = { ...image.descriptor, size: 5 }
  assert.is(await code(load(place, ociArchive(image.blobs, [wrong]))), 'EDIGEST')
})

test('no image of an archive takes a name that is another thing', async (place) => {
  const id = `sha256:${'0'.repeat(64)}`
  for (const tag of ['caisson/host:latest', id])
    assert.is(await code(load(place, oldDockerArchive(parts, [tag]))), 'EIMAGE')
  assert.is(await code(load(place, oldDockerArchive(parts, ['No/Such Name']))), 'EREFERENCE')
})

test('an image is inspected by name and by the beginning of its id, in the fields of docker', async (place) => {
  const { images } = await load(place, oldDockerArchive(parts, ['a:2', 'a:1']))
  const id = images[0]?.id ?? ''
  const details = inspectImage(place, 'a:1')
  assert.equal(inspectImage(place, id.slice('sha256:'.length, 19)), details)
  assert.is(details.Id, id)
  assert.equal(details.RepoTags, ['a:1', 'a:2'])
  assert.equal(
    details.RootFS.Layers,
    [bottom, top].map((layer) => configDigest(layer)),
  )
  assert.equal(
    [details.Size, details.Os, details.Config['Cmd'], details.Config['User']],
    [15, 'linux', ['/bin/true'], ''],
  )
  assert.is(inspectImage(place, 'caisson/host').RepoTags[0], 'caisson/host:latest')
  assert.throws(() => inspectImage(place, 'none'), /is not on this machine/)
})

test('content goes with the last name, layers of other images stay', async (place) => {
  await load(place, oldDockerArchive(parts, ['a:1', 'a:2']))
  await load(place, oldDockerArchive({ ...parts, layers: [bottom] }, ['base']))
  const [upper = '', lower = ''] = resolveImage(place, 'a:1').layers
  assert.equal(removeImageNames(place, 'a:1', UNUSED), { untagged: ['a:1'], deleted: [] })
  sweep(place)
  assert.ok(existsSync(upper))
  assert.match(removeImageNames(place, 'a:2', UNUSED).deleted[0] ?? '', /^sha256:/)
  sweep(place)
  assert.not.ok(existsSync(upper))
  assert.ok(lstatSync(lower).isDirectory())
  assert.is(readFileSync(join(lower, 'etc/hello'), 'utf8'), 'hello')
})

test('what a killed command left is swept, what containers stand on is not', async (place) => {
  await load(place, oldDockerArchive(parts, ['a:1']))
  const layers = join(place.root, 'content/layers')
  const inUse = join(layers, 'a'.repeat(64))
  for (const name of ['unfinished.1', 'a'.repeat(64), 'b'.repeat(64), 'host-1-abc'])
    writeFileSync(join(layers, name), '')
  sweep(place, new Set([inUse]))
  const left = readdirSync(layers).filter((name) => !name.endsWith('.size'))
  assert.is(left.length, 4)
  assert.not.ok(existsSync(join(layers, 'b'.repeat(64))))
})

test.run()
