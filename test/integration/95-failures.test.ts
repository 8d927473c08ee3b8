// deadline: 240 s
// takes: 50 s
/** What goes wrong outside of Caisson: each ends in a message that names it, and one more command brings the project up. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { caisson, cleanUp, eventually, folder, type Outcome, ps, start } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const quick = 'image: caisson/host\n    network_mode: none\n    stop_signal: SIGKILL'
const service = (name: string, rest: string): string =>
  `  ${name}:\n    ${quick}\n    ${rest.replaceAll('\n', '\n    ')}\n`
const compose = (...services: readonly string[]): string => `services:\n${services.join('')}`
const states = (project: ReturnType<typeof folder>): Record<string, string> =>
  Object.fromEntries(ps(project).map((row) => [row.Service, row.State]))
const said = ({ stdout, stderr }: Outcome): string => stdout + stderr

test('a program that is not there: the service is named, the others run, and a corrected file starts it', () => {
  const project = folder(compose(service('a', 'command: /no/such/program'), service('b', 'command: sleep 1000')))
  const failed = project.try(['up', '-d'])
  assert.is(failed.status, 1)
  assert.match(said(failed), /service a: .*\/no\/such\/program/)
  assert.is(states(project).b, 'running')
  project.write('compose.yaml', compose(service('a', 'command: sleep 1000'), service('b', 'command: sleep 1000')))
  project.run('up', '-d')
  assert.equal(states(project), { a: 'running', b: 'running' })
  project.run('down')
})

test('a user that the image does not know is reported with its place before anything starts', () => {
  const project = folder(compose(service('a', 'command: sleep 1000\nuser: nobody-knows-him')))
  const failed = project.try(['up', '-d'])
  assert.ok([1, 3].includes(failed.status ?? -1), said(failed))
  assert.match(said(failed), /nobody-knows-him/)
  assert.equal(
    ps(project).filter(({ State }) => State === 'running'),
    [],
  )
  project.write('compose.yaml', compose(service('a', 'command: sleep 1000\nuser: nobody')))
  project.run('up', '-d')
  assert.equal(states(project), { a: 'running' })
  project.run('down')
})

test('a port that is taken is named with its holder, nothing is left, and up works once it is free', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const project = folder(
    `services:\n  a: {image: caisson/host, stop_signal: SIGKILL, command: sleep 1000, ports: ["127.0.0.1:${port}:80"]}\n`,
  )
  const failed = project.try(['up', '-d'])
  assert.is(failed.status, 1)
  assert.match(said(failed), new RegExp(`${port}`))
  assert.equal(ps(project), [])
  await new Promise((resolve) => server.close(resolve))
  project.run('up', '-d')
  assert.equal(states(project), { a: 'running' })
  project.run('down')
})

test('a crash loop is seen as one, does not hold up or down, and a corrected file ends it', async () => {
  const project = folder(compose(service('a', "command: sh -c 'exit 3'\nrestart: always")))
  project.run('up', '-d')
  await eventually(() => ps(project)[0]?.State === 'restarting', 'the back-off')
  project.write('compose.yaml', compose(service('a', 'command: sleep 1000\nrestart: always')))
  project.run('up', '-d')
  assert.equal(states(project), { a: 'running' })
  project.run('down')
  assert.equal(ps(project), [])
})

test('a service that ignores SIGTERM is killed after its grace period', () => {
  const project = folder(
    'services:\n  a: {image: caisson/host, network_mode: none, stop_grace_period: 300ms, command: "sh -c \'trap \\"\\" TERM; while :; do sleep 1; done\'"}\n',
  )
  project.run('up', '-d')
  project.run('stop')
  assert.equal(
    ps(project).map(({ State, ExitCode }) => [State, ExitCode]),
    [['exited', 137]],
  )
  project.run('down')
})

test('twenty projects come up at once, and go at once', async () => {
  const projects = Array.from({ length: 20 }, () =>
    folder('services:\n  a: {image: caisson/host, stop_signal: SIGKILL, command: sleep 1000}\n'),
  )
  const all = async (...args: string[]): Promise<void> => {
    const running = projects.map(({ directory }) => start(args, { cwd: directory }))
    const codes = await Promise.all(running.map((child) => new Promise((resolve) => child.once('close', resolve))))
    for (const [index, code] of codes.entries()) assert.is(code, 0, running[index]?.text())
  }
  await all('up', '-d')
  for (const project of projects) assert.equal(states(project), { a: 'running' })
  await all('down')
  for (const project of projects) assert.equal(ps(project), [])
})

/** A state root on a file system of its own that is full but for `free` KiB. */
const onFullDisk = (act: (env: Record<string, string>, fill: () => void, free: () => void) => void): void => {
  const directory = mkdtempSync(join(tmpdir(), 'caisson-full-'))
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=711', 'tmpfs', directory])
  const ballast = join(directory, 'ballast')
  const env = { CAISSON_ROOT: join(directory, 'root'), CAISSON_RUN: join(directory, 'run') }
  mkdirSync(env.CAISSON_ROOT, { mode: 0o711 })
  const fill = (): void => void spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4k'])
  try {
    act(env, fill, () => writeFileSync(ballast, ''))
  } finally {
    spawnSync('umount', ['-l', directory])
    rmSync(directory, { recursive: true, force: true })
  }
}

test('a full disk: up says so and leaves nothing running, and works once there is room', () => {
  onFullDisk((env, fill, free) => {
    const project = folder(compose(service('a', 'command: sleep 1000')))
    const run = (...args: string[]): Outcome => caisson(args, { cwd: project.directory, env })
    assert.is(run('up', '-d').status, 0)
    assert.is(run('down').status, 0)
    fill()
    const failed = run('up', '-d')
    assert.is(failed.status, 1, said(failed))
    assert.match(said(failed), /ENOSPC|no space|space left/i)
    assert.not.match(said(failed), /\n\s+at /)
    free()
    const again = run('up', '-d')
    assert.is(again.status, 0, said(again))
    assert.is(run('down').status, 0)
    assert.is(run('ps', '-a', '-q').stdout, '')
  })
})

test('a disk that fills up under a running service loses lines, never the service', async () => {
  await new Promise<void>((resolve) => {
    onFullDisk((env, fill, free) => {
      const flood = "command: sh -c 'i=0; while [ $$i -lt 20000 ]; do i=$$((i+1)); echo line $$i; done; exit 7'"
      const project = folder(compose(service('a', flood)))
      const run = (...args: string[]): Outcome => caisson(args, { cwd: project.directory, env })
      assert.is(run('create').status, 0)
      fill()
      const started = run('start')
      free()
      assert.ok([0, 1].includes(started.status ?? -1), said(started))
      if (started.status === 1) assert.is(run('start').status, 0)
      assert.is(run('wait', 'a').status, 7)
      assert.is(run('down').status, 0)
    })
    resolve()
  })
})

test.run()
