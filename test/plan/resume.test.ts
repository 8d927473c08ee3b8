import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Healthcheck } from '../../src/compose/project.ts'
import type { ObservedContainer } from '../../src/plan/observed.ts'
import { formatPlan, type Plan } from '../../src/plan/plan.ts'
import { reconcileRestart, reconcileStart } from '../../src/plan/resume.ts'
import { container, needs, observed, service } from './models.ts'

const text = (plan: Plan) => `\n${formatPlan(plan)}`
const CHECK: Healthcheck = {
  ...{ test: { kind: 'tcp', port: 80 }, intervalMs: undefined, timeoutMs: undefined },
  ...{ startPeriodMs: undefined, startIntervalMs: undefined, retries: undefined },
}
const db = service('db', { healthcheck: CHECK })
const migrate = service('migrate', { dependsOn: needs('db', { condition: 'service_healthy' }) })
const web = service('web', {
  dependsOn: {
    ...needs('db', { condition: 'service_healthy', restart: true }),
    ...needs('migrate', { condition: 'service_completed_successfully' }),
  },
})
const edge = service('edge', { dependsOn: needs('web', { restart: true }) })
const shop = { name: 'shop', project: undefined }
const none = { services: [], timeoutMs: undefined, wait: false, noDeps: false }
const healthy = container(db, 1, { health: 'healthy' })
const done = container(migrate, 1, { state: 'exited', exitCode: 0 })
const stopped = (of: typeof db): ObservedContainer => container(of, 1, { state: 'exited', exitCode: 0, stopped: true })

test('start waits for conditions, and leaves what has done its work', () => {
  assert.is(
    text(reconcileStart(shop, observed({ containers: [stopped(db), done, stopped(web)] }), none)),
    `
[] -> #0 service:db:1: startContainer shop-db-1 (exited (0))
[0/skip] -> #1 service:db:1: waitContainer shop-db-1 healthy (is to be healthy)
[1] -> #2 service:web:1: startContainer shop-web-1 (exited (0))
`,
  )
})

test('start of one service brings what it depends on, and runs one-shots that are named', () => {
  const there = observed({ containers: [stopped(db), done, stopped(web), stopped(edge)] })
  const plan = text(reconcileStart(shop, there, { ...none, services: ['migrate'] }))
  assert.match(plan, 'startContainer shop-db-1')
  assert.match(plan, 'startContainer shop-migrate-1')
  assert.not.match(plan, /web|edge/)
})

test('start --wait waits for what it named and what they need', () => {
  const there = observed({ containers: [healthy, done, container(web), container(edge, 1, { state: 'created' })] })
  assert.is(
    text(reconcileStart(shop, there, { ...none, wait: true })),
    `
[] -> #0 service:edge:1: startContainer shop-edge-1 (not started yet)
[0/skip] -> #1 service:edge:1: waitContainer shop-edge-1 running (is to be running)
`,
  )
})

test('restart takes along who restarts with it, unless --no-deps, and waits between', () => {
  const there = observed({ containers: [healthy, done, container(web), container(edge)] })
  assert.is(
    text(reconcileRestart(shop, there, { ...none, services: ['db'] })),
    `
[] -> #0 service:edge:1: stopContainer shop-edge-1 (restart)
[0/warn] -> #1 service:web:1: stopContainer shop-web-1 (restart)
[1/warn] -> #2 service:db:1: stopContainer shop-db-1 (restart)
[2] -> #3 service:db:1: startContainer shop-db-1 (restart)
[3/skip] -> #4 service:db:1: waitContainer shop-db-1 healthy (is to be healthy)
[1, 4] -> #5 service:web:1: startContainer shop-web-1 (restart)
[0, 5] -> #6 service:edge:1: startContainer shop-edge-1 (restart)
`,
  )
  assert.not.match(text(reconcileRestart(shop, there, { ...none, services: ['db'], noDeps: true })), /web|edge/)
})

test('what a dependency that stays has to be is waited for before anything stops', () => {
  const starting = container(db, 1, { health: 'starting' })
  assert.is(
    text(
      reconcileRestart(shop, observed({ containers: [starting, done, container(web)] }), {
        ...none,
        services: ['web'],
      }),
    ),
    `
[] -> #0 service:db:1: waitContainer shop-db-1 healthy (is to be healthy)
[0] -> #1 service:web:1: stopContainer shop-web-1 (restart)
[0, 1] -> #2 service:web:1: startContainer shop-web-1 (restart)
`,
  )
})

test('a restart of a service that is not there restarts nothing', () => {
  const code = (services: string[], project = shop.project) => {
    try {
      reconcileRestart({ ...shop, project }, observed({ containers: [healthy] }), { ...none, services })
      return 'nothing thrown'
    } catch (error) {
      return (error as { code?: string }).code
    }
  }
  assert.equal([code(['nosuch']), code(['db', 'nosuch'])], ['ENOSERVICE', 'ENOSERVICE'])
})

test('a restart of everything runs one-shots again, in their place', () => {
  const plan = text(reconcileRestart(shop, observed({ containers: [healthy, done, container(web)] }), none))
  assert.match(plan, 'startContainer shop-migrate-1 (restart)')
  assert.match(plan, 'waitContainer shop-migrate-1 completed')
})

test('paused and restarting containers are up: start leaves them, restart stops them', () => {
  const there = observed({
    containers: [container(edge, 1, { state: 'paused' }), container(db, 1, { state: 'restarting' })],
  })
  assert.is(text(reconcileStart(shop, there, none)), '\n')
  assert.match(text(reconcileRestart(shop, there, none)), 'stopContainer shop-edge-1')
})

test.run()
