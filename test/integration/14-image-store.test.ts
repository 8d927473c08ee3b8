// deadline: 240 s
// takes: 35 s
/** Images that are saved, loaded, tagged, removed and verified by the command line, with containers that stand on them. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { hasTerminal, Terminal } from '../helpers/terminal.ts'
import { CLI, caisson, cleanUp, commandEnvironment, eventually, folder, runRoot, start, stateRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const scratch = mkdtempSync(join(tmpdir(), 'caisson-store-'))
test.after(() => rmSync(scratch, { recursive: true, force: true }))

const sh = (script: string): string => {
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', script], {
    cwd: scratch,
    env: commandEnvironment(),
    encoding: 'utf8',
  })
  assert.is(status, 0, stderr)
  return stdout
}

/** A root filesystem of a few programs and their libraries. */
const rootfs = (): string => {
  const root = join(scratch, 'rootfs')
  for (const path of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp']) mkdirSync(join(root, path), { recursive: true })
  sh(
    `for f in /bin/sh /bin/cat /bin/sleep; do cp -L $f ${root}/bin/; for l in $(ldd $f | grep -o '/[^ ]*'); do mkdir -p ${root}/$(dirname $l); cp -L $l ${root}/$l; done; done`,
  )
  writeFileSync(join(root, 'etc/hello'), 'hello\n')
  sh(`tar -cf rootfs.tar -C ${root} .`)
  return join(scratch, 'rootfs.tar')
}

const ok = (...args: string[]): string => {
  const outcome = caisson(args)
  assert.is(outcome.status, 0, outcome.stderr)
  return outcome.stdout
}
const names = () =>
  ok('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}')
    .trim()
    .split('\n')
    .filter((name) => name !== 'caisson/host:latest')
    .sort()
const content = (path: string): string => join(stateRoot(), 'content', path)
const projectOf = (image: string) =>
  folder(
    `services:\n  a: {image: "${image}", network_mode: none, stop_signal: SIGKILL, command: [/bin/sleep, "1000"]}\n`,
  )

test('an image is saved, removed, loaded and runs as before', () => {
  ok('image', 'import', '-c', 'ENV GREETING=hi', rootfs(), 'tiny:1')
  ok('image', 'tag', 'tiny:1', 'shop/tiny:2')
  const before = JSON.parse(ok('image', 'inspect', 'tiny:1'))
  ok('image', 'save', '-o', join(scratch, 'tiny.tar'), 'tiny:1', 'shop/tiny:2')
  ok('image', 'rm', 'tiny:1', 'shop/tiny:2')
  assert.equal(names(), [])
  for (const directory of ['layers', 'blobs/sha256', 'ingest']) assert.equal(readdirSync(content(directory)), [])
  ok('image', 'load', '-i', join(scratch, 'tiny.tar'))
  assert.equal(names(), ['shop/tiny:2', 'tiny:1'])
  const [{ Id, RepoTags, Config }] = JSON.parse(ok('image', 'inspect', 'tiny:1'))
  assert.equal([Id, RepoTags, Config], [before[0].Id, before[0].RepoTags, before[0].Config])
  const project = projectOf('tiny:1')
  project.run('up', '-d')
  assert.is(project.run('exec', '-T', 'a', 'sh', '-c', 'echo $GREETING; cat /etc/hello'), 'hi\nhello\n')
  project.run('down', '-t', '0')
})

test('the same image gives the same archive, to a file and to a pipe', () => {
  ok('image', 'save', '-o', join(scratch, 'again.tar'), 'shop/tiny:2', 'tiny:1')
  assert.ok(readFileSync(join(scratch, 'again.tar')).equals(readFileSync(join(scratch, 'tiny.tar'))))
  sh(`${process.execPath} ${CLI} image save tiny:1 shop/tiny:2 | cmp - tiny.tar`)
  assert.equal(
    readdirSync(scratch).filter((name) => name.endsWith('.part')),
    [],
  )
})

test('what killed commands have left of a file goes when it is written again, and nothing else does', async () => {
  const { pid } = spawnSync('true')
  const file = join(scratch, 'drafts.tar')
  const [dead, alive, other] = [`${file}.caisson-${pid}.part`, `${file}.caisson-1.part`, `${file}.${pid}.part`]
  for (const path of [dead, alive, other]) writeFileSync(path, 'a beginning')
  ok('image', 'save', '-o', file, 'tiny:1')
  assert.equal([dead, alive, other].map(existsSync), [false, true, true])
})

test('Ctrl-C leaves nothing of an archive that is not whole', async () => {
  sh(`mkdir -p many; dd if=/dev/urandom of=many/data bs=1M count=80 status=none; tar -cf many.tar -C many .`)
  ok('image', 'import', join(scratch, 'many.tar'), 'many:1')
  const child = start(['image', 'save', '-o', join(scratch, 'many-saved.tar'), 'many:1'])
  const ended = new Promise((resolve) => child.once('close', resolve))
  const drafts = () => readdirSync(scratch).filter((name) => name.startsWith('many-saved.tar'))
  await eventually(() => drafts().length > 0, 'a draft', 20_000)
  child.kill('SIGINT')
  assert.is(await ended, 130, child.text())
  assert.equal(drafts(), [])
  ok('image', 'rm', 'many:1')
})

test('the content is a layout whose index follows the names', () => {
  const refs = () =>
    JSON.parse(readFileSync(content('index.json'), 'utf8')).manifests.map(
      ({ annotations }: { annotations: Record<string, string> }) => annotations['org.opencontainers.image.ref.name'],
    )
  assert.equal(refs(), ['shop/tiny:2', 'tiny:1'])
  ok('image', 'rm', 'shop/tiny:2')
  assert.equal(refs(), ['tiny:1'])
})

test('an image is removed by force from under a stopped container, which starts all the same; not from what runs', () => {
  const project = projectOf('tiny:1')
  project.run('up', '-d')
  assert.is(caisson(['image', 'rm', '-f', 'tiny:1']).status, 1)
  project.run('stop', '-t', '0')
  assert.is(caisson(['image', 'rm', 'tiny:1']).status, 1)
  assert.match(ok('image', 'rm', '-f', 'tiny:1'), /^Untagged: tiny:1$/m)
  assert.equal(names(), ['<none>:<none>'])
  project.run('start')
  assert.is(project.run('exec', '-T', 'a', 'cat', '/etc/hello'), 'hello\n')
  project.run('down', '-t', '0')
  ok('image', 'rm', ok('image', 'ls', '-q', '--filter', 'dangling=true').trim())
  assert.equal(readdirSync(content('layers')), [])
})

test('a damaged blob is found, removed on request, and comes back with the next load', () => {
  ok('image', 'load', '-q', '-i', join(scratch, 'tiny.tar'))
  assert.match(ok('image', 'verify'), /^tiny:1: ok$/m)
  const blobs = readdirSync(content('blobs/sha256')).map((name) => content(`blobs/sha256/${name}`))
  const largest = blobs.sort((a, b) => readFileSync(b).length - readFileSync(a).length)[0] ?? ''
  writeFileSync(largest, 'x', { flag: 'r+' })
  assert.is(caisson(['image', 'verify', 'tiny:1']).status, 1)
  assert.is(caisson(['image', 'verify', '--fix']).status, 1)
  assert.not.ok(existsSync(largest))
  assert.is(caisson(['image', 'save', '-o', join(scratch, 'bad.tar'), 'tiny:1']).status, 1)
  assert.not.ok(existsSync(join(scratch, 'bad.tar')))
  ok('image', 'load', '-q', '-i', join(scratch, 'tiny.tar'))
  assert.is(caisson(['image', 'verify']).status, 0)
  ok('image', 'rm', 'tiny:1', 'shop/tiny:2')
})

test('after a load that was killed at any step, the next command leaves nothing of it', () => {
  const node = ['--require', join(import.meta.dirname, 'crash.cjs')]
  const load = ['image', 'load', '-i', join(scratch, 'tiny.tar')]
  const counted = join(scratch, 'count')
  assert.is(caisson(load, { node, env: { CAISSON_TEST_CRASH_COUNT: counted } }).status, 0)
  ok('image', 'rm', 'tiny:1', 'shop/tiny:2')
  const count = Number(readFileSync(counted, 'utf8'))
  assert.ok(count > 8, `${count} steps`)
  for (let at = 2; at <= count; at += Math.ceil(count / 8)) {
    assert.is(caisson(load, { node, env: { CAISSON_TEST_CRASH_AT: String(at) } }).signal, 'SIGKILL', `step ${at}`)
    ok(...load)
    assert.is(caisson(['image', 'verify']).status, 0, `step ${at}`)
    ok('image', 'rm', 'tiny:1', 'shop/tiny:2')
    for (const directory of ['layers', 'blobs/sha256', 'ingest', 'references'])
      assert.equal(readdirSync(content(directory)), [], `step ${at}, ${directory}`)
  }
})

test('a command that cannot say beforehand what it would do refuses a dry run, and does nothing', () => {
  const archive = join(scratch, 'tiny.tar')
  for (const line of [
    ['load', '-i', archive],
    ['image', 'import', archive, 'x'],
    ['tag', 'a', 'b'],
    ['save', 'a'],
  ])
    assert.is(caisson([...line, '--dry-run']).status, 2, line.join(' '))
  assert.equal(names(), [])
})

test('two loads of the same archive side by side both succeed', () => {
  sh(
    `${process.execPath} ${CLI} image load -i tiny.tar & one=$!; ${process.execPath} ${CLI} image load -i tiny.tar; wait $one`,
  )
  assert.equal(names(), ['shop/tiny:2', 'tiny:1'])
  assert.is(caisson(['image', 'verify']).status, 0)
  ok('image', 'rm', 'tiny:1', 'shop/tiny:2')
})

const df = (): Record<string, Record<string, string>> =>
  Object.fromEntries(
    ok('system', 'df', '--format', 'json')
      .trim()
      .split('\n')
      .map((line) => [JSON.parse(line).Type, JSON.parse(line)]),
  )

if (hasTerminal)
  test('on a terminal prune asks, and save writes no archive there', async () => {
    ok('load', '-q', '-i', join(scratch, 'tiny.tar'))
    const on = (...line: string[]) =>
      new Terminal([process.execPath, CLI, ...line], {
        cwd: scratch,
        env: { CAISSON_ROOT: stateRoot(), CAISSON_RUN: runRoot() },
      })
    for (const [answer, exitCode, left] of [
      ['n', 1, ['shop/tiny:2', 'tiny:1']],
      ['y', 0, []],
    ] as const) {
      const asking = on('image', 'prune', '-a')
      await asking.shows(/continue\? \[y\/N\] $/)
      assert.equal(names(), ['shop/tiny:2', 'tiny:1'])
      asking.type(`${answer}\n`)
      assert.is(await asking.ended, exitCode)
      assert.equal(names(), left)
    }
    ok('load', '-q', '-i', join(scratch, 'tiny.tar'))
    assert.is(await on('save', 'tiny:1').ended, 2)
    ok('image', 'rm', 'tiny:1', 'shop/tiny:2')
  })

test('prune takes images without a name, with -a those without a container; -f is asked for where there is no terminal', () => {
  ok('load', '-q', '-i', join(scratch, 'tiny.tar'))
  const base = ok('image', 'inspect', '-f', '{{.Id}}', 'tiny:1').trim()
  ok('rmi', 'shop/tiny:2')
  ok('image', 'import', '-m', 'another', join(scratch, 'rootfs.tar'), 'tiny:1')
  const project = projectOf('tiny:1')
  project.run('up', '-d')
  assert.equal([df().Images?.TotalCount, df().Images?.Active], ['2', '1'])
  assert.is(caisson(['image', 'prune']).status, 2)
  assert.match(ok('image', 'prune', '--dry-run'), new RegExp(`deleted: ${base}`))
  assert.equal(names(), ['<none>:<none>', 'tiny:1'])
  assert.match(ok('image', 'prune', '-f'), new RegExp(`deleted: ${base}`))
  assert.equal(names(), ['tiny:1'])
  ok('image', 'prune', '-a', '-f')
  assert.equal(names(), ['tiny:1'])
  assert.match(df().Images?.Reclaimable ?? '', /^0B/)
  project.run('down', '-t', '0')
  assert.match(ok('image', 'prune', '-a', '-f', '--filter', 'until=24h'), /^Total reclaimed space: 0B$/m)
  assert.match(ok('image', 'prune', '-a', '-f'), /^untagged: tiny:1$/m)
  for (const directory of ['layers', 'blobs/sha256']) assert.equal(readdirSync(content(directory)), [])
})

test('system prune takes what does not run of every project, and leaves what runs with its network', () => {
  const compose = (command: string) =>
    `services:\n  a: {image: caisson/host, stop_signal: SIGKILL, command: [${command}], volumes: [/data, "kept:/kept"]}\nvolumes: {kept: {}}\n`
  const runs = folder(compose('/bin/sleep, "1000"'))
  const ended = folder(compose('/bin/sh, -c, "echo text >/written; echo text >/data/file; echo text >/kept/file"'))
  runs.run('up', '-d')
  ended.run('up', '-d')
  ended.run('wait', 'a')
  const before = df()
  assert.equal([before.Containers?.TotalCount, before.Containers?.Active], ['2', '1'])
  assert.equal(before['Local Volumes']?.TotalCount, '4')
  assert.match(ok('system', 'prune', '-f', '--filter', 'until=24h'), /^Total reclaimed space: 0B$/m)
  const wished = ok('system', 'prune', '--dry-run', '--volumes')
  assert.is(df().Containers?.TotalCount, '2')
  const said = ok('system', 'prune', '-f', '--volumes')
  for (const text of [wished, said]) {
    assert.match(text, new RegExp(`^Deleted Networks:\n${ended.name}_default\n\n`, 'm'))
    assert.match(text, /^Deleted Containers:\n[0-9a-f]{12,64}\n\n/m)
    assert.not.match(text, /space: 0B/)
  }
  const after = df()
  assert.equal([after.Containers?.TotalCount, after.Containers?.Active], ['1', '1'])
  assert.is(after['Local Volumes']?.TotalCount, '3')
  assert.match(ok('system', 'df', '-v'), new RegExp(`${ended.name}_kept\\s+0\\s+`))
  assert.match(runs.run('ps'), /Up/)
  runs.run('down', '-v', '-t', '0')
  ended.write('compose.yaml', compose('/bin/true'))
  ended.run('down', '-v', '-t', '0')
})

test.run()
