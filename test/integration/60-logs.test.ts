/** logs: what it gives of containers that run, have ended, start later; in the order of time. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, folder, ps, start } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const service = (script: string, more = ''): string =>
  `{image: caisson/host, network_mode: none, stop_signal: SIGKILL, command: [sh, -c, ${JSON.stringify(script.replaceAll('$', '$$$$'))}]${more}}`
const ended = (child: ReturnType<typeof start>): Promise<number | null> =>
  new Promise((resume) => child.once('close', resume))

const project = folder(`services:
  a: ${service('for i in 1 3 5 7; do echo "GET /$i 200"; sleep 0.2; done; printf partial')}
  b: ${service('sleep 0.1; for i in 2 4 6 8; do echo "GET /$i 500" >&2; sleep 0.2; done')}
  quiet: ${service('echo not asked for', ', attach: false')}
`)

test('lines of several services come in the order of time, and the last one need not end', async () => {
  project.run('up', '-d')
  await eventually(() => ps(project).every(({ State }) => State === 'exited'), 'the ends')
  const stamped = project.run('logs', '-t', '--no-log-prefix').trimEnd().split('\n')
  assert.is(stamped.length, 9)
  assert.equal(stamped, [...stamped].sort())
  assert.match(stamped.at(-1) ?? '', /partial$|\/8 500$/)
})

test('a service with attach: false is shown when it is named', () => {
  assert.not.match(project.run('logs'), 'not asked for')
  assert.match(project.run('logs', 'quiet'), /quiet-1 {2}\| not asked for/)
})

test('since and until, as time and as duration, bound the lines', () => {
  const stamps = project
    .run('logs', '-t', '--no-log-prefix', 'a')
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
  const between = project.run('logs', '--no-log-prefix', '--since', stamps[1] ?? '', '--until', stamps[2] ?? '', 'a')
  assert.is(between, 'GET /3 200\nGET /5 200\n')
  assert.is(project.run('logs', '--until', '1h'), '')
  assert.is(project.run('logs', '--since', '1h', '--no-log-prefix', 'quiet'), 'not asked for\n')
})

test('grep gives the lines that match, and the last of them', () => {
  assert.is(project.run('logs', '--no-log-prefix', '--grep', '/[37] \\d+$', 'a'), 'GET /3 200\nGET /7 200\n')
  assert.is(project.run('logs', '--no-log-prefix', '--grep', '(?i)get', '-n', '1', 'b'), 'GET /8 500\n')
  assert.is(project.try(['logs', '--grep', '(']).status, 2)
})

test('following goes on over a restart by another command, and takes new containers in', async () => {
  project.write(
    'compose.yaml',
    `services:\n  a: ${service('echo begin; while :; do sleep 0.05; done')}\n  late: ${service('echo late; while :; do sleep 0.05; done')}\n`,
  )
  project.run('up', '-d', '--remove-orphans', 'a')
  const child = start(['logs', '-f'], { cwd: project.directory })
  await eventually(() => /a-1 +\| begin/.test(child.text()), 'the first line')
  project.run('restart', 'a')
  await eventually(() => child.text().match(/a-1 +\| begin/g)?.length === 2, 'the line of the second run')
  project.run('up', '-d')
  await eventually(() => /late-1 +\| late/.test(child.text()), 'the new container')
  project.run('up', '-d', '--force-recreate', 'a')
  await eventually(() => child.text().match(/a-1 +\| begin/g)?.length === 3, 'the line of the new one')
  project.run('down')
  assert.is(await ended(child), 0)
})

test('a fast writer is followed without loss while the reader comes and goes', async () => {
  const fast = folder(
    `services:\n  a: ${service('i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done')}\n  b: ${service('i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done')}\n`,
  )
  fast.run('up', '-d')
  const child = start(['logs', '-f', '--no-color'], { cwd: fast.directory })
  assert.is(await ended(child), 0)
  for (const name of ['a', 'b']) {
    const lines = child.text().split('\n')
    const numbers = lines.filter((line) => line.startsWith(`${name}-1`)).map((line) => Number(line.slice(7)))
    assert.ok(numbers.length === 20_000 && numbers.every((number, index) => number === index + 1), name)
  }
})

test.run()
