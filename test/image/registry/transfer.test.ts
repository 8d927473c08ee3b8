/** Pull and push over HTTP, through what can happen to it. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pullImage } from '../../../src/image/pull.ts'
import { sharedPulls } from '../../../src/image/pull-layers.ts'
import { pushImage } from '../../../src/image/push.ts'
import { createRegistryClient } from '../../../src/image/registry/client.ts'
import { findRecord, nameImage, resolveImage } from '../../../src/image/store.ts'
import { needsRoot } from '../../helpers/root.ts'
import { archive } from '../archive.ts'
import { memoryRegistry, publish } from '../memory-registry.ts'
import type { FaultyRegistry, RegistryOptions } from './faulty-registry.ts'
import { begin, codeOf, end, newWorld, optionsOf, serve, type World } from './world.ts'

const test = suite<World>('transfer', newWorld())
needsRoot(test)
test.before.each(begin)
test.after.each(end)

/** Something that no compression makes small. */
const noise = (seed: string, size: number): Buffer =>
  createHash('shake256', { outputLength: size }).update(seed).digest()

const layer = (name: string, size: number) => {
  const tar = archive([{ name, body: noise(name, size) }])
  return { tar, stored: gzipSync(tar) }
}

const LAYERS = [layer('one', 200_000), layer('two', 90_000), layer('three', 30_000)]
const PATH = 'shop/web'

/** A registry with one image of three layers, as tag 1. */
const withImage = async (world: World, options: RegistryOptions = {}) => {
  const registry = await serve(world, options)
  const source = memoryRegistry()
  const { layers } = publish(source, '1', LAYERS)
  for (const bytes of source.blobs.values()) registry.addBlob(PATH, bytes)
  for (const { bytes, mediaType } of source.manifests.values()) registry.addManifest(PATH, '1', bytes, mediaType)
  return { registry, layers, name: `${registry.host}/${PATH}:1` }
}

const newRoot = ({ home }: World): string => mkdtempSync(join(home, 'root-'))

const clientOf = (world: World) => {
  const client = createRegistryClient(optionsOf(world))
  world.started.unshift(client)
  return client
}

const naming = async <T>(work: () => T): Promise<T> => work()

const pull = (world: World, root: string, { host }: FaultyRegistry, reference: string) =>
  pullImage(
    { root },
    {
      ...{ client: clientOf(world), repository: { host, path: PATH }, reference, platform: undefined, naming },
      ...{ onProgress: () => {}, warn: () => {}, signal: undefined, shared: sharedPulls() },
    },
  )

/** What is to be in the file of that layer, topmost last in LAYERS. */
const checkWhole = (root: string, name: string) => {
  const files = resolveImage({ root }, name).layers.toReversed()
  for (const [index, [file, size]] of [
    ['one', 200_000] as const,
    ['two', 90_000] as const,
    ['three', 30_000] as const,
  ].entries())
    assert.ok(readFileSync(join(files[index] ?? '', file)).equals(noise(file, size)), file)
}

const rangesOf = ({ seen }: FaultyRegistry, digest: string): readonly number[] =>
  seen
    .filter(({ method, path }) => method === 'GET' && path.includes(digest))
    .map(({ headers }) => Number(/\d+/.exec(headers.range ?? '0')?.[0]))

for (const after of [7001, 65_536])
  test(`a pull whose connections break every ${after} bytes goes on where each was`, async (world) => {
    const { registry, layers, name } = await withImage(world)
    registry.fail(/GET .*\/blobs\//, { kind: 'cut', after }, 500)
    const root = newRoot(world)
    await pull(world, root, registry, name)
    checkWhole(root, name)
    const asked = rangesOf(registry, layers[0]?.digest ?? '')
    assert.ok(asked.length > 2)
    assert.equal(
      asked,
      [...new Set(asked)].sort((a, b) => a - b),
    )
  })

test('a pull outlives tokens that end, storage elsewhere, and a registry out of breath', async (world) => {
  const storage = await withImage(world)
  const { registry, name } = await withImage(world, { access: { kind: 'token', uses: 2 } })
  registry.fail(/GET .*\/manifests\//, { kind: 'status', status: 503 })
  registry.fail(/GET .*\/blobs\//, { kind: 'redirect', to: storage.registry.origin }, 2)
  registry.fail(/GET .*\/blobs\//, { kind: 'cut', after: 5000 }, 3)
  const root = newRoot(world)
  await pull(world, root, registry, name)
  checkWhole(root, name)
  assert.ok(registry.gate.given > 1)
  assert.equal(
    storage.registry.seen.filter(({ headers }) => headers.authorization !== undefined),
    [],
  )
})

test('a registry that sends something else has no image here with its name', async (world) => {
  const { registry, layers, name } = await withImage(world)
  const size = layers[0]?.size ?? 0
  registry.fail(new RegExp(`GET .*${layers[0]?.digest}`), { kind: 'body', bytes: noise('other', size) }, 99)
  const root = newRoot(world)
  assert.is(await codeOf(pull(world, root, registry, name)), 'EDIGEST')
  assert.throws(() => findRecord({ root }, name))
})

test('a layer without end is refused', async (world) => {
  const { registry, layers, name } = await withImage(world)
  registry.fail(new RegExp(`GET .*${layers[0]?.digest}`), { kind: 'endless' }, 99)
  assert.is(await codeOf(pull(world, newRoot(world), registry, name)), 'EDIGEST')
})

test('a registry that knows no ranges begins again, and the layer is whole', async (world) => {
  const { registry, layers, name } = await withImage(world)
  const first = new RegExp(`GET .*${layers[0]?.digest}`)
  registry.fail(first, { kind: 'cut', after: 100_000 })
  registry.fail(first, { kind: 'ignore-range' })
  const root = newRoot(world)
  await pull(world, root, registry, name)
  checkWhole(root, name)
})

test('a manifest of before 1.10 is refused for what it is', async (world) => {
  const { registry, name } = await withImage(world)
  const bytes = Buffer.from('{"schemaVersion":1}')
  const mediaType = 'application/vnd.docker.distribution.manifest.v1+prettyjws'
  registry.addManifest(PATH, '1', bytes, mediaType)
  assert.is(await codeOf(pull(world, newRoot(world), registry, name)), 'EMANIFEST')
})

test('a push through broken connections and ended tokens comes back as the same image', async (world) => {
  const { registry, name } = await withImage(world)
  const root = newRoot(world)
  const { image } = await pull(world, root, registry, name)
  const target = await serve(world, { access: { kind: 'token', uses: 6 } })
  target.fail(/PUT .*uploads/, { kind: 'cut-request', after: 20_000 }, 2)
  target.fail(/POST/, { kind: 'status', status: 500 })
  const [repository, pushed] = [{ host: target.host, path: PATH }, `${target.host}/${PATH}:1`]
  nameImage({ root }, { ...findRecord({ root }, name), reference: pushed })
  const request = { client: clientOf(world), repository, reference: pushed, onProgress: () => {}, naming }
  await pushImage({ root }, request)
  assert.ok(target.gate.given > 1)
  const other = newRoot(world)
  assert.is((await pull(world, other, target, pushed)).image.id, image.id)
  checkWhole(other, pushed)
})

test.run()
