import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { anonymousName, ensureVolume, removeVolume, type VolumeRoot, volumeData } from '../../src/volume/volumes.ts'

const test = suite<{ root: VolumeRoot }>('volumes', { root: { directory: '', write: () => {} } })
test.before.each((context) => {
  const directory = mkdtempSync(join(tmpdir(), 'caisson-volume-'))
  context.root = { directory, write: (path, record) => writeFileSync(path, JSON.stringify(record)) }
})
test.after.each(({ root }) => rmSync(root.directory, { recursive: true }))

const wish = { name: 'shop_data', key: 'data', project: 'shop', anonymous: false, labels: { a: '1' } }

test('a volume is made once and keeps its content', ({ root }) => {
  assert.ok(ensureVolume(root, wish))
  writeFileSync(join(volumeData(root, 'shop_data'), 'f'), 'kept')
  assert.not.ok(ensureVolume(root, wish))
  assert.is(readFileSync(join(volumeData(root, 'shop_data'), 'f'), 'utf8'), 'kept')
})

test('a removed volume is gone, twice is fine', ({ root }) => {
  ensureVolume(root, wish)
  removeVolume(root, 'shop_data')
  removeVolume(root, 'shop_data')
  assert.not.ok(existsSync(join(root.directory, 'shop_data')))
})

test('a name that would lead elsewhere is refused', ({ root }) => {
  for (const name of ['../up', 'a/b', '', '.hidden']) assert.throws(() => volumeData(root, name), /is no volume name/)
  assert.is.not(anonymousName(), anonymousName())
  assert.ok(volumeData(root, anonymousName()))
})

test.run()
