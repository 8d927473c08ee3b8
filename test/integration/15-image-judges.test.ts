/**
 * Other programs read what we save, and we load what they save: skopeo and umoci as the machine has them, docker where
 * CAISSON_BENCH_PEERS names a program that runs a command beside a started dockerd; it sees the same /tmp.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot, skipTest } from '../helpers/root.ts'
import { caisson, cleanUp, stateRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const scratch = mkdtempSync('/tmp/caisson-judges-')
test.after(() => rmSync(scratch, { recursive: true, force: true }))

const run = (program: string, args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: scratch, encoding: 'utf8', timeout: 60_000 })
  assert.is(status, 0, `${program} ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** What to run a judge by: itself where it is installed, else through the rivals where they are started. */
const judgeCommand = (program: string): readonly string[] | undefined => {
  const throughRivals = [process.env.CAISSON_BENCH_PEERS ?? '', program]
  // Never the docker of this machine: it is somebody's, and would be given an image and a container.
  const commands = program === 'docker' ? [throughRivals] : [[program], throughRivals]
  const question = program === 'docker' ? 'version' : '--version'
  return commands.find(
    ([file = '', ...args]) => file !== '' && spawnSync(file, [...args, question], { timeout: 60_000 }).status === 0,
  )
}
const judge = (program: string, ...args: string[]): string => {
  const [file = program, ...before] = judgeCommand(program) ?? []
  return run(file, [...before, ...args])
}
/** A test that needs a judge, or a skip that names it. */
const judged = (name: string, program: string, body: () => void): void =>
  judgeCommand(program) === undefined
    ? skipTest(test, name, `needs ${program}, installed or among started rivals (CAISSON_BENCH_PEERS)`)
    : void test(name, body)
const ok = (...args: string[]): string => {
  const outcome = caisson(args)
  assert.is(outcome.status, 0, outcome.stderr)
  return outcome.stdout
}
const NAME = `caisson-judged:v${process.pid}`
const idOf = (name: string): string => ok('image', 'inspect', '-f', '{{.Id}}', name).trim()
const file = (name: string): string => join(scratch, name)

test('an image is made and saved in both forms', () => {
  const root = join(scratch, 'root')
  for (const path of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp']) mkdirSync(join(root, path), { recursive: true })
  const copy = `for f in /bin/sh /bin/cat; do cp -L $f ${root}/bin/; for l in $(ldd $f | grep -o '/[^ ]*'); do mkdir -p ${root}/$(dirname $l); cp -L $l ${root}/$l; done; done`
  run('sh', ['-ec', `${copy}; echo hello >${root}/etc/hello; tar -cf rootfs.tar -C ${root} .`])
  ok('image', 'import', '-c', 'ENV GREETING=hi', file('rootfs.tar'), NAME)
  ok('image', 'save', '-o', file('both.tar'), NAME)
  ok('image', 'save', '--format', 'oci', '-o', file('oci.tar'), NAME)
})

judged('docker loads what we save, runs it, and calls it by the same id; we load what it saves', 'docker', () => {
  assert.match(judge('docker', 'load', '-i', file('both.tar')), new RegExp(`Loaded image: ${NAME}`))
  try {
    assert.is(judge('docker', 'image', 'inspect', '-f', '{{.Id}}', NAME).trim(), idOf(NAME))
    const seen = judge('docker', 'run', '--rm', '--network', 'none', NAME, 'sh', '-c', 'echo $GREETING; cat /etc/hello')
    assert.is(seen, 'hi\nhello\n')
    judge('docker', 'save', '-o', file('docker.tar'), NAME)
  } finally {
    judge('docker', 'rmi', '-f', NAME)
  }
  const id = idOf(NAME)
  ok('image', 'rm', NAME)
  assert.is(ok('image', 'load', '-i', file('docker.tar')), `Loaded image: ${NAME}\n`)
  assert.is(idOf(NAME), id)
  assert.is(caisson(['image', 'verify']).status, 0)
})

judged('skopeo finds the image in the store itself and in every form of archive', 'skopeo', () => {
  const record = JSON.parse(readFileSync(join(stateRoot(), 'content/index.json'), 'utf8'))
  const { digest } = record.manifests.find(
    ({ annotations }: { annotations: Record<string, string> }) =>
      annotations['org.opencontainers.image.ref.name'] === NAME,
  )
  run('cp', ['-r', join(stateRoot(), 'content'), file('layout')])
  chmodSync(file('layout'), 0o755)
  const tag = NAME.split(':')[1] ?? ''
  for (const place of [`oci:${file('layout')}:${NAME}`, `oci-archive:${file('oci.tar')}:${tag}`])
    assert.is(JSON.parse(judge('skopeo', 'inspect', '--no-tags', place)).Digest, digest)
  const config = JSON.parse(judge('skopeo', 'inspect', '--config', `docker-archive:${file('both.tar')}:${NAME}`))
  assert.equal(config.config.Env.includes('GREETING=hi'), true)
})

judged('we load what skopeo copies, with layers that it has compressed', 'skopeo', () => {
  const id = idOf(NAME)
  for (const [target, options] of [
    [`oci-archive:${file('copied.tar')}:v2`, ['--dest-compress']],
    [`docker-archive:${file('copied2.tar')}:skopeo/copied:v2`, []],
  ] as const) {
    judge(
      'skopeo',
      '--insecure-policy',
      'copy',
      '--quiet',
      ...options,
      `docker-archive:${file('both.tar')}:${NAME}`,
      target,
    )
    const path = target.split(':')[1] ?? ''
    assert.is(ok('image', 'load', '-i', path, '--name', 'skopeo/copied:v2'), 'Loaded image: skopeo/copied:v2\n')
    assert.is(idOf('skopeo/copied:v2'), id)
    assert.is(caisson(['image', 'verify']).status, 0)
    ok('image', 'rm', 'skopeo/copied:v2')
  }
})

judged('umoci unpacks what we save', 'umoci', () => {
  mkdirSync(file('saved'))
  run('tar', ['-xf', file('oci.tar'), '-C', file('saved')])
  judge('umoci', 'raw', 'unpack', '--image', `${file('saved')}:${NAME.split(':')[1]}`, file('unpacked'))
  assert.is(readFileSync(file('unpacked/etc/hello'), 'utf8'), 'hello\n')
})

test('an archive whose blob was changed is loaded by nobody', () => {
  const bytes = readFileSync(file('both.tar'))
  const at = bytes.indexOf('hello\n')
  assert.ok(at > 0)
  bytes.write('jello\n', at)
  writeFileSync(file('changed.tar'), bytes)
  assert.is(
    caisson(['image', 'load', '-i', file('changed.tar'), '--name', 'changed']).status,
    0,
    'its layers are here already',
  )
  ok('image', 'rm', NAME)
  assert.is(caisson(['image', 'load', '-i', file('changed.tar')]).status, 1)
})

test.run()
