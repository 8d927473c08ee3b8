import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Healthcheck, Project } from '../../src/compose/project.ts'
import { conditionFindings } from '../../src/plan/conditions.ts'
import type { UpPlanOptions } from '../../src/plan/making.ts'
import type { Observed } from '../../src/plan/observed.ts'
import { behindWaits, formatPlan } from '../../src/plan/plan.ts'
import { reconcileUp } from '../../src/plan/reconcile.ts'
import { container, needs, observed, project, service, upOptions } from './models.ts'

const text = (of: Project, there: Observed, options: Partial<UpPlanOptions> = {}) =>
  `\n${formatPlan(reconcileUp(of, there, upOptions(of, options)).plan)}`

const CHECK: Healthcheck = {
  ...{ test: { kind: 'command', args: ['true'] }, intervalMs: undefined, timeoutMs: undefined },
  ...{ startPeriodMs: undefined, startIntervalMs: undefined, retries: undefined },
}
const db = service('db', { healthcheck: CHECK })
const migrate = service('migrate', { dependsOn: needs('db', { condition: 'service_healthy' }) })
const web = service('web', {
  dependsOn: {
    ...needs('db', { condition: 'service_healthy' }),
    ...needs('migrate', { condition: 'service_completed_successfully' }),
  },
})
const shop = project([db, migrate, web])
const healthy = container(db, 1, { health: 'healthy' })
const done = container(migrate, 1, { state: 'exited', exitCode: 0 })

test('a start waits for what its conditions say; dependents share the waiting', () => {
  assert.is(
    text(shop, observed()),
    `
[] -> #0 service:db:1: createContainer shop-db-1 (not there yet)
[] -> #1 service:migrate:1: createContainer shop-migrate-1 (not there yet)
[] -> #2 service:web:1: createContainer shop-web-1 (not there yet)
[0/skip] -> #3 service:db:1: startContainer shop-db-1 (created)
[3/skip] -> #4 service:db:1: waitContainer shop-db-1 healthy (is to be healthy)
[1/skip, 4] -> #5 service:migrate:1: startContainer shop-migrate-1 (created)
[5/skip] -> #6 service:migrate:1: waitContainer shop-migrate-1 completed (is to complete)
[2/skip, 4, 6] -> #7 service:web:1: startContainer shop-web-1 (created)
`,
  )
})

test('only what no waiting comes before is built ahead of its start', () => {
  const proxy = service('proxy', { dependsOn: needs('web') })
  const { plan } = reconcileUp(project([db, migrate, web, proxy]), observed(), upOptions(shop))
  const built = plan.nodes.flatMap(({ operation }) =>
    operation.kind === 'createContainer' ? [[operation.service, operation.build]] : [],
  )
  assert.equal(built, [
    ['db', true],
    ['migrate', false],
    ['web', false],
    ['proxy', false],
  ])
  const behind = behindWaits(plan)
  const names = plan.nodes.flatMap(({ id, operation }) =>
    behind.has(id) && 'service' in operation ? [operation.service] : [],
  )
  assert.equal([...new Set(names)], ['migrate', 'web', 'proxy'])
})

test('what is met already is not waited for', () => {
  assert.is(
    text(shop, observed({ containers: [healthy, done] })),
    `
[] -> #0 service:web:1: createContainer shop-web-1 (not there yet)
[0/skip] -> #1 service:web:1: startContainer shop-web-1 (created)
`,
  )
})

test('what runs but is not healthy yet is waited for where somebody starts, and otherwise not', () => {
  const starting = container(db, 1, { health: 'starting' })
  assert.match(
    text(shop, observed({ containers: [starting, done] })),
    '[] -> #1 service:db:1: waitContainer shop-db-1 healthy',
  )
  assert.is(text(shop, observed({ containers: [starting, done, container(web)] })), '\n')
})

test('every replica is waited for', () => {
  const plan = text(project([service('db', { healthcheck: CHECK, scale: 2 }), migrate]), observed())
  assert.match(plan, '[3/skip] -> #5 service:db:1: waitContainer shop-db-1 healthy')
  assert.match(plan, '[4/skip] -> #6 service:db:2: waitContainer shop-db-2 healthy')
  assert.match(plan, '[2/skip, 5, 6] -> #7 service:migrate:1: startContainer')
})

test('a dependency that is not required only warns; somebody who insists makes it a failure', () => {
  const lax = service('lax', { dependsOn: needs('db', { condition: 'service_healthy', required: false }) })
  const alone = text(project([db, lax]), observed())
  assert.match(alone, 'waitContainer shop-db-1 healthy optional')
  assert.match(alone, '[1/skip, 3/warn] -> #4 service:lax:1: startContainer')
  assert.not.match(text(project([db, lax, migrate]), observed()), 'optional')
  assert.not.match(text(project([db, lax]), observed(), { wait: true }), 'optional')
})

test('an optional dependency that is switched off is told where somebody starts without it', () => {
  const lax = service('lax', { dependsOn: needs('db', { condition: 'service_healthy', required: false }) })
  const of = project([lax], { disabled: [db] })
  const codes = (there: Observed) =>
    reconcileUp(of, there, upOptions(of)).warnings.map(({ code, path }) => [code, path.join('.')])
  assert.equal(codes(observed()), [['plan/optional-dependency', 'services.lax.depends_on.db']])
  assert.equal(codes(observed({ containers: [container(lax)] })), [])
})

test('nobody waits for a service that has no containers, or that --no-deps leaves out', () => {
  assert.not.match(text(project([{ ...db, scale: 0 }, migrate]), observed()), 'waitContainer')
  assert.not.match(text(shop, observed(), { services: ['migrate'], noDeps: true }), 'waitContainer')
})

test('--wait waits for health where it is checked, for completion where somebody needs it, and otherwise for running', () => {
  assert.match(text(shop, observed(), { wait: true }), '[7/skip] -> #8 service:web:1: waitContainer shop-web-1 running')
  assert.is(text(shop, observed({ containers: [healthy, done, container(web)] }), { wait: true }), '\n')
  const restarting = container(web, 1, { state: 'restarting' })
  assert.is(
    text(shop, observed({ containers: [healthy, done, restarting] }), { wait: true }),
    '\n[] -> #0 service:web:1: waitContainer shop-web-1 running (is to run)\n',
  )
})

test("the image's health check counts unless the file switches it off", () => {
  const plain = service('db')
  const off = service('db', { healthcheck: { ...CHECK, test: { kind: 'none' } } })
  const names = new Set(['db', 'migrate'])
  const codes = (of: Project, checks: readonly string[] = []) =>
    conditionFindings(of, names, new Set(checks)).map(({ code, severity, path }) => [code, severity, path.join('.')])
  const missing = ['plan/no-healthcheck', 'error', 'services.migrate.depends_on.db.condition']
  assert.equal(codes(project([plain, migrate])), [missing])
  assert.equal(codes(project([plain, migrate]), ['db']), [])
  assert.equal(codes(project([off, migrate]), ['db']), [missing])
  assert.equal(codes(project([db, migrate])), [])
  assert.equal(conditionFindings(project([plain, migrate]), new Set(['migrate']), new Set()), [])
})

test('a dependent that restarts with its dependency waits for it again', () => {
  const api = service('api', { dependsOn: needs('db', { condition: 'service_healthy', restart: true }) })
  const edge = service('edge', { dependsOn: needs('api', { restart: true }) })
  const old = container({ ...db, tty: true }, 1, { health: 'healthy' })
  assert.is(
    text(project([db, api, edge]), observed({ containers: [old, container(api), container(edge)] })),
    `
[] -> #0 service:edge:1: stopContainer shop-edge-1 (dependency api is recreated)
[0/warn] -> #1 service:api:1: stopContainer shop-api-1 (dependency db is recreated)
[1/warn] -> #2 service:db:1: stopContainer shop-db-1 (tty changed)
[2] -> #3 service:db:1: removeContainer shop-db-1 (tty changed)
[3] -> #4 service:db:1: createContainer shop-db-1 (tty changed)
[4/skip] -> #5 service:db:1: startContainer shop-db-1 (tty changed)
[5/skip] -> #6 service:db:1: waitContainer shop-db-1 healthy (is to be healthy)
[1, 6] -> #7 service:api:1: startContainer shop-api-1 (dependency db is recreated)
[0, 7] -> #8 service:edge:1: startContainer shop-edge-1 (dependency api is recreated)
`,
  )
})

test.run()
