// takes: 20 s
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { caisson, cleanUp, folder } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const scratch = mkdtempSync(join(tmpdir(), 'caisson-images-'))
test.after(() => rmSync(scratch, { recursive: true, force: true }))

const tar = (name: string, ...args: string[]): string => {
  const path = join(scratch, name)
  const result = spawnSync('tar', ['-cf', path, ...args], { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(result.stderr)
  return path
}

/** A root filesystem of one program and its libraries. */
const rootfs = (): string => {
  const root = join(scratch, 'rootfs')
  for (const path of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'lib', 'lib64'])
    mkdirSync(join(root, path), { recursive: true })
  const copy = `set -e; for f in /bin/sh /bin/cat /bin/sleep /bin/id /bin/ls; do cp -L $f ${root}/bin/; for l in $(ldd $f | grep -o '/[^ ]*'); do mkdir -p ${root}/$(dirname $l); cp -L $l ${root}/$l; done; done`
  const result = spawnSync('sh', ['-c', copy], { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(result.stderr)
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\napp:x:1234:1234::/:/bin/sh\n')
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\napp:x:1234:\nextra:x:77:app\n')
  return root
}

test('image import makes a root filesystem tarball runnable under its name', () => {
  const archive = tar('rootfs.tar', '-C', rootfs(), '.')
  const outcome = caisson(['image', 'import', archive, 'tiny:1'])
  assert.is(outcome.status, 0, outcome.stderr)
  assert.match(caisson(['image', 'ls']).stdout, /tiny\s+1/)
  const project = folder(
    'services:\n  a: {image: "tiny:1", network_mode: none, user: app, command: [/bin/sleep, "1000"]}\n',
  )
  project.run('up', '-d')
  assert.match(project.run('exec', '-T', 'a', 'id'), /uid=1234\(app\) gid=1234\(app\) groups=1234\(app\),77\(extra\)/)
  project.run('down', '-t', '0')
})

test('the root directory of a container is as its image has it', () => {
  const root = rootfs()
  chmodSync(root, 0o555)
  assert.is(caisson(['image', 'import', tar('closed.tar', '-C', root, '.'), 'closed:1']).status, 0)
  chmodSync(root, 0o755)
  const project = folder('services:\n  a: {image: "closed:1", network_mode: none, command: [/bin/ls, -ld, /]}\n')
  assert.match(project.run('run', '--rm', '-T', 'a'), /^dr-xr-xr-x /)
})

test('an image that a container uses is not removed, one that none uses is', () => {
  const project = folder('services:\n  a: {image: "tiny:1", network_mode: none, command: [/bin/sleep, "1000"]}\n')
  project.run('up', '-d')
  assert.is.not(caisson(['image', 'rm', 'tiny:1']).status, 0)
  project.run('down', '-t', '0')
  assert.is(caisson(['image', 'rm', 'tiny:1']).status, 0)
  assert.not.match(caisson(['image', 'ls']).stdout, /tiny/)
})

test('an archive that reaches out of its root touches nothing outside', () => {
  const canary = join(scratch, 'canary')
  mkdirSync(canary)
  const hostile = join(scratch, 'hostile')
  mkdirSync(join(hostile, 'sub'), { recursive: true })
  symlinkSync(canary, join(hostile, 'link'))
  const first = tar('link.tar', '-C', hostile, 'link')
  mkdirSync(join(hostile, 'dir/link'), { recursive: true })
  writeFileSync(join(hostile, 'dir/link/owned'), 'x')
  spawnSync('tar', ['-rf', first, '-C', join(hostile, 'dir'), 'link/owned'])
  const dots = tar(
    'dots.tar',
    '-P',
    '-C',
    join(hostile, 'sub'),
    '--transform',
    's,^x$,../../../../../../..' + canary + '/owned,',
    '../dir/link/owned',
  )
  spawnSync('tar', [
    '-cPf',
    dots,
    '-C',
    join(hostile, 'dir/link'),
    '--transform',
    `s,owned,../../../../../../../..${canary}/owned,`,
    'owned',
  ])
  for (const archive of [first, dots]) {
    caisson(['image', 'import', archive, 'hostile'])
    assert.not.ok(existsSync(join(canary, 'owned')), archive)
  }
  caisson(['image', 'rm', 'hostile'])
})

test('an image whose /dev or /proc is a symlink does not lead out of the root', () => {
  const canary = join(scratch, 'canary2')
  mkdirSync(canary)
  for (const name of ['dev', 'proc']) {
    const root = rootfs()
    rmSync(join(root, name), { recursive: true })
    symlinkSync(`../../../../..${canary}`, join(root, name))
    const archive = tar(`${name}.tar`, '-C', root, '.')
    rmSync(join(scratch, 'rootfs'), { recursive: true })
    assert.is(caisson(['image', 'import', archive, `h${name}`]).status, 0)
    const project = folder(`services:\n  a: {image: "h${name}", network_mode: none, command: [/bin/sleep, "1000"]}\n`)
    project.try(['up', '-d'])
    project.try(['down', '-t', '0'])
    assert.equal(spawnSync('ls', ['-A', canary], { encoding: 'utf8' }).stdout, '', name)
    caisson(['image', 'rm', `h${name}`])
  }
})

test('an image that may not be pulled, and build, fail with their place', () => {
  for (const [service, line] of [
    ['{image: "nginx:1", pull_policy: never}', 2],
    ['{build: .}', 2],
  ] as const) {
    const outcome = folder(`services:\n  a: ${service}\n`).try(['up', '-d'])
    assert.is.not(outcome.status, 0)
    assert.ok(outcome.stderr.includes(`compose.yaml:${line}`), outcome.stderr)
  }
})

test('a dry run says what would be pulled, and pulls nothing', () => {
  const outcome = folder('services:\n  a: {image: "example.invalid/shop/web:1"}\n').try(['--dry-run', 'up', '-d'])
  assert.is(outcome.status, 0, outcome.stderr)
  assert.match(outcome.stderr, /example\.invalid\/shop\/web:1/)
  assert.match(outcome.stdout, /createContainer/)
})

test.run()
