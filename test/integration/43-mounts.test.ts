/** Parts of volumes, and file systems of images as mounts: what is seen, what cannot be written, and that nothing leads out. */
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { caisson, cleanUp, folder, stateRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const scratch = mkdtempSync(join(tmpdir(), 'caisson-mounts-'))
test.after(() => rmSync(scratch, { recursive: true, force: true }))

/** An image with these files, symlinks where the content begins with `->`. */
const imageOf = (name: string, files: Readonly<Record<string, string>>): void => {
  const root = mkdtempSync(join(scratch, 'root-'))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    if (content.startsWith('->')) symlinkSync(content.slice(2), join(root, path))
    else writeFileSync(join(root, path), content)
  }
  const archive = join(scratch, 'image.tar')
  spawnSync('tar', ['-cf', archive, '-C', root, '.'])
  const { status, stderr } = caisson(['image', 'import', archive, name])
  assert.is(status, 0, stderr)
}
const FILES = {
  'data/file': 'one\n',
  'data/deep/er': 'two\n',
  near: '->data',
  far: '->/etc',
  up: '->../../etc',
  x: 'x',
}

const mounting = (...mounts: string[]) =>
  folder(
    `services:\n  a: {image: caisson/host, network_mode: none, stop_signal: SIGKILL, command: [sleep, "1000"], volumes: [${mounts.join(', ')}]}\nvolumes: {data: {}}\n`,
  )
type Project = ReturnType<typeof folder>
const sh = (project: Project, script: string): string => project.run('exec', '-T', 'a', 'sh', '-c', script).trim()
const dataOf = (project: Project): string => join(stateRoot(), 'volumes', `${project.name}_data`, 'data')
const part = (subpath: string, more = ''): string =>
  `{type: volume, source: data, target: /v, volume: {subpath: ${JSON.stringify(subpath)}${more}}}`
const view = (source: string, subpath?: string, target = '/i'): string =>
  `{type: image, source: "${source}", target: ${target}${subpath === undefined ? '' : `, image: {subpath: ${JSON.stringify(subpath)}}`}}`

/** The volume of a project, with what a container has put there. */
const filled = (...mounts: string[]): Project => {
  const project = mounting(...mounts)
  const data = dataOf(project)
  project.run('create')
  mkdirSync(join(data, 'sub/deep'), { recursive: true })
  writeFileSync(join(data, 'sub/file'), 'mine\n')
  for (const [name, to] of Object.entries({
    near: 'sub',
    far: '/etc',
    up: '../../../..',
    loop: 'loop',
    proc: '/proc/self/root',
  }))
    symlinkSync(to, join(data, name))
  return project
}

test('a part of a volume is mounted: a directory, a file, and what a symlink within the volume leads to', () => {
  for (const [subpath, seen] of [
    ['sub', 'mine'],
    ['sub/', 'mine'],
    ['sub/deep/..', 'mine'],
    ['near', 'mine'],
  ] as const) {
    const project = filled(part(subpath))
    project.run('up', '-d')
    assert.is(sh(project, 'cat /v/file; echo new > /v/new'), seen, subpath)
    assert.is(readFileSync(join(dataOf(project), 'sub/new'), 'utf8'), 'new\n')
    project.run('down', '-v')
  }
  const project = filled(part('sub/file'))
  project.run('up', '-d')
  assert.is(sh(project, 'cat /v'), 'mine')
})

test('an empty subpath is the whole volume', () => {
  const project = filled(part(''))
  project.run('up', '-d')
  assert.is(sh(project, 'cat /v/sub/file'), 'mine')
})

test('no symlink of a volume leads out of it, and a part that is not there is not made', () => {
  const reasons = {
    missing: /is not there/,
    far: /leads out of the volume/,
    up: /leads out of the volume/,
    proc: /leads out/,
  }
  for (const [subpath, reason] of Object.entries({ ...reasons, 'far/passwd': /leads out/, loop: /ELOOP/ })) {
    const project = filled(part(subpath))
    const { status, stderr } = project.try(['up', '-d'])
    assert.is(status, 1, `${subpath}: ${stderr}`)
    assert.match(stderr, /^compose\.yaml:2:\d+: error: service a: subpath/m)
    assert.match(stderr, reason)
    assert.not(existsSync(join(dataOf(project), 'missing')))
  }
})

test('a subpath that is not below by its own words is refused before anything starts', () => {
  for (const subpath of ['/sub', '../x', 'sub/../../x']) {
    for (const mount of [part(subpath), view('caisson/host', subpath)]) {
      const project = mounting(mount)
      const { status, stderr } = project.try(['up', '-d'])
      assert.is(status, 3)
      assert.match(stderr, /EMOUNT/)
      assert.not(existsSync(dataOf(project)))
    }
  }
})

test('an image is mounted as it is, whole or in part, and nobody can write to it, a privileged container neither', () => {
  imageOf('files:1', FILES)
  const project = folder(
    `services:\n  a: {image: caisson/host, privileged: true, network_mode: none, stop_signal: SIGKILL, command: [sleep, "1000"], volumes: [${view('files:1', undefined, '/whole')}, ${view('files:1', 'data')}, ${view('files:1', 'near', '/near')}, ${view('files:1', 'data/file', '/file')}]}\n`,
  )
  project.run('up', '-d')
  assert.is(
    sh(project, 'cat /whole/data/file /i/deep/er /near/file /file; ls -A /whole'),
    'one\ntwo\none\none\ndata\nfar\nnear\nup\nx',
  )
  for (const target of ['/whole', '/i', '/near'])
    assert.match(
      project.try(['exec', '-T', 'a', 'sh', '-c', `mount -o remount,rw,bind ${target}; echo bad > ${target}/new`])
        .stderr,
      /Read-only/,
    )
  assert.is(sh(project, 'grep " overlay " /proc/self/mountinfo | grep -c "/var/\\|/tmp/" || true'), '0')
  assert.equal(readdirSync(join(process.env.CAISSON_RUN ?? '/nowhere', 'empty')), [])
})

test('no symlink of an image leads out of it', () => {
  for (const subpath of ['far', 'up', 'missing', 'x/y']) {
    const { status, stderr } = mounting(view('files:1', subpath)).try(['up', '-d'])
    assert.is(status, 1, subpath)
    assert.match(stderr, /^compose\.yaml:2:\d+: error: service a: subpath/m)
  }
})

test('an image that is mounted is in use, and another one under its name makes the container anew', () => {
  imageOf('files:2', { file: 'old\n' })
  const project = mounting(view('files:2'))
  project.run('up', '-d')
  assert.is(caisson(['image', 'rm', 'files:2']).status, 1)
  assert.match(project.run('up', '--dry-run', '-d'), /Nothing to do/)
  imageOf('files:2', { file: 'new\n' })
  assert.is(caisson(['image', 'prune', '-af']).status, 0)
  assert.is(sh(project, 'cat /i/file'), 'old')
  project.run('restart')
  assert.is(sh(project, 'cat /i/file'), 'old')
  imageOf('files:2', { file: 'new\n' })
  assert.match(project.run('up', '--dry-run', '-d'), /mounted image changed/)
  project.run('up', '-d')
  assert.is(sh(project, 'cat /i/file'), 'new')
})

test('an image that is not here or is this machine is an error at its place', () => {
  const missing = mounting(view('files:none')).try(['--progress', 'plain', 'up', '-d', '--pull', 'never'])
  assert.equal([missing.status, /files:none is not on this machine/.test(missing.stderr)], [3, true], missing.stderr)
  const host = mounting(view('caisson/host')).try(['up', '-d'])
  assert.equal([host.status, /compose\.yaml:2:\d+: error: .*type: bind/.test(host.stderr)], [3, true], host.stderr)
})

test('cp sees both kinds in a container that does not run, as in one that does', () => {
  const project = filled(part('sub'), view('files:1', 'data'))
  for (const state of ['stopped', 'running']) {
    if (state === 'running') project.run('up', '-d')
    for (const path of ['/v/file', '/i/deep/er']) {
      project.run('cp', `a:${path}`, `${state}${path.replaceAll('/', '-')}`)
    }
    assert.is(readFileSync(join(project.directory, `${state}-v-file`), 'utf8'), 'mine\n')
    assert.is(readFileSync(join(project.directory, `${state}-i-deep-er`), 'utf8'), 'two\n')
  }
})

test('volumes_from takes both kinds along', () => {
  const project = folder(
    `services:\n  b: {image: caisson/host, network_mode: none, stop_signal: SIGKILL, command: [sleep, "1000"], volumes: [${view('files:1', 'data')}]}\n  a: {image: caisson/host, network_mode: none, stop_signal: SIGKILL, command: [sleep, "1000"], volumes_from: [b]}\n`,
  )
  project.run('up', '-d')
  assert.is(sh(project, 'cat /i/file'), 'one')
})

test.run()
