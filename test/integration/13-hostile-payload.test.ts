import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, folder, stateRoot } from './scenario.ts'

needsRoot(test)
const scratch = mkdtempSync(join(tmpdir(), 'caisson-probe-'))
const probe = join(scratch, 'probe')
test.after(() => {
  cleanUp()
  rmSync(scratch, { recursive: true, force: true })
})

const here = import.meta.dirname
const built = spawnSync('g++', ['-O1', '-static', '-o', probe, join(here, 'probe.cc')], { encoding: 'utf8' })

const project = folder(`
services:
  plain: &plain
    image: caisson/host
    network_mode: none
    command: sleep 1000
    stop_signal: SIGKILL
    volumes: ["${probe}:/probe:ro"]
  user: {<<: *plain, user: "1000"}
  terminal: {<<: *plain, tty: true, command: sh -c '/probe; sleep 1000'}
`)

/** `name: result` lines as a record. */
const outcomes = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^(.+): (\w+)\r?$/gm)].map(([, name = '', result = '']) => [name, result]))

const REFUSED = [
  'AF_ALG',
  'AF_VSOCK',
  'unshare user',
  'unshare mount',
  'keyctl',
  'add_key',
  'bpf',
  'userfaultfd',
  'fsopen',
  'open_tree',
  'kexec_load',
  'init_module',
  'open_by_handle_at',
  'perf_event_open',
  'mount',
  'io_uring_setup',
]

test('the probe builds and the containers start', () => {
  assert.is(built.status, 0, built.stderr)
  project.run('up', '-d')
})

for (const service of ['plain', 'user']) {
  test(`what Docker refuses is refused to exec in ${service}`, () => {
    const found = outcomes(project.run('exec', '-T', service, '/probe'))
    for (const name of REFUSED) assert.match(found[name] ?? 'missing', /^(EPERM|EAFNOSUPPORT|ENOSYS)$/, name)
    assert.is(found.clone3, 'ENOSYS', 'glibc falls back to clone')
    assert.is(found['future call'], 'ENOSYS')
    assert.is.not(found['x32 getpid'], 'ok')
    assert.is(found.AF_INET, 'ok')
  })
}

test('the main process has the same filter, and cannot push keys into its terminal', () => {
  const text = project.run('logs', '--no-log-prefix', 'terminal')
  const found = outcomes(text)
  for (const name of [...REFUSED, 'TIOCSTI', 'TIOCLINUX']) assert.is.not(found[name] ?? 'ok', 'ok', name)
})

test('a payload that opens every /proc/PID/exe for writing changes no binary of ours', () => {
  const attack =
    'for i in 1 2 3 4 5 6 7 8 9 10; do for e in /proc/[0-9]*/exe; do (echo x > $e) 2>/dev/null; done; done; true'
  for (let round = 0; round < 5; round++) project.run('exec', '-T', 'plain', 'sh', '-c', attack)
  const directory = join(stateRoot(), 'bin')
  const [name = ''] = readdirSync(directory)
  assert.is(
    createHash('sha256')
      .update(readFileSync(join(directory, name)))
      .digest('hex'),
    name,
  )
})

test('names of projects, services and containers cannot lead out of the state root', () => {
  for (const name of ['../x', 'a/b', '..']) assert.is.not(project.try(['-p', name, 'up', '-d']).status, 0, name)
  const container = folder('services:\n  a: {image: caisson/host, container_name: "../../x", command: sleep 1}\n')
  assert.is.not(container.try(['up', '-d']).status, 0)
  const volume = folder(
    'services:\n  a: {image: caisson/host, command: sleep 1, volumes: ["v:/v"]}\nvolumes: {v: {name: "../../x"}}\n',
  )
  assert.is.not(volume.try(['up', '-d']).status, 0)
})

test('down', () => {
  project.run('down')
})

test.run()
