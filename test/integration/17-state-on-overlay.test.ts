/** A state root that lies on an overlay, as in a container of a CI job: images with deletions, what is written, what is refused. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { archive, ociArchive, ociImage } from '../image/archive.ts'
import { caisson, cleanUp, eventually, folder, ps } from './scenario.ts'

needsRoot(test)

const scratch = mkdtempSync(join(tmpdir(), 'caisson-overlay-'))
const sh = (script: string): void => {
  const { status, stderr } = spawnSync('sh', ['-ec', script], { cwd: scratch, encoding: 'utf8' })
  assert.is(status, 0, stderr)
}
sh('mkdir fs; mount -t tmpfs caisson fs; mkdir fs/lower fs/upper fs/work state')
sh('mount -t overlay caisson -o lowerdir=fs/lower,upperdir=fs/upper,workdir=fs/work state')
const usual = process.env.CAISSON_ROOT
process.env.CAISSON_ROOT = join(scratch, 'state/root')

test.after(() => {
  cleanUp()
  sh('umount state fs')
  rmSync(scratch, { recursive: true, force: true })
  if (usual === undefined) delete process.env.CAISSON_ROOT
  else process.env.CAISSON_ROOT = usual
})

const [major = 0, minor = 0] = release().split('.').map(Number)
/** Deletions can be kept as files with a mark. */
const hasMarks = major > 6 || (major === 6 && minor >= 8)

/** A shell with its libraries, and what a layer above it deletes. */
const lowerLayer = (): Buffer => {
  const root = join(scratch, 'rootfs')
  for (const path of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'data/old', 'data/kept'])
    mkdirSync(join(root, path), { recursive: true })
  const copy = `for f in /bin/sh /bin/ls /bin/rm /bin/sleep; do cp -L $f ${root}/bin/; for l in $(ldd $f | grep -o '/[^ ]*'); do mkdir -p ${root}/$(dirname $l); cp -L $l ${root}/$l; done; done`
  sh(copy)
  for (const name of ['gone', 'data/old/a', 'data/kept/a', 'data/kept/b']) writeFileSync(join(root, name), '')
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nold:x:7:7::/:/bin/sh\n')
  sh(`tar -cf layer.tar -C ${root} .`)
  return readFileSync(join(scratch, 'layer.tar'))
}

const load = () => {
  const upper = archive([
    ...[{ name: '.wh.gone' }, { name: 'data/old/.wh..wh..opq' }, { name: 'data/old/new' }],
    ...[{ name: 'data/kept/.wh.a' }, { name: 'etc/.wh.passwd' }],
  ])
  const { blobs, descriptor } = ociImage({ layers: [lowerLayer(), upper] })
  const annotations = {
    'io.containerd.image.name': 'docker.io/library/deletes:1',
    'org.opencontainers.image.ref.name': '1',
  }
  writeFileSync(join(scratch, 'image.tar'), ociArchive(blobs, [{ ...descriptor, annotations }]))
  return caisson(['image', 'load', '-i', join(scratch, 'image.tar')])
}

const base = 'image: "deletes:1", network_mode: none, stop_signal: SIGKILL'
const project = folder(`services:
  a: {${base}, command: [/bin/sleep, "1000"]}
  old: {${base}, command: [/bin/sleep, "1000"], user: old}
  host: {image: caisson/host, network_mode: none, stop_signal: SIGKILL, command: sleep 1000}
`)
test('doctor says what a state root on an overlay means', () => {
  const { stdout } = caisson(['doctor'])
  assert.match(stdout, /state root.*overlay/)
})

test('an image whose layers delete something runs, or is refused with the reason', () => {
  const { status, stderr } = load()
  if (!hasMarks) {
    assert.is(status, 1)
    assert.match(stderr, /hint: .*CAISSON_ROOT/)
    return
  }
  assert.is(status, 0, stderr)
  const all = 'ls -d /gone /data/old/* /data/kept/* /etc/passwd 2>/dev/null; true'
  assert.equal(project.run('run', '--rm', '-T', 'a', '/bin/sh', '-c', all).trim().split('\n'), [
    '/data/kept/b',
    '/data/old/new',
  ])
})

test('a user that a layer deletes is none', () => {
  if (!hasMarks) return
  const { status, stderr } = project.try(['up', '-d', 'old'])
  assert.is.not(status, 0)
  assert.match(stderr, /old/)
})

test('a container deletes what its image has, and writes', () => {
  if (!hasMarks) return
  project.run('up', '-d', 'a')
  const script = 'rm /data/kept/b; rm -r /data/old; echo x >/data/new; ls /data /data/kept'
  assert.equal(project.run('exec', '-T', 'a', '/bin/sh', '-c', script).trim().split(/\s+/), [
    ...['/data:', 'kept', 'new', '/data/kept:'],
  ])
})

test('copies go into a container that runs; into one that does not they are refused with a hint', async () => {
  project.write('file', 'content')
  project.run('up', '-d', 'host')
  project.run('cp', 'file', 'host:/srv/file')
  assert.is(project.run('exec', '-T', 'host', 'cat', '/srv/file'), 'content')
  project.run('stop', 'host')
  await eventually(() => ps(project).some(({ Service, State }) => Service === 'host' && State === 'exited'), 'the end')
  const { status, stderr } = project.try(['cp', 'file', 'host:/srv/file'])
  assert.is(status, 1)
  assert.match(stderr, /hint: .*CAISSON_ROOT/)
})

test.run()
