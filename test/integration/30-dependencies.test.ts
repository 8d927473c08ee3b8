// takes: 25 s
/** Conditions of depends_on, one-shots, --wait, and what other commands do meanwhile. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, type Folder, folder, ps, runRoot, start, stateRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

/** A file in the project's folder that a service waits for: the test says when it goes on. */
const UNTIL = (file: string): string => `while [ ! -e /here/${file} ]; do sleep 0.05; done`
const compose = (job: string): string => `
x-base: &base {image: caisson/host, network_mode: none, stop_signal: SIGKILL, volumes: [".:/here"]}
services:
  store: {<<: *base, command: sleep 1000}
  migrate:
    <<: *base
    command: ["sh", "-c", "echo migrating; ${job}"]
    depends_on: [store]
  web:
    <<: *base
    command: sleep 1000
    depends_on: {migrate: {condition: service_completed_successfully}}
`
const states = (project: Folder): Record<string, string> =>
  Object.fromEntries(
    ps(project).map((row) => [row.Service, row.State === 'exited' ? `exited ${row.ExitCode}` : row.State]),
  )
const ids = (project: Folder): Record<string, string> =>
  Object.fromEntries(ps(project).map((row) => [row.Service, row.ID]))
const ended = (child: ReturnType<typeof start>): Promise<number | null> =>
  child.exitCode === null ? new Promise((resume) => child.once('close', resume)) : Promise.resolve(child.exitCode)
/** A detached `up` that waits for migrate. */
const waiting = async (project: Folder): Promise<ReturnType<typeof start>> => {
  const child = start(['up', '-d'], { cwd: project.directory })
  await eventually(
    () => states(project).migrate === 'running' && states(project).web === 'created',
    'the waiting',
    20_000,
  )
  return child
}

test('a start waits until its dependency has completed; a later up runs neither again', async () => {
  const project = folder(compose(UNTIL('go')))
  const child = await waiting(project)
  project.write('go', '')
  assert.is(await ended(child), 0, child.text())
  assert.equal(states(project), { store: 'running', migrate: 'exited 0', web: 'running' })
  const before = ids(project)
  const again = project.try(['up', '-d'])
  assert.is(again.status, 0)
  assert.match(again.stderr, /migrate-1 .*not run again/)
  assert.equal(ids(project), before)
  assert.match(project.try(['up', '-d', '--wait', '--rerun=migrate']).stderr, /migrate-1 {2}Started \(--rerun\)/)
  project.run('down')
})

test('a dependency that fails ends the up at once, with its last words; the next up goes on from there', () => {
  const project = folder(compose('echo no such table; exit 3'))
  const outcome = project.try(['up', '-d'])
  assert.is(outcome.status, 1)
  assert.match(outcome.stderr, /service migrate: \S+ exited with code 3/)
  assert.match(outcome.stderr, /\| no such table/)
  assert.match(outcome.stderr, /web-1 {2}Skipped \(\S+migrate-1 failed\)/)
  assert.is((outcome.stderr.match(/error:/g) ?? []).length, 1)
  assert.equal(states(project), { store: 'running', migrate: 'exited 3', web: 'created' })
  const { store } = ids(project)
  project.write('compose.yaml', compose('exit 0'))
  assert.match(project.try(['up', '-d']).stderr, /migrate-1 {2}Recreated \(command changed\)/)
  assert.equal(states(project), { store: 'running', migrate: 'exited 0', web: 'running' })
  assert.is(ids(project).store, store)
  project.run('down')
})

test('a dependency that is not required only warns', () => {
  const project = folder(
    compose('exit 3').replace('service_completed_successfully}', 'service_completed_successfully, required: false}'),
  )
  const outcome = project.try(['up', '-d'])
  assert.is(outcome.status, 0, outcome.stderr)
  assert.match(outcome.stderr, /optional dependency: .*exited with code 3/)
  assert.is(states(project).web, 'running')
  project.run('down')
})

test('--wait-timeout ends with 5, says what was missing, and leaves what runs', () => {
  const project = folder(compose(UNTIL('never')))
  const outcome = project.try(['up', '-d', '--wait', '--wait-timeout', '1'])
  assert.is(outcome.status, 5, outcome.stderr)
  assert.match(outcome.stderr, /migrate-1 has not completed after .* s \(running\)/)
  assert.equal(states(project), { store: 'running', migrate: 'running', web: 'created' })
  project.run('down')
})

test('--wait succeeds with one-shots that have ended well, and fails with the culprit', () => {
  const project = folder(compose('exit 0'))
  assert.is(project.try(['up', '--wait']).status, 0)
  assert.equal(states(project), { store: 'running', migrate: 'exited 0', web: 'running' })
  project.write('compose.yaml', compose('exit 0').replaceAll('sleep 1000', '["false"]'))
  const outcome = project.try(['up', '--wait'])
  assert.is(outcome.status, 1)
  assert.match(outcome.stderr, /service store: \S+ exited with code 1/)
  project.run('down')
})

test('a later down overtakes a waiting up, and nothing is revived', async () => {
  const project = folder(compose(UNTIL('never')))
  const child = await waiting(project)
  project.run('down')
  assert.is(await ended(child), 1, child.text())
  assert.match(child.text(), /migrate-1 was (stopped|killed|removed)/)
  assert.equal(ps(project), [])
})

test('a container that is gone when its turn comes is not made again', async () => {
  const project = folder(compose(UNTIL('go')))
  const child = await waiting(project)
  project.run('rm', '-f', 'web')
  project.write('go', '')
  assert.is(await ended(child), 1, child.text())
  assert.match(child.text(), /was changed by another command in the meantime: \S+web-1 is gone/)
  assert.equal(Object.keys(states(project)), ['migrate', 'store'])
  project.run('down')
})

test('two ups at once both end well', async () => {
  const project = folder(compose(UNTIL('go')))
  const first = await waiting(project)
  const second = start(['up', '-d'], { cwd: project.directory })
  await eventually(() => existsSync(join(stateRoot(), 'locks', `project-${project.name}`)), 'the lock')
  project.write('go', '')
  assert.equal([await ended(first), await ended(second)], [0, 0], first.text() + second.text())
  assert.equal(states(project), { store: 'running', migrate: 'exited 0', web: 'running' })
  project.run('down')
})

test('kill -9 of a waiting up leaves nothing half made; the next one goes on', async () => {
  const project = folder(compose(UNTIL('go')))
  const child = await waiting(project)
  const before = ids(project)
  child.kill('SIGKILL')
  await ended(child)
  project.write('go', '')
  project.run('up', '-d')
  assert.equal(states(project), { store: 'running', migrate: 'exited 0', web: 'running' })
  assert.equal(ids(project), before)
  project.run('down')
  assert.equal(readdirSync(join(stateRoot(), 'containers')), [])
  assert.equal(readdirSync(join(runRoot(), 'containers')), [])
})

test('waiting for the health of a service without a check is refused before anything starts', () => {
  const project = folder(compose('exit 0').replace('service_completed_successfully', 'service_healthy'))
  const outcome = project.try(['up', '-d'])
  assert.is(outcome.status, 3)
  assert.match(outcome.stderr, /web waits for migrate to be healthy, but migrate has no health check/)
  assert.match(outcome.stderr, /compose\.yaml:\d+:\d+/)
  assert.equal(ps(project), [])
})

test.run()
