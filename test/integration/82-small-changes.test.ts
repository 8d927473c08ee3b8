// takes: 25 s
/** scale, kill, rm, port, inspect, container ls. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { hasTerminal, NO_TERMINAL, Terminal } from '../helpers/terminal.ts'
import { CLI, cleanUp, folder, ps, runRoot, stateRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const compose = (extra = ''): string => `
services:
  web:
    image: caisson/host
    network_mode: none
    stop_signal: SIGKILL
    command: sleep 1000
    depends_on: [store]
    volumes: [/scratch]
    environment: {GREETING: hello${extra}}
  store:
    image: caisson/host
    stop_signal: SIGKILL
    command: sleep 1000
    ports: ["127.0.0.1:18197:80", "127.0.0.1::53/udp"]
`
const project = folder(compose())
const byName = (): Record<string, { id: string; state: string }> =>
  Object.fromEntries(
    ps(project).map(({ Name, ID, State }) => [Name.slice(project.name.length + 1), { id: ID, state: State }]),
  )
const states = (): Record<string, string> =>
  Object.fromEntries(Object.entries(byName()).map(([name, { state }]) => [name, state]))

test('scale makes and removes containers, and recreates none', () => {
  project.run('up', '-d')
  const before = byName()
  project.write('compose.yaml', compose(' again'))
  project.run('scale', 'web=3')
  const after = byName()
  assert.equal(Object.keys(after).sort(), ['store-1', 'web-1', 'web-2', 'web-3'])
  assert.is(after['web-1']?.id, before['web-1']?.id)
  assert.is(after['store-1']?.id, before['store-1']?.id)
  project.write('compose.yaml', compose())
  project.run('scale', 'web=1', 'store=1')
  assert.equal(Object.keys(byName()).sort(), ['store-1', 'web-1'])
  assert.is(project.try(['scale', 'web']).status, 2)
  assert.is(project.try(['scale', 'wbe=2']).status, 3)
})

test('scale starts dependencies unless told not to', () => {
  project.run('stop')
  project.run('scale', '--no-deps', 'web=1')
  assert.equal(states(), { 'store-1': 'exited', 'web-1': 'running' })
  project.run('scale', 'web=1')
  assert.equal(states(), { 'store-1': 'running', 'web-1': 'running' })
})

test('port tells where a port is published, by protocol and replica', () => {
  assert.is(project.run('port', 'store', '80'), '127.0.0.1:18197\n')
  assert.match(project.run('port', '--protocol', 'udp', 'store', '53'), /^127\.0\.0\.1:\d+\n$/)
  assert.is(project.run('port', '--index', '1', 'store', '80/tcp'), '127.0.0.1:18197\n')
  for (const args of [
    ['store', '81'],
    ['--index', '2', 'store', '80'],
    ['nothing', '80'],
  ])
    assert.is(project.try(['port', ...args]).status, 1, args.join(' '))
})

interface Inspected {
  readonly Name: string
  readonly State: { readonly Status: string; readonly ExitCode: number }
  readonly Config: { readonly Env: readonly string[] }
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> }
}

test('inspect finds a service, a name, and the beginning of an id, anywhere', () => {
  const [store] = JSON.parse(project.run('inspect', 'store')) as Inspected[]
  assert.is(store?.Name, `/${project.name}-store-1`)
  assert.match(store?.NetworkSettings.Networks[`${project.name}_default`]?.IPAddress ?? '', /^\d+\.\d+\.\d+\.\d+$/)
  const id = byName()['web-1']?.id ?? ''
  const [web] = JSON.parse(project.run('container', 'inspect', id.slice(0, 8))) as Inspected[]
  assert.ok(web?.Config.Env.includes('GREETING=hello'))
  const elsewhere = folder('services: {}')
  assert.is(
    elsewhere.run('inspect', '-f', '{{.State.Status}} {{json .State.ExitCode}}', `${project.name}-web-1`),
    'running 0\n',
  )
  assert.is(elsewhere.try(['inspect', 'web']).status, 1)
  assert.is(project.try(['inspect', 'no-such-thing']).status, 1)
})

test('container ls lists those of all projects', () => {
  const other = folder(
    compose()
      .replace(/ {2}store:[\s\S]*/, '')
      .replace(/ {4}depends_on.*\n/, ''),
  )
  other.run('up', '-d')
  const names = project.run('container', 'ls', '--format', '{{.Names}}').split('\n')
  for (const name of [`${project.name}-web-1`, `${other.name}-web-1`]) assert.ok(names.includes(name), name)
  assert.match(project.run('container', 'ls'), /^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n/)
  assert.equal(project.run('container', 'ls', '-q', '--filter', `name=${other.name}`).split('\n').length, 2)
  other.run('down')
})

test('kill says when there is nothing to kill; rm takes what has ended, and its anonymous volumes with -v', () => {
  project.run('kill', 'web')
  const again = project.try(['kill', 'web'])
  assert.equal([again.status, again.stderr], [0, 'no container to kill\n'])
  const removed = project.try(['rm', '-f', '-v'])
  assert.is(removed.status, 0)
  assert.match(removed.stderr, `Going to remove ${project.name}-web-1\n`)
  assert.equal(states(), { 'store-1': 'running' })
  assert.match(project.try(['rm', '-f']).stderr, 'No stopped containers')
  project.run('rm', '-f', '-s', 'store')
  assert.equal(states(), {})
})

test('rm asks on a terminal, and takes no for an answer', async () => {
  if (!hasTerminal) {
    console.log(`skipped: ${NO_TERMINAL}`)
    return
  }
  project.run('create', 'web')
  for (const [answer, code, left] of [
    ['n', 1, 2],
    ['y', 0, 1],
  ] as const) {
    const env = { CAISSON_ROOT: stateRoot(), CAISSON_RUN: runRoot() }
    const terminal = new Terminal([process.execPath, CLI, 'rm', 'web'], { cwd: project.directory, env })
    await terminal.shows(/Are you sure\? \[yN\]/)
    terminal.type(`${answer}\r`)
    assert.is(await terminal.ended, code, terminal.text)
    assert.is(ps(project).length, left)
  }
})

test.run()
