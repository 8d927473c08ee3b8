import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { release, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { paxRecord } from './archive.ts'
import { code, extract, unpack } from './unpacking.ts'

const test = suite<{ base: string; root: string; lower: string }>('unpack layers', { base: '', root: '', lower: '' })
needsRoot(test)
test.before.each((context) => {
  context.base = mkdtempSync(join(tmpdir(), 'caisson-layer-'))
  context.root = join(context.base, 'root')
  context.lower = join(context.base, 'lower')
  mkdirSync(context.root)
  mkdirSync(context.lower)
})
test.after.each(({ base }) => rmSync(base, { recursive: true }))

const run = (command: string, cwd: string): string => {
  const { stdout, stderr, status } = spawnSync('sh', ['-ec', command], { cwd, encoding: 'utf8' })
  assert.is(status, 0, stderr)
  return stdout
}

test('the root of a layer that does not name it is as it is below', async ({ root, lower }) => {
  chmodSync(lower, 0o2551)
  await unpack(root, [{ name: 'file' }], [lower])
  assert.is(lstatSync(root).mode & 0o7777, 0o2551)
})

test('a sparse file has its content and its holes, in every way of writing them down', async ({ root, base }) => {
  const content = Buffer.alloc(3 << 20)
  content.write('middle', 1 << 20)
  content.write('end', content.length - 3)
  writeFileSync(join(base, 'sparse'), '')
  truncateSync(join(base, 'sparse'), content.length)
  const fd = openSync(join(base, 'sparse'), 'r+')
  writeSync(fd, 'middle', 1 << 20)
  writeSync(fd, 'end', content.length - 3)
  closeSync(fd)
  const ways = ['--format=gnu', ...['0.0', '0.1', '1.0'].map((version) => `--format=pax --sparse-version=${version}`)]
  for (const [index, way] of ways.entries()) {
    const into = join(root, String(index))
    mkdirSync(into)
    run(`tar -c --sparse ${way} -f sparse.tar sparse`, base)
    const bytes = readFileSync(join(base, 'sparse.tar'))
    assert.ok(bytes.length < 1 << 18, 'the archive is sparse itself')
    await extract(bytes, into)
    assert.ok(readFileSync(join(into, 'sparse')).equals(content), way)
    assert.ok(lstatSync(join(into, 'sparse')).blocks * 512 < content.length / 2)
  }
})

test('numbers, names, maps and headers out of bounds are refused', async ({ root }) => {
  const pax = (records: string) => [
    { name: 'x', type: 'x', body: records },
    { name: 'y', body: 'z'.repeat(1024) },
  ]
  for (const items of [
    pax(paxRecord('GNU.sparse.map', '0,512,100,512') + paxRecord('GNU.sparse.size', '9999')),
    pax(paxRecord('GNU.sparse.map', '0,512,1000,500') + paxRecord('GNU.sparse.size', '9999')),
    pax(
      paxRecord('GNU.sparse.major', '1') + paxRecord('GNU.sparse.minor', '0') + paxRecord('GNU.sparse.realsize', '9'),
    ),
    pax(paxRecord('size', '99999999999999999999')),
    pax(paxRecord('uid', '4294967295')),
    pax(paxRecord('path', 'p/'.repeat(2500))),
    pax(paxRecord('path', `${'p'.repeat(300)}/x`)),
    pax(paxRecord('path', `x/${'p'.repeat(300)}`)),
    pax(paxRecord('mtime', 'soon')),
    [{ name: 'x', type: 'x', body: 'a'.repeat((1 << 20) + 1) }],
    [{ name: 'x', type: 'Q' }],
    [{ name: 'x', type: '2', link: '' }],
  ])
    assert.is(await code(unpack(root, items)), 'EARCHIVE', JSON.stringify(items).slice(0, 80))
})

test('devices, FIFOs, capabilities and attributes are really there', async ({ root }) => {
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex').toString('latin1')
  await unpack(root, [
    { name: 'dev/null', type: '3', mode: 0o6666, device: [1, 3] },
    { name: 'dev/loop', type: '4', mode: 0o660, device: [7, 1] },
    { name: 'pipe', type: '6', mode: 0o622 },
    { name: 'x', type: 'x', body: paxRecord('SCHILY.xattr.user.note', 'hello') },
    { name: 'file', body: '1' },
    { name: 'x', type: 'x', body: paxRecord('SCHILY.xattr.security.capability', capability) },
    { name: 'ping', body: '1', uid: 5, mode: 0o4755 },
    { name: 'x', type: 'x', body: paxRecord('SCHILY.xattr.trusted.overlay.redirect', '/etc') },
    { name: 'd', type: '5' },
  ])
  assert.equal(run("stat -c '%n %F %a %t,%T' dev/null dev/loop pipe ping", root).trim().split('\n'), [
    'dev/null character special file 6666 1,3',
    'dev/loop block special file 660 7,1',
    'pipe fifo 622 0,0',
    'ping regular file 4755 0,0',
  ])
  const list = 'import os, sys; print([(k, os.getxattr(f, k)) for f in sys.argv[1:] for k in os.listxattr(f)])'
  const attributes = run(`python3 -c '${list}' file ping d`, root)
  assert.match(attributes, /'user.note', b'hello'/)
  assert.match(attributes, /security.capability/)
  assert.not.match(attributes, /overlay/)
})

/** Directory of a test that lies on an overlay, as in a container of CI. */
const onOverlay = (base: string): void => {
  mkdirSync(join(base, 'fs'))
  run('mount -t tmpfs caisson fs; mkdir fs/l fs/u fs/w fs/m', base)
  run('mount -t overlay caisson -o lowerdir=fs/l,upperdir=fs/u,workdir=fs/w fs/m', base)
  run('mkdir fs/m/root fs/m/lower; mount --bind fs/m/root root; mount --bind fs/m/lower lower', base)
}
const leaveOverlay = (base: string): void => void run('umount root lower fs/m fs', base)

const isBefore = (major: number, minor: number): boolean => {
  const [ours = 0, more = 0] = release().split('.').map(Number)
  return ours < major || (ours === major && more < minor)
}

const merge = (base: string): string[] => {
  mkdirSync(join(base, 'merged'))
  const script = 'mount -t overlay o -o lowerdir=root:lower merged; cd merged; find .'
  return run(`unshare -m sh -ec '${script}'`, base).trim().split('\n').sort()
}

test('on an overlay whiteouts are files with a mark, and mean the same', async ({ root, lower, base }) => {
  if (isBefore(6, 8)) return
  onOverlay(base)
  try {
    for (const name of [
      'gone',
      'dir/a',
      'dir/b',
      'opq/old',
      'then/old',
      'first/old',
      'sub/dir/x',
      'file',
      'again/old',
    ]) {
      mkdirSync(dirname(join(lower, name)), { recursive: true })
      writeFileSync(join(lower, name), '')
    }
    const items = [
      ...[{ name: '.wh.gone' }, { name: 'dir/.wh.a' }, { name: 'sub/.wh.dir' }, { name: 'empty', body: '' }],
      ...[{ name: 'opq/.wh..wh..opq' }, { name: 'opq/.wh.old' }, { name: 'opq/new' }],
      ...[{ name: 'then/.wh.old' }, { name: 'then/.wh..wh..opq' }, { name: 'then/new' }],
      ...[{ name: '.wh.again' }, { name: 'again', type: '5' }, { name: '.wh.file' }, { name: 'file', body: 'anew' }],
    ]
    await unpack(root, items, [lower])
    assert.ok(lstatSync(join(root, 'gone')).isFile())
    assert.equal(merge(base), [
      ...['.', './again', './dir', './dir/b', './empty', './file', './first', './first/old', './opq', './opq/new'],
      ...['./sub', './then', './then/new'],
    ])
    const link = [{ name: '.wh.gone' }, { name: 'l', type: '1', link: 'gone' }]
    mkdirSync(join(base, 'fs/m/second'))
    assert.is(await code(unpack(join(base, 'fs/m/second'), link, [lower])), 'EARCHIVE')
    mkdirSync(join(base, 'fs/m/third'))
    await unpack(join(base, 'fs/m/third'), [{ name: 'gone/x' }, { name: '.wh.gone' }], [root, lower])
    assert.equal(readdirSync(join(base, 'fs/m/third')), ['gone'])
  } finally {
    leaveOverlay(base)
  }
})

test('whiteouts of a layer become those of overlayfs, and touch nothing of their own layer', async (context) => {
  const { root, lower, base } = context
  for (const name of ['gone', 'both', 'dir/old', 'opq/old', 'again/old', 'kept/below/gone']) {
    mkdirSync(dirname(join(lower, name)), { recursive: true })
    writeFileSync(join(lower, name), '')
  }
  chmodSync(join(lower, 'kept'), 0o1777)
  const items = [
    { name: '.wh.gone' },
    { name: '.wh.never-was' },
    { name: 'both', body: 'new' },
    { name: '.wh.both' },
    { name: 'dir/new', body: '1' },
    { name: '.wh.dir' },
    { name: 'opq/.wh..wh..opq' },
    { name: 'opq/new', body: '1' },
    { name: '.wh.again' },
    { name: 'again', type: '5' },
    { name: '.wh..wh.plnk', type: '5' },
    { name: 'kept/below/.wh.gone' },
  ]
  await unpack(root, items, [lower])
  assert.equal(readdirSync(root).sort(), ['again', 'both', 'dir', 'gone', 'kept', 'opq'])
  assert.is(lstatSync(join(root, 'kept')).mode & 0o7777, 0o1777, 'a parent that is not named is as below')
  assert.is(readFileSync(join(root, 'both'), 'utf8'), 'new')
  assert.equal(merge(base), [
    ...['.', './again', './both', './dir', './dir/new', './kept', './kept/below', './opq', './opq/new'],
  ])
})

test('what could pass for a deletion, or delete outside, is refused', async ({ root, base, lower }) => {
  writeFileSync(join(lower, 'x'), '')
  for (const items of [
    [{ name: '.wh.' }],
    [{ name: '.wh..' }],
    [{ name: 'a/.wh...' }],
    [{ name: 'dev', type: '3', device: [0, 0] as const }],
    [{ name: 'dev', type: '3', device: [5000, 1] as const }],
    [{ name: '.wh.x' }, { name: 'l', type: '1', link: 'x' }],
  ])
    assert.is(await code(unpack(root, items, [lower])), 'EARCHIVE', JSON.stringify(items))
  assert.equal(readdirSync(base).sort(), ['lower', 'root'])
})

test('a link of a lower layer leads no entry anywhere', async ({ root, base, lower }) => {
  symlinkSync(base, join(lower, 'out'))
  await unpack(root, [{ name: 'out/owned', body: 'x' }, { name: 'out/.wh.lower' }], [lower])
  assert.ok(lstatSync(join(root, 'out')).isDirectory())
  assert.equal(readdirSync(base).sort(), ['lower', 'root'])
})

test.run()
