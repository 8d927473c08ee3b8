// takes: 25 s
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { COPIED, copying } from './copying.ts'
import { CLI, cleanUp, folder } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const project = folder(
  `
services:
  a: {${COPIED}}
`,
  { 'in/file': 'a file\n' },
)
const { here, local, inside, status, fresh } = copying(project)

test('owners and set-id bits reach this machine only with -a', () => {
  project.run('up', '-d')
  inside('sh', '-c', 'echo x > /tmp/owned; chown 1234:1234 /tmp/owned; chmod 4755 /tmp/owned')
  project.run('cp', 'a:/tmp/owned', 'owned')
  project.run('cp', '-a', 'a:/tmp/owned', 'owned-a')
  const facts = (name: string) => [statSync(here(name)).uid, statSync(here(name)).mode & 0o7777]
  assert.equal(facts('owned'), [process.getuid?.(), 0o755])
  assert.equal(facts('owned-a'), [1234, 0o4755])
  chmodSync(here('owned-a'), 0o640)
  project.run('cp', 'owned-a', 'a:/tmp/back')
  assert.is(inside('stat', '-c', '%u %a', '/tmp/back'), '1234 640\n')
})

test('a link out of the container leads to its own files, not to those of this machine', () => {
  const secret = '/etc/caisson-copy-test'
  inside('sh', '-c', 'ln -s /etc /tmp/out; ln -s / /tmp/top; ln -s ../../../../../../etc /tmp/up')
  try {
    project.run('cp', 'in/file', `a:/tmp/out/${secret.slice(5)}`)
    project.run('cp', 'in/file', 'a:/tmp/up/up')
    assert.is(inside('cat', secret, '/etc/up'), 'a file\n'.repeat(2))
    assert.not.ok(existsSync(secret))
    fresh('top')
    project.run('cp', '-L', 'a:/tmp/top/etc', 'top')
    assert.is(local(`top/etc/${secret.slice(5)}`), 'a file\n')
  } finally {
    rmSync(secret, { force: true })
  }
})

test('an archive cannot leave the directory here', () => {
  fresh('jail')
  symlinkSync('/tmp', here('jail/x'))
  inside('sh', '-c', 'mkdir -p /tmp/evil/x && echo evil > /tmp/evil/x/caisson-escaped')
  assert.is(status('a:/tmp/evil/.', 'jail'), 1)
  assert.not.ok(existsSync('/tmp/caisson-escaped'))
  assert.ok(lstatSync(here('jail/x')).isSymbolicLink())
})

test('an archive with .. in its paths is refused', () => {
  const tar = spawnSync('tar', ['cP', '-C', here('in'), '--transform', 's,^,../,', 'file']).stdout
  const put = spawnSync(process.execPath, [CLI, 'cp', '-', 'a:/tmp'], { cwd: project.directory, input: tar })
  assert.is(put.status, 1)
  assert.is(inside('sh', '-c', 'test -e /file || echo -n none'), 'none')
})

test('FIFOs and devices are left out, and told', () => {
  inside('sh', '-c', 'mkdir /tmp/odd; mkfifo /tmp/odd/fifo; mknod /tmp/odd/null c 1 3; echo x > /tmp/odd/file')
  const outcome = project.try(['cp', 'a:/tmp/odd', 'odd'], { timeoutMs: 10_000 })
  assert.is(outcome.status, 0)
  assert.match(outcome.stderr, 'odd/fifo')
  assert.equal(readdirSync(here('odd')), ['file'])
  assert.is(status('a:/tmp/odd/fifo', 'fifo'), 1)
})

test('many small files and a large one arrive whole', () => {
  inside(
    'sh',
    '-c',
    'mkdir /tmp/5000; cd /tmp/5000; seq 5000 | split -l 1 -a 4 -; head -c 100M /dev/urandom > /tmp/large',
  )
  project.run('cp', 'a:/tmp/5000', 'small')
  assert.is(readdirSync(here('small')).length, 5000)
  project.run('cp', 'small', 'a:/tmp/again')
  assert.is(inside('sh', '-c', 'diff -r /tmp/5000 /tmp/again && ls /tmp/again | wc -l').trim(), '5000')
  project.run('cp', 'a:/tmp/large', 'large')
  project.run('cp', 'large', 'a:/tmp/large-again')
  assert.is(statSync(here('large')).size, 100 << 20)
  inside('cmp', '/tmp/large', '/tmp/large-again')
  inside('rm', '/tmp/large', '/tmp/large-again')
})

test('a hard link stays one, and a long name whole', () => {
  const long = `${'d'.repeat(120)}/${'f'.repeat(120)}`
  inside(
    'sh',
    '-c',
    `mkdir -p /tmp/names/${'d'.repeat(120)}; echo x > /tmp/names/${long}; ln /tmp/names/${long} /tmp/names/same`,
  )
  project.run('cp', 'a:/tmp/names', 'names')
  assert.is(statSync(here('names/same')).ino, statSync(here(`names/${long}`)).ino)
})

test.run()
