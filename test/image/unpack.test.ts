import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { archive, paxRecord } from './archive.ts'
import { code, extract, own, unpack } from './unpacking.ts'

const test = suite<{ base: string; root: string }>('unpack', { base: '', root: '' })
test.before.each((context) => {
  context.base = mkdtempSync(join(tmpdir(), 'caisson-unpack-'))
  context.root = join(context.base, 'root')
  mkdirSync(context.root)
})
test.after.each(({ base }) => rmSync(base, { recursive: true }))

test('files, directories and links come out as they went in', async ({ root }) => {
  const result = await unpack(root, [
    { name: './', type: '5', mode: 0o755 },
    { name: './etc/', type: '5', mode: 0o750 },
    { name: './etc/hello', body: 'x'.repeat(2000), mode: 0o4755 },
    { name: './etc/again', type: '1', link: './etc/hello' },
    { name: './lib', type: '2', link: 'usr/lib' },
  ])
  assert.equal(result, { entries: 5, bytes: 2000, incomplete: [], incompleteCount: 0, implied: [] })
  assert.is(readFileSync(join(root, 'etc/again'), 'utf8').length, 2000)
  assert.is(lstatSync(join(root, 'etc/hello')).mode & 0o7777, 0o4755)
  assert.is(lstatSync(join(root, 'etc')).mode & 0o777, 0o750)
  assert.is(lstatSync(join(root, 'etc/hello')).nlink, 2)
  assert.is(readlinkSync(join(root, 'lib')), 'usr/lib')
  assert.is(lstatSync(join(root, 'etc')).mtimeMs, 1_700_000_000_000)
})

test('parents that the archive does not name are made', async ({ root }) => {
  await unpack(root, [{ name: 'a/b/c', body: 'x' }])
  assert.ok(existsSync(join(root, 'a/b/c')))
})

test('PAX and GNU long names', async ({ root }) => {
  const long = `${'d'.repeat(120)}/${'f'.repeat(120)}`
  await unpack(root, [
    { name: 'PaxHeaders/x', type: 'x', body: paxRecord('path', long) },
    { name: 'short', body: '1' },
    { name: '././@LongLink', type: 'L', body: `${long}2\0` },
    { name: 'short', body: '2' },
  ])
  assert.is(readFileSync(join(root, long), 'utf8'), '1')
  assert.is(readFileSync(join(root, `${long}2`), 'utf8'), '2')
})

test('a later entry replaces an earlier one of another kind', async ({ root }) => {
  await unpack(root, [
    { name: 'a', type: '5' },
    { name: 'a/b', body: '1' },
    { name: 'a', body: '2' },
  ])
  assert.is(readFileSync(join(root, 'a'), 'utf8'), '2')
})

test('a file written over a link replaces the link, not its target', async ({ root, base }) => {
  await unpack(root, [
    { name: 'a', type: '2', link: '../outside' },
    { name: 'a', body: 'x' },
  ])
  assert.ok(lstatSync(join(root, 'a')).isFile())
  assert.not.ok(existsSync(join(base, 'outside')))
})

test('links on the way are followed inside the root', async ({ root, base }) => {
  await unpack(root, [
    { name: 'lib', type: '2', link: 'usr/lib' },
    { name: 'lib/x', body: '1' },
    { name: 'up', type: '2', link: '../../..' },
    { name: 'up/y', body: '2' },
    { name: 'abs', type: '2', link: '/etc' },
    { name: 'abs/z', body: '3' },
  ])
  assert.is(readFileSync(join(root, 'usr/lib/x'), 'utf8'), '1')
  assert.is(readFileSync(join(root, 'y'), 'utf8'), '2')
  assert.is(readFileSync(join(root, 'etc/z'), 'utf8'), '3')
  assert.equal(readdirSync(base), ['root'])
})

test('an absolute name lies in the root', async ({ root }) => {
  await unpack(root, [{ name: '/etc/caisson-test', body: 'x' }])
  assert.ok(existsSync(join(root, 'etc/caisson-test')))
})

test('.. in a name is refused', async ({ root, base }) => {
  assert.is(await code(unpack(root, [{ name: '../outside', body: 'x' }])), 'EARCHIVE')
  assert.is(await code(unpack(root, [{ name: 'a/../../outside', body: 'x' }])), 'EARCHIVE')
  assert.equal(readdirSync(base), ['root'])
})

test('a hard link out of the root, to a directory, or to nothing is refused', async ({ root }) => {
  assert.is(await code(unpack(root, [{ name: 'a', type: '1', link: '/etc/passwd' }])), 'EARCHIVE')
  assert.is(await code(unpack(root, [{ name: 'a', type: '1', link: '../../etc/passwd' }])), 'EARCHIVE')
  const directory = [
    { name: 'd', type: '5' },
    { name: 'a', type: '1', link: 'd' },
  ]
  assert.is(await code(unpack(root, directory)), 'EARCHIVE')
})

test('a hard link through a link of the archive stays inside', async ({ root }) => {
  const items = [
    { name: 'e', type: '2', link: '/etc' },
    { name: 'a', type: '1', link: 'e/passwd' },
  ]
  assert.is(await code(unpack(root, items)), 'EARCHIVE')
})

test('a loop of links is refused', async ({ root }) => {
  const items = [
    { name: 'a', type: '2', link: 'b' },
    { name: 'b', type: '2', link: 'a' },
    { name: 'a/x', body: '1' },
  ]
  assert.is(await code(unpack(root, items)), 'EARCHIVE')
})

test('names of whiteouts are names like any other', async ({ root }) => {
  await unpack(root, [{ name: '.wh.a', body: 'x' }, { name: '.wh..wh..opq' }])
  assert.equal(readdirSync(root).sort(), ['.wh..wh..opq', '.wh.a'])
})

test('a damaged archive is an error, not a guess', async ({ root }) => {
  const whole = archive(own([{ name: 'a', body: 'x'.repeat(3000) }]))
  assert.is(await code(extract(whole.subarray(0, 1500), root)), 'EARCHIVE')
  const flipped = Buffer.from(whole)
  flipped.writeUInt8(0x41, 5)
  assert.is(await code(extract(flipped, root)), 'EARCHIVE')
  assert.is(await code(extract(archive(own([{ name: 'x', type: 'x', body: '9999 a=b\n' }])), root)), 'EARCHIVE')
})

test.run()
