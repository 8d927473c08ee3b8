// takes: 20 s
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { COPIED, copying } from './copying.ts'
import { CLI, cleanUp, folder, ps, runRoot, stateRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const project = folder(
  `
services:
  a: {${COPIED}, volumes: ["data:/data", "./ro:/ro:ro"]}
  many: {${COPIED}, scale: 2}
  filled: {${COPIED}, volumes: ["etc:/etc"]}
volumes: {data: {}, etc: {}}
`,
  { 'in/file': 'a file\n', 'in/sub/deep': 'deep\n', 'ro/here': 'x' },
)
const { here, local, inside, status, fresh } = copying(project)

test('a file goes into a directory and comes back under another name', () => {
  project.run('up', '-d')
  project.run('cp', 'in/file', 'a:/tmp/')
  project.run('cp', 'a:/tmp/file', 'out')
  assert.is(local('out'), 'a file\n')
  project.run('cp', 'in/file', 'a:tmp/renamed')
  assert.is(inside('cat', '/tmp/renamed'), 'a file\n')
})

test('a directory takes a new name, goes into one that is there, or gives its content', () => {
  project.run('cp', 'in', 'a:/tmp/dir')
  project.run('cp', 'in', 'a:/tmp/dir')
  project.run('cp', 'in/.', 'a:/tmp/dots')
  assert.is(inside('cat', '/tmp/dir/sub/deep', '/tmp/dir/in/sub/deep', '/tmp/dots/sub/deep'), 'deep\n'.repeat(3))
  project.run('cp', 'a:/tmp/dir', 'all')
  assert.equal(readdirSync(here('all')).sort(), ['file', 'in', 'sub'])
  fresh('there')
  project.run('cp', 'a:/tmp/dots/', 'there')
  project.run('cp', 'a:/tmp/dots/.', 'there')
  assert.equal(readdirSync(here('there')).sort(), ['dots', 'file', 'sub'])
})

for (const [what, args] of [
  ['a missing parent', ['in/file', 'a:/no/such/dir/']],
  ['a missing parent of a new name', ['in/file', 'a:/no/such/name']],
  ['a file for a parent', ['in/file', 'a:/etc/passwd/x']],
  ['a directory over a file', ['in', 'a:/etc/passwd']],
  ['a missing source inside', ['a:/nope', 'out']],
  ['a missing source here', ['nope', 'a:/x']],
  ['a missing directory here', ['a:/etc/passwd', 'no/such/name']],
  ['an archive into a file', ['-', 'a:/etc/passwd']],
  ['a missing replica', ['--index', '7', 'in/file', 'a:/x']],
  ['a read-only mount', ['in/file', 'a:/ro/new']],
] as const) {
  test(`${what} is refused with exit code 1`, () => assert.is(status(...args), 1))
}

test('what was refused has made nothing', () => {
  assert.is(inside('sh', '-c', 'ls -d /no /x 2>/dev/null; test -f /etc/passwd && echo -n kept'), 'kept')
})

test('two local paths, or two services, are a mistake of usage', () => {
  assert.is(status('in', 'out'), 2)
  assert.is(status('a:/etc', 'many:/etc'), 2)
})

test('a link is copied as one unless -L is given', () => {
  inside('sh', '-c', 'echo target > /tmp/target; ln -s target /tmp/link; ln -s /tmp/gone /tmp/dangling')
  project.run('cp', 'a:/tmp/link', 'link')
  assert.is(readlinkSync(here('link')), 'target')
  project.run('cp', '-L', 'a:/tmp/link', 'followed')
  assert.is(local('followed'), 'target\n')
  project.run('cp', 'in/file', 'a:/tmp/dangling')
  assert.is(inside('cat', '/tmp/gone'), 'a file\n')
  symlinkSync('in', here('to-in'))
  project.run('cp', 'to-in', 'a:/tmp/as-link')
  project.run('cp', '-L', 'to-in', 'a:/tmp/as-directory')
  assert.is(inside('readlink', '/tmp/as-link'), 'in\n')
  assert.is(inside('cat', '/tmp/as-directory/file'), 'a file\n')
})

test('- is a tar archive, both ways', () => {
  const tar = spawnSync('tar', ['c', '-C', here('in'), '.']).stdout
  const put = spawnSync(process.execPath, [CLI, 'cp', '-', 'a:/data'], { cwd: project.directory, input: tar })
  assert.is(put.status, 0)
  assert.is(inside('cat', '/data/sub/deep'), 'deep\n')
  const got = spawnSync(process.execPath, [CLI, 'cp', 'a:/data', '-'], { cwd: project.directory })
  const list = spawnSync('tar', ['t'], { input: got.stdout, encoding: 'utf8' })
  assert.equal(list.stdout.trim().split('\n').sort(), ['data/', 'data/file', 'data/sub/', 'data/sub/deep'])
})

test('into a service goes to all its containers; --index chooses one', () => {
  project.run('cp', 'in/file', 'many:/tmp/x')
  project.run('cp', '--index', '2', 'in/file', 'many:/tmp/y')
  const list = (index: string) => project.run('exec', '-T', '--index', index, 'many', 'ls', '/tmp')
  assert.equal([list('1'), list('2')], ['x\n', 'x\ny\n'])
  assert.is(project.try(['cp', '-', 'many:/tmp'], { input: '' }).status, 1)
})

test('a frozen container is copied from and to', () => {
  project.run('pause', 'a')
  project.run('cp', 'in/file', 'a:/tmp/frozen')
  project.run('cp', 'a:/tmp/frozen', 'frozen')
  project.run('unpause', 'a')
  assert.is(local('frozen'), 'a file\n')
})

test('a container that does not run is copied from and to, its volumes too', () => {
  project.run('stop', '-t', '0', 'a')
  project.run('cp', 'in/file', 'a:/late')
  project.run('cp', 'a:/late', 'late')
  assert.is(local('late'), 'a file\n')
  project.run('cp', 'a:/data/sub/deep', 'volume')
  project.run('cp', 'in/file', 'a:/data/later')
  assert.is(local('volume'), 'deep\n')
  assert.is(status('in/file', 'a:/ro/new'), 1)
  assert.is(status('in/file', 'a:/usr/new'), 1)
  project.run('start', 'a')
  assert.is(inside('cat', '/late', '/data/later'), 'a file\n'.repeat(2))
})

test('a container that never ran keeps what is copied into it', () => {
  project.run('rm', '-sf', 'a')
  project.run('create', 'a')
  project.run('cp', 'in/file', 'a:/early')
  project.run('start', 'a')
  assert.is(inside('cat', '/early'), 'a file\n')
})

test('a volume that is copied into before the first start still gets what the image has there', () => {
  project.run('rm', '-sf', 'filled')
  project.run('down', '-v', '-t', '0')
  project.run('create', 'filled')
  project.run('cp', 'in/file', 'filled:/etc/early')
  project.run('start', 'filled')
  assert.is(project.run('exec', '-T', 'filled', 'sh', '-c', 'test -s /etc/passwd && cat /etc/early'), 'a file\n')
})

test('nothing is left behind', () => {
  for (const { ID } of ps(project)) assert.not.ok(existsSync(`${stateRoot()}/containers/${ID}/copy-work`))
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
  assert.not.ok(mounts.includes(project.name))
  assert.equal(
    readdirSync(runRoot()).filter((name) => name.startsWith('copy')),
    [],
  )
  writeFileSync(here('done'), '')
})

test.run()
