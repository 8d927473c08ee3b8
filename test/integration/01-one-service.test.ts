import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, folder, ps } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const project = folder(`
services:
  web:
    image: caisson/host
    network_mode: none
    stop_grace_period: 2s
    command: sh -c 'trap "echo bye; exit 3" TERM; echo hello; echo oops >&2; sleep 1000 & wait'
`)

test('up -d returns once the service runs, and ps shows it', () => {
  const outcome = project.try(['up', '-d'])
  assert.is(outcome.status, 0, outcome.stderr)
  assert.is(outcome.stdout, '', 'progress is on stderr')
  const [row] = ps(project)
  assert.is(row?.Name, `${project.name}-web-1`)
  assert.is(row?.State, 'running')
})

test('logs shows both streams with the prefix of docker compose', async () => {
  await eventually(() => /oops/.test(project.run('logs')), 'the second line')
  const lines = project.run('logs').trimEnd().split('\n').sort()
  assert.equal(lines, ['web-1  | hello', 'web-1  | oops'])
})

test('exec runs a command in the same namespaces and gives its exit code', () => {
  const outcome = project.try(['exec', '-T', 'web', 'sh', '-c', 'cat /proc/1/comm; hostname; exit 7'])
  assert.is(outcome.status, 7, outcome.stderr)
  const [comm, host] = outcome.stdout.split('\n')
  assert.is(comm, 'sh')
  assert.match(host ?? '', /^[0-9a-f]{12}$/)
})

test('exec hands stdin in and keeps stdout and stderr apart', () => {
  const outcome = project.try(['exec', '-T', 'web', 'sh', '-c', 'cat; echo err >&2'], { input: 'in\n' })
  assert.is(outcome.stdout, 'in\n')
  assert.is(outcome.stderr, 'err\n')
})

test('a command that is not there is 127, one that cannot be run 126', () => {
  assert.is(project.try(['exec', '-T', 'web', 'no-such-command']).status, 127)
  assert.is(project.try(['exec', '-T', 'web', '/etc/passwd']).status, 126)
})

test('a second up with nothing changed leaves the container alone', () => {
  const before = ps(project)[0]?.ID
  project.run('up', '-d')
  assert.is(ps(project)[0]?.ID, before)
})

test('stop sends the stop signal and records the exit code', () => {
  project.run('stop')
  const [row] = ps(project)
  assert.is(row?.State, 'exited')
  assert.is(row?.ExitCode, 3)
  assert.match(project.run('logs'), /bye/)
})

test('start runs the same container again, with its log continued', async () => {
  const before = ps(project)[0]?.ID
  project.run('start')
  const [row] = ps(project)
  assert.is(row?.State, 'running')
  assert.is(row?.ID, before)
  await eventually(() => project.run('logs').split('hello').length === 3, 'hello twice')
})

test('kill ends it with the signal that was asked for', async () => {
  project.run('kill', '-s', 'KILL')
  await eventually(() => ps(project)[0]?.State === 'exited', 'the end')
  assert.is(ps(project)[0]?.ExitCode, 137)
})

test('up -d starts an exited container again', () => {
  project.run('up', '-d')
  assert.is(ps(project)[0]?.State, 'running')
})

test('down removes it', () => {
  project.run('down')
  assert.equal(ps(project), [])
})

test('a command that cannot be executed fails up with the reason and leaves nothing', () => {
  const broken = folder(
    'services:\n  a:\n    image: caisson/host\n    network_mode: none\n    command: [no-such-program]\n',
  )
  const outcome = broken.try(['up', '-d'])
  assert.is(outcome.status, 1)
  assert.match(outcome.stderr, /no-such-program/)
  assert.not.match(outcome.stderr, /\n\s+at /)
  assert.equal(ps(broken), [])
})

test.run()
