/** start, restart and later ups: conditions looked at again, what was stopped, what its policy restarts. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, type Folder, folder, ps } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const BASE = 'x-base: &base {image: caisson/host, network_mode: none, volumes: [".:/here"]}\n'
/** A server that ends well when it is asked to. */
const SERVER = `["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"]`
const states = (project: Folder): Record<string, string> =>
  Object.fromEntries(
    ps(project).map((row) => [row.Service, row.State === 'exited' ? `exited ${row.ExitCode}` : row.State]),
  )
const ids = (project: Folder): string[] => ps(project).map((row) => row.ID)

const chain = folder(`${BASE}
services:
  store: {<<: *base, command: ${SERVER}}
  migrate: {<<: *base, command: ["sh", "-c", "echo run >>/here/runs"], depends_on: [store]}
  web:
    <<: *base
    command: ${SERVER}
    depends_on: {migrate: {condition: service_completed_successfully}, store: {condition: service_started, restart: true}}
`)
const runs = (): number => chain.run('exec', '-T', 'store', 'cat', '/here/runs').trim().split('\n').length

test('a server that was stopped is started again, work that is done is not done again', () => {
  chain.run('up', '-d')
  chain.run('stop', 'web')
  assert.is(states(chain).web, 'exited 0')
  assert.match(chain.try(['up', '-d']).stderr, /web-1 {2}Started \(exited \(0\)\)/)
  assert.equal(states(chain), { store: 'running', migrate: 'exited 0', web: 'running' })
  chain.run('stop')
  chain.run('start', 'web')
  assert.equal(states(chain), { store: 'running', migrate: 'exited 0', web: 'running' })
  assert.is(runs(), 1)
})

test('restart takes along who restarts with a service, and a restart of all runs jobs again in their place', () => {
  const before = ids(chain)
  assert.match(
    chain.try(['restart', 'store']).stderr,
    /web-1 {2}Stopped[\s\S]*store-1 {2}Started[\s\S]*web-1 {2}Started/,
  )
  assert.not.match(chain.try(['restart', '--no-deps', 'store']).stderr, /web-1/)
  assert.is(chain.try(['restart']).status, 0)
  assert.equal(states(chain), { store: 'running', migrate: 'exited 0', web: 'running' })
  assert.is(runs(), 2)
  assert.equal(ids(chain), before)
  chain.run('down')
})

test('a job that fails and that its policy runs again is waited for', () => {
  const retried = folder(`${BASE}
services:
  job:
    <<: *base
    restart: on-failure:5
    command: ["sh", "-c", "echo x >>/here/tries; test $$(wc -l </here/tries) -ge 3"]
  web: {<<: *base, command: ${SERVER}, depends_on: {job: {condition: service_completed_successfully}}}
`)
  assert.is(retried.try(['up', '-d']).status, 0)
  assert.equal(states(retried), { job: 'exited 0', web: 'running' })
  retried.run('down')
})

test('a policy that gives up is a failure that says how often it tried', () => {
  const hopeless = folder(`${BASE}
services:
  job: {<<: *base, restart: on-failure:2, command: ["sh", "-c", "echo no; exit 7"]}
  web: {<<: *base, command: ${SERVER}, depends_on: {job: {condition: service_completed_successfully}}}
`)
  const outcome = hopeless.try(['up', '-d'])
  assert.is(outcome.status, 1)
  assert.match(outcome.stderr, /job-1 exited with code 7 after 2 restarts/)
  assert.is(states(hopeless).web, 'created')
  hopeless.run('down')
})

test.run()
