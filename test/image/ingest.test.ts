import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CaissonError } from '../../src/errors.ts'
import { ingestBlob, type IngestRequest } from '../../src/image/ingest.ts'
import { loadNative } from '../../src/native/load.ts'
import { archive } from './archive.ts'
import { code, own } from './unpacking.ts'

const scratch = mkdtempSync(join(tmpdir(), 'caisson-ingest-'))
test.after(() => rmSync(scratch, { recursive: true, force: true }))

let count = 0
const place = (): string => {
  const path = join(scratch, String(count++))
  mkdirSync(path)
  return path
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const described = (bytes: Buffer) => ({ digest: `sha256:${sha256(bytes)}`, size: bytes.length })

async function* pieces(bytes: Buffer, size = 1000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

// Nothing compresses it, and it is the same each time.
const content = createHash('shake256', { outputLength: 1_000_000 }).update('layer').digest()
const tar = archive(own([{ name: 'dir/file', body: content }, { name: 'empty' }]))
const gzipped = gzipSync(tar)
const zstd = (bytes: Buffer): Buffer => spawnSync('zstd', ['-c'], { input: bytes, maxBuffer: 1 << 26 }).stdout

const take = (bytes: Buffer, more: Partial<IngestRequest> = {}) => {
  const unpack = { root: place(), layer: true, lower: [] }
  return ingestBlob({ source: pieces(bytes), expected: described(bytes), name: 'blob', unpack, ...more })
}

const FORMS: Readonly<Record<string, () => Buffer>> = {
  'nothing compressed': () => tar,
  gzip: () => gzipped,
  'gzip of several members': () => Buffer.concat([gzipSync(tar.subarray(0, 70_001)), gzipSync(tar.subarray(70_001))]),
  'gzip with padding behind it': () => Buffer.concat([gzipped, Buffer.alloc(512)]),
  zstd: () => zstd(tar),
  'zstd of several frames, the first of which is to be skipped': () =>
    Buffer.concat([
      Buffer.from('502a4d1803000000aabbcc', 'hex'),
      zstd(tar.subarray(0, 262_144)),
      zstd(tar.subarray(262_144)),
    ]),
}

for (const [form, bytes] of Object.entries(FORMS)) {
  test(`${form}: the blob's digest and the content's, and every entry`, async () => {
    const blob = bytes()
    const unpack = { root: place(), layer: true, lower: [] }
    const found = await take(blob, { unpack })
    assert.is(found.digest, `sha256:${sha256(blob)}`)
    assert.is(found.content?.diffId, sha256(tar))
    assert.is(found.content?.unpacked.entries, 2)
    assert.ok(readFileSync(join(unpack.root, 'dir/file')).equals(content))
  })
}

test('a blob of no bytes is a layer that holds nothing', async () => {
  const found = await take(Buffer.alloc(0))
  assert.is(found.content?.diffId, sha256(Buffer.alloc(0)))
})

test('a blob in the middle of a file is read from there', async () => {
  const path = join(place(), 'file')
  writeFileSync(path, Buffer.concat([Buffer.from('before'), gzipped, Buffer.from('after')]))
  const fd = openSync(path, 'r')
  const found = await take(gzipped, { source: { fd, offset: 6, size: gzipped.length } })
  closeSync(fd)
  assert.is(found.content?.diffId, sha256(tar))
})

test('what is kept is the blob as it came, and what was there from before is not asked for again', async () => {
  const path = join(place(), 'blob')
  writeFileSync(path, Buffer.concat([gzipped.subarray(0, 3000), Buffer.from('left by a longer attempt')]))
  const found = await take(gzipped, { source: pieces(gzipped.subarray(3000)), keep: { path, prefix: 3000 } })
  assert.is(found.digest, `sha256:${sha256(gzipped)}`)
  assert.is(found.content?.diffId, sha256(tar))
  assert.ok(readFileSync(path).equals(gzipped))
})

test('of a source that breaks off, what came before stays in the file', async () => {
  const path = join(place(), 'blob')
  async function* broken(): AsyncGenerator<Buffer> {
    yield gzipped.subarray(0, 2000)
    throw new CaissonError('EBROKEN', 'the connection broke')
  }
  assert.is(await code(take(gzipped, { source: broken(), keep: { path, prefix: 0 } })), 'EBROKEN')
  assert.ok(readFileSync(path).equals(gzipped.subarray(0, statSync(path).size)))
})

test('sha512 is a digest like the other', async () => {
  const digest = `sha512:${createHash('sha512').update(tar).digest('hex')}`
  assert.is((await take(tar, { expected: { digest, size: undefined } })).digest, digest)
})

const other = { digest: `sha256:${'0'.repeat(64)}`, size: undefined }
const damaged = Buffer.from(gzipped)
damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 0xff

const REFUSED: Readonly<Record<string, readonly [() => Promise<unknown>, string]>> = {
  'another digest': [() => take(gzipped, { expected: other }), 'EDIGEST'],
  'another digest, which is no archive either': [() => take(Buffer.from('no archive'), { expected: other }), 'EDIGEST'],
  'fewer bytes': [() => take(gzipped, { source: pieces(gzipped.subarray(1)) }), 'EDIGEST'],
  'more bytes': [() => take(gzipped, { source: pieces(Buffer.concat([gzipped, tar])) }), 'EDIGEST'],
  'gzip that is damaged': [() => take(damaged), 'EARCHIVE'],
  'gzip that ends early': [() => take(gzipped.subarray(0, -9)), 'EARCHIVE'],
  'zstd that ends early': [() => take(zstd(tar).subarray(0, -9)), 'EARCHIVE'],
  'zstd that is damaged': [() => take(Buffer.concat([zstd(tar).subarray(0, 4), Buffer.alloc(100, 0xff)])), 'EARCHIVE'],
  'xz, which a registry does not serve': [() => take(Buffer.from('fd377a585a000004e6d6b446', 'hex')), 'EARCHIVE'],
  'no archive at all': [() => take(Buffer.alloc(2000, 'x')), 'EARCHIVE'],
  'a directory that is not there': [
    () => take(tar, { unpack: { root: join(scratch, 'none'), layer: true, lower: [] } }),
    'ENOENT',
  ],
  'a file that cannot be written': [() => take(tar, { keep: { path: join(scratch, 'no/blob'), prefix: 0 } }), 'ENOENT'],
}

for (const [what, [attempt, expected]] of Object.entries(REFUSED))
  test(`${what} is ${expected}`, async () => assert.is(await code(attempt()), expected))

test('an endless blob ends at the size that was said', async () => {
  let given = 0
  async function* endless(): AsyncGenerator<Buffer> {
    for (; given < 1 << 30; given += 1 << 20) yield Buffer.alloc(1 << 20)
  }
  assert.is(await code(take(tar, { source: endless() })), 'EDIGEST')
  assert.ok(given < 1 << 30)
})

test('a layer is settled on those below it when they are there', async () => {
  const [lower, root] = [place(), place()]
  await take(archive(own([{ name: 'opt', type: '5', mode: 0o1777 }])), {
    unpack: { root: lower, layer: true, lower: [] },
  })
  const layer = archive(own([{ name: 'opt/file', body: 'x' }]))
  const found = await take(layer, { unpack: { root, layer: true, lower: undefined } })
  const implied = found.content?.unpacked.implied ?? []
  assert.equal(implied, ['.', 'opt'])
  await loadNative().settleLayer(root, implied, [lower])
  assert.is(lstatSync(join(root, 'opt')).mode & 0o7777, 0o1777)
  assert.is(lstatSync(join(root, 'opt')).mtimeMs, 1_700_000_000_000)
  assert.ok(existsSync(join(root, 'opt/file')))
})

test.run()
