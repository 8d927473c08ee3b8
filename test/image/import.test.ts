import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { importArchive } from '../../src/image/import.ts'
import { configOf, imageId, listImages, resolveImage, sweep } from '../../src/image/store.ts'
import { removeImageNames } from '../../src/image/remove.ts'
import { archive } from './archive.ts'
import { bottom as whole, storeSuite, uid, UNUSED } from './stored.ts'

const test = storeSuite('import')

const importOne = async (content: { root: string }, tar: string, name: string) => {
  const [image] = (await importArchive(content, tar, name)).images
  assert.ok(image)
  return image as NonNullable<typeof image>
}
const file = (base: string, bytes: Buffer) => {
  writeFileSync(join(base, 'rootfs.tar'), bytes)
  return join(base, 'rootfs.tar')
}

test('plain and gzip archives give the same image', async ({ base, root }) => {
  const plain = await importOne({ root }, file(base, whole), 'mine')
  const zipped = await importOne({ root }, file(base, gzipSync(whole)), 'mine:zipped')
  assert.is(plain.reference, 'mine:latest')
  assert.is(zipped.id, plain.id)
  const image = resolveImage({ root }, 'mine')
  assert.is(readFileSync(join(image.layers[0] ?? '', 'etc/hello'), 'utf8'), 'hello')
  assert.equal(image.config.cmd, ['/bin/sh'])
  assert.is(imageId({ root }, 'docker.io/library/mine:zipped'), image.id)
})

test('images are listed, and a layer goes with its last reference', async ({ base, root }) => {
  await importArchive({ root }, file(base, whole), 'a')
  await importArchive({ root }, file(base, whole), 'b:7.2')
  assert.equal(
    listImages({ root }).map(({ reference }) => reference),
    ['caisson/host', 'a:latest', 'b:7.2'],
  )
  const layer = resolveImage({ root }, 'a').layers[0] ?? ''
  removeImageNames({ root }, 'a', UNUSED)
  sweep({ root })
  assert.ok(existsSync(layer))
  removeImageNames({ root }, 'b:7.2', UNUSED)
  sweep({ root })
  assert.not.ok(existsSync(layer))
  assert.throws(() => removeImageNames({ root }, 'b', UNUSED), /is not on this machine/)
  assert.throws(() => removeImageNames({ root }, 'caisson/host', UNUSED), /built in/)
})

test('a refused archive leaves nothing', async ({ base, root }) => {
  const bad = archive([{ name: 'ok', uid }, { name: '../x' }])
  for (const bytes of [bad, gzipSync(whole).subarray(0, 40), Buffer.from('28b52ffd00', 'hex'), Buffer.alloc(1024)]) {
    const error = await importArchive({ root }, file(base, bytes), 'bad').catch((caught: unknown) => caught)
    assert.is((error as { code?: string }).code, 'EARCHIVE')
  }
  assert.equal(readdirSync(join(root, 'content/layers')), [])
})

test('an image that is not here says what can be done', ({ root }) => {
  assert.throws(() => resolveImage({ root }, 'nginx:1.27'), /image nginx:1\.27 is not on this machine/)
  assert.throws(() => resolveImage({ root }, 'No Such'), /is not an image reference/)
})

test('a configuration is read in exact types, whatever is in it', () => {
  const blob = JSON.stringify({
    config: { Env: ['A=1'], User: '5', Volumes: { '/data': {} }, Labels: { a: 1 }, WorkingDir: '' },
  })
  const config = configOf(blob)
  assert.equal(
    [config.env, config.user, config.volumes, config.labels, config.workingDir, config.entrypoint],
    [['A=1'], '5', ['/data'], { a: '1' }, '/', undefined],
  )
  assert.is(configOf('{}').cmd, undefined)
})

test.run()
