import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CaissonError } from '../../src/errors.ts'
import { importArchive } from '../../src/image/import.ts'
import { pullImage, type PullRequest } from '../../src/image/pull.ts'
import { type LayerProgress, sharedPulls } from '../../src/image/pull-layers.ts'
import { pushImage } from '../../src/image/push.ts'
import { findRecord, resolveImage, sweep } from '../../src/image/store.ts'
import { needsRoot } from '../helpers/root.ts'
import { archive, type TarItem } from './archive.ts'
import { described, digestOf, type MemoryRegistry, memoryRegistry, publish } from './memory-registry.ts'
import { code } from './unpacking.ts'

const test = suite<{ root: string; registry: MemoryRegistry }>('pull', { root: '', registry: memoryRegistry() })
needsRoot(test)
test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'caisson-pull-'))
  context.registry = memoryRegistry()
})
test.after.each(({ root }) => rmSync(root, { recursive: true, force: true }))

/** Something that no compression makes small. */
const noise = (seed: string, size = 60_000): Buffer =>
  createHash('shake256', { outputLength: size }).update(seed).digest()

const layer = (...items: readonly TarItem[]) => {
  const tar = archive(items)
  return { tar, stored: gzipSync(tar) }
}

const base = layer({ name: 'opt', type: '5', mode: 0o1777 }, { name: 'opt/one', body: noise('one') })
const middle = layer({ name: 'opt/two', body: noise('two') }, { name: 'opt/.wh.one' })
const top = layer({ name: 'etc/three', body: noise('three') })

const request = (registry: MemoryRegistry, reference: string, more: Partial<PullRequest> = {}): PullRequest => ({
  ...{ client: registry, repository: { host: 'example.org', path: 'shop/web' }, reference, platform: undefined },
  ...{ onProgress: () => {}, warn: () => {}, signal: undefined, shared: sharedPulls(), naming: async (work) => work() },
  ...more,
})

const NAME = 'example.org/shop/web:1'
const blobsAsked = ({ asked }: MemoryRegistry) => asked.filter((line) => line.startsWith('blob'))

test('an image has its layers on top of each other, settled, and its name', async ({ root, registry }) => {
  const { manifest } = publish(registry, '1', [base, middle, top])
  const pulled = await pullImage({ root }, request(registry, NAME))
  assert.is(pulled.digest, manifest.digest)
  const { layers, config } = resolveImage({ root }, NAME)
  const [, second = '', first = ''] = layers
  assert.is(layers.length, 3)
  assert.is(lstatSync(join(second, 'opt')).mode & 0o7777, lstatSync(join(first, 'opt')).mode & 0o7777)
  assert.ok(lstatSync(join(second, 'opt/one')).isCharacterDevice())
  assert.equal(config.cmd, ['/bin/true'])
  assert.equal(findRecord({ root }, NAME).repoDigests, [`example.org/shop/web@${manifest.digest}`])
  assert.equal(readdirSync(join(root, 'content/ingest')), [])
})

test('what is here and unchanged is asked for with one question', async ({ root, registry }) => {
  publish(registry, '1', [base, top])
  await pullImage({ root }, request(registry, NAME))
  registry.asked.length = 0
  const again = await pullImage({ root }, request(registry, NAME))
  assert.ok(again.isUpToDate)
  assert.equal(registry.asked, ['head 1'])
})

test('only layers that are not here are fetched when a tag has moved', async ({ root, registry }) => {
  publish(registry, '1', [base, top])
  const before = await pullImage({ root }, request(registry, NAME))
  const { layers } = publish(registry, '1', [base, middle])
  registry.asked.length = 0
  const after = await pullImage({ root }, request(registry, NAME))
  assert.is.not(after.image.id, before.image.id)
  assert.ok(blobsAsked(registry).includes(`blob ${layers[1]?.digest} 0`))
  assert.not.ok(blobsAsked(registry).includes(`blob ${layers[0]?.digest} 0`))
})

test('a layer that comes twice is fetched once', async ({ root, registry }) => {
  const { layers } = publish(registry, '1', [base, top, base])
  await pullImage({ root }, request(registry, NAME))
  assert.is(blobsAsked(registry).filter((line) => line.includes(layers[0]?.digest ?? '')).length, 1)
  assert.is(resolveImage({ root }, NAME).layers.length, 3)
})

test('two images at once fetch what they share once', async ({ root, registry }) => {
  const { layers } = publish(registry, '1', [base, middle])
  publish(registry, '2', [base, top])
  const shared = sharedPulls()
  await Promise.all(
    ['1', '2'].map((tag) => pullImage({ root }, request(registry, `example.org/shop/web:${tag}`, { shared }))),
  )
  assert.is(blobsAsked(registry).filter((line) => line.includes(layers[0]?.digest ?? '')).length, 1)
})

test('two commands at once fetch a layer once', async ({ root, registry }) => {
  const { layers } = publish(registry, '1', [base, middle, top])
  const pulls = [request(registry, NAME), request(registry, NAME)] // nothing shared but the files
  await Promise.all(pulls.map((each) => pullImage({ root }, each)))
  for (const { digest } of layers)
    assert.is(blobsAsked(registry).filter((line) => line.includes(digest)).length, 1, digest)
})

test('a connection that breaks at every piece goes on where it was', async ({ root, registry }) => {
  const { layers } = publish(registry, '1', [base])
  const seen = new Set<number>()
  registry.onPiece = (digest, offset) => {
    if (digest !== layers[0]?.digest || seen.has(offset)) return
    seen.add(offset)
    if (offset > 0) throw new CaissonError('ECONNECTION', 'the connection broke')
  }
  await pullImage({ root }, request(registry, NAME))
  assert.ok(blobsAsked(registry).length > seen.size - 1)
  assert.is(readFileSync(join(resolveImage({ root }, NAME).layers[0] ?? '', 'opt/one')).length, 60_000)
})

test('what an attempt has fetched is there for the next command, and for no container', async ({ root, registry }) => {
  const { layers } = publish(registry, '1', [base, top])
  const digest = layers[1]?.digest ?? ''
  registry.onPiece = (each, offset) => {
    if (each === digest && offset >= 40_960) throw new CaissonError('EREGISTRY', 'the registry has had enough')
  }
  assert.is(await code(pullImage({ root }, request(registry, NAME))), 'EREGISTRY')
  assert.throws(() => resolveImage({ root }, NAME), /is not on this machine/)
  sweep({ root })
  registry.onPiece = () => {}
  registry.asked.length = 0
  await pullImage({ root }, request(registry, NAME))
  const [line = ''] = blobsAsked(registry).filter((each) => each.includes(digest))
  assert.ok(Number(line.split(' ')[2]) > 0, line)
})

test('a beginning that is wrong is fetched anew', async ({ root, registry }) => {
  const { layers } = publish(registry, '1', [base])
  const { digest = '' } = layers[0] ?? {}
  registry.onPiece = (each) => {
    if (each === digest) throw new CaissonError('EREGISTRY', 'not now')
  }
  await pullImage({ root }, request(registry, NAME)).catch(() => {})
  registry.onPiece = () => {}
  writeFileSync(join(root, 'content/ingest', digest.replace(':', '-')), 'what was left here is of something else')
  await pullImage({ root }, request(registry, NAME))
  assert.is(blobsAsked(registry).at(-1), `blob ${digest} 0`)
})

const REFUSED: Readonly<Record<string, readonly [(registry: MemoryRegistry) => void, string]>> = {
  'a layer with another content': [
    (registry) => {
      const { layers } = publish(registry, '1', [base, top])
      registry.blobs.set(layers[1]?.digest ?? '', base.stored)
    },
    'EDIGEST',
  ],
  'a layer whose content is not what the configuration says': [
    (registry) => publish(registry, '1', [base, { tar: middle.tar, stored: top.stored }]),
    'EDIGEST',
  ],
  'a layer that is no archive': [
    (registry) => publish(registry, '1', [{ tar: noise('x', 700), stored: noise('x', 700) }]),
    'EARCHIVE',
  ],
  'a layer that leads out': [(registry) => publish(registry, '1', [layer({ name: '../out' })]), 'EARCHIVE'],
  'an image for another machine': [
    (registry) => {
      const { manifest } = publish(registry, 'other', [base], 's390x')
      const { bytes: _, ...entry } = manifest
      const platform = { os: 'linux', architecture: 's390x' }
      const bytes = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          manifests: [
            { ...entry, platform },
            { ...entry, platform: { ...platform, architecture: 'riscv64' } },
          ],
        }),
      )
      registry.manifests.set('1', { ...described('application/vnd.oci.image.index.v1+json', bytes), bytes })
    },
    'EPLATFORM',
  ],
  'what Docker wrote before 1.10': [
    (registry) => {
      const bytes = Buffer.from('{"schemaVersion": 1}')
      registry.manifests.set('1', {
        ...described('application/vnd.docker.distribution.manifest.v1+prettyjws', bytes),
        bytes,
      })
    },
    'EMANIFEST',
  ],
  'a name that the registry has not': [() => {}, 'ENOTFOUND'],
}

for (const [what, [prepare, expected]] of Object.entries(REFUSED))
  test(`${what} is ${expected}, and nothing has a name`, async ({ root, registry }) => {
    prepare(registry)
    assert.is(await code(pullImage({ root }, request(registry, NAME))), expected)
    assert.throws(() => resolveImage({ root }, NAME), /is not on this machine/)
    assert.not.ok(existsSync(join(root, 'content/references')))
    const layers = join(root, 'content/layers')
    if (existsSync(layers))
      assert.equal(
        readdirSync(layers).filter((name) => name.startsWith('unfinished')),
        [],
      )
  })

test('Ctrl-C ends it and keeps what is here', async ({ root, registry }) => {
  publish(registry, '1', [base])
  const controller = new AbortController()
  registry.onPiece = (_, offset) => {
    if (offset === 40_960) controller.abort(new CaissonError('EABORTED', 'interrupted'))
    if (controller.signal.aborted) throw controller.signal.reason
  }
  assert.is(await code(pullImage({ root }, request(registry, NAME, { signal: controller.signal }))), 'EABORTED')
  assert.is(readdirSync(join(root, 'content/ingest')).length, 1)
})

test('bytes are told as they come', async ({ root, registry }) => {
  const { layers } = publish(registry, '1', [base])
  const told: LayerProgress[] = []
  await pullImage({ root }, request(registry, NAME, { onProgress: (progress) => told.push(progress) }))
  const sizes = told.map(({ bytes }) => bytes)
  assert.equal(
    [...sizes].sort((a, b) => a - b),
    sizes,
  )
  assert.equal(told.at(-1), { digest: layers[0]?.digest, phase: 'done', bytes: layers[0]?.size, size: layers[0]?.size })
  assert.is(told[0]?.phase, 'waiting')
})

test('what was pulled is pushed as it came, and what is there is not sent', async ({ root, registry }) => {
  const { manifest, layers } = publish(registry, '1', [base, top])
  await pullImage({ root }, request(registry, NAME))
  const other = memoryRegistry()
  other.blobs.set(layers[0]?.digest ?? '', base.stored)
  const { client: _, ...rest } = request(other, NAME)
  const pushed = await pushImage({ root }, { ...rest, client: other, onProgress: () => {} })
  assert.is(pushed.digest, manifest.digest)
  assert.ok(other.manifests.get('1')?.bytes.equals(manifest.bytes))
  assert.not.ok(other.asked.includes(`upload ${layers[0]?.digest}`))
  assert.ok(other.asked.includes(`upload ${layers[1]?.digest}`))
  assert.is(other.asked.at(-1), 'put 1')
  assert.is(digestOf(other.blobs.get(layers[1]?.digest ?? '') ?? Buffer.alloc(0)), layers[1]?.digest)
})

test('layers without compression are compressed for the way, once, and are the same image', async ({
  root,
  registry,
}) => {
  const { tar } = base
  const [path] = [join(root, 'rootfs.tar')]
  writeFileSync(path, tar)
  const { images } = await importArchive({ root }, path, NAME)
  const { client: _, ...rest } = request(registry, NAME)
  const push = () => pushImage({ root }, { ...rest, client: registry, onProgress: () => {} })
  const { digest } = await push()
  const { layers } = JSON.parse(registry.manifests.get('1')?.bytes.toString() ?? '') as {
    layers: { digest: string; mediaType: string }[]
  }
  assert.match(layers[0]?.mediaType ?? '', /tar\+gzip$/)
  assert.ok(gunzipSync(registry.blobs.get(layers[0]?.digest ?? '') ?? Buffer.alloc(0)).equals(tar))
  assert.is((await push()).digest, digest)
  assert.is(registry.asked.filter((line) => line.startsWith('upload')).length, 2)
  rmSync(join(root, 'content'), { recursive: true })
  assert.is((await pullImage({ root }, request(registry, NAME))).image.id, images[0]?.id)
})

test('a configuration whose connection breaks is asked for again', async ({ root, registry }) => {
  publish(registry, '1', [base])
  let broken = 0
  const layerDigests = new Set([digestOf(base.stored)])
  registry.onPiece = (digest) => {
    if (!layerDigests.has(digest) && broken++ === 0) throw new CaissonError('ECONNECTION', 'the connection broke')
  }
  await pullImage({ root }, request(registry, NAME))
  assert.is(broken, 2)
})

test('a digest is no name to push to', async ({ root, registry }) => {
  const { manifest } = publish(registry, '1', [base])
  await pullImage({ root }, request(registry, NAME))
  const { client: _, ...rest } = request(registry, `example.org/shop/web@${manifest.digest}`)
  assert.is(await code(pushImage({ root }, { ...rest, client: registry, onProgress: () => {} })), 'EREFERENCE')
})

test.run()
