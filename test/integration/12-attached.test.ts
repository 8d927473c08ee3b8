import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, folder, ps, start } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const project = folder(`
services:
  a: {image: caisson/host, network_mode: none, command: "sh -c 'echo one; while :; do sleep 0.05; done'", stop_signal: SIGKILL}
  b: {image: caisson/host, network_mode: none, command: "sh -c 'trap \\"echo bye; exit\\" TERM; echo two; while :; do sleep 0.05; done'"}
`)
const ended = (child: ReturnType<typeof start>): Promise<number | null> =>
  new Promise((resume) => child.once('close', resume))

test('up in the foreground shows the logs of all services with their prefix', async () => {
  const child = start(['up'], { cwd: project.directory })
  await eventually(() => /a-1\s+\| one/.test(child.text()) && /b-1\s+\| two/.test(child.text()), 'both lines')
  child.kill('SIGINT')
  assert.is(await ended(child), 130, child.text())
  assert.match(child.text(), /bye/)
  assert.equal(
    ps(project).map((row) => row.State),
    ['exited', 'exited'],
  )
})

test('SIGTERM stops the services too', async () => {
  const child = start(['up'], { cwd: project.directory })
  await eventually(() => /b-1\s+\| two/.test(child.text()), 'the log')
  child.kill('SIGTERM')
  await ended(child)
  assert.equal(
    ps(project).map((row) => row.State),
    ['exited', 'exited'],
  )
})

test('up in the foreground ends with 0 when all services have ended', async () => {
  const done = folder(
    'services:\n  a: {image: caisson/host, network_mode: none, command: "sh -c \'echo done; exit 4\'"}\n',
  )
  const child = start(['up'], { cwd: done.directory })
  assert.is(await ended(child), 0, child.text())
  assert.match(child.text(), /exited with code 4/)
  done.run('down')
})

test('logs -f follows and ends when the containers have ended', async () => {
  const flow = folder(
    'services:\n  a: {image: caisson/host, network_mode: none, command: "sh -c \'for i in 1 2 3 4 5; do echo line $$i; sleep 0.1; done; printf partial\'"}\n',
  )
  flow.run('up', '-d')
  const child = start(['logs', '-f', '--no-log-prefix'], { cwd: flow.directory })
  assert.is(await ended(child), 0)
  assert.is(child.text().trim(), 'line 1\nline 2\nline 3\nline 4\nline 5\npartial')
  flow.run('down')
})

test('a log flood arrives complete and in order', async () => {
  const flood = folder(
    'services:\n  a: {image: caisson/host, network_mode: none, command: [node, /flood.js], volumes: ["./flood.js:/flood.js:ro"]}\n',
    {
      'flood.js': 'let text = ""; for (let i = 0; i < 200000; i++) text += `line ${i}\\n`; process.stdout.write(text)',
    },
  )
  flood.run('up', '-d')
  await eventually(() => ps(flood)[0]?.State === 'exited', 'the end')
  const lines = flood.run('logs', '--no-log-prefix').trimEnd().split('\n')
  assert.is(lines.length, 200_000)
  assert.ok(lines.every((line, index) => line === `line ${index}`))
  assert.is(flood.run('logs', '--no-log-prefix', '-n', '2').trim(), 'line 199998\nline 199999')
  flood.run('down')
})

test('up -d shows the end and the last words of a service that has ended already', async () => {
  const brief = folder(
    'services:\n  a: {image: caisson/host, network_mode: none, command: "sh -c \'echo no config; exit 3\'"}\n  b: {image: caisson/host, network_mode: none, command: sleep 1000, stop_signal: SIGKILL, depends_on: [a]}\n',
  )
  const said = await eventually(() => {
    const { status, stderr } = brief.try(['up', '-d', '--force-recreate'])
    assert.is(status, 0)
    return /a-1 exited with code 3\n {2}\| no config/.test(stderr)
  }, 'the report')
  assert.ok(said)
  brief.run('down')
})

test('down after all', () => {
  project.run('down')
})

test.run()
