import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Project } from '../../src/compose/project.ts'
import type { UpPlanOptions } from '../../src/plan/making.ts'
import type { ObservedContainer } from '../../src/plan/observed.ts'
import { formatPlan } from '../../src/plan/plan.ts'
import { reconcileUp } from '../../src/plan/reconcile.ts'
import { container, needs, observed, project, service, upOptions } from './models.ts'

const db = service('db')
const migrate = service('migrate', { dependsOn: needs('db') })
const web = service('web', { dependsOn: needs('migrate', { condition: 'service_completed_successfully' }) })
const seed = service('seed')
const shop = project([db, migrate, web, seed])
const ended = (of: typeof db, values: Partial<ObservedContainer> = {}) =>
  container(of, 1, { state: 'exited', exitCode: 0, ...values })

const up = (of: Project, containers: readonly ObservedContainer[], options: Partial<UpPlanOptions> = {}) => {
  const { plan, finished } = reconcileUp(of, observed({ containers }), upOptions(of, options))
  return { text: `\n${formatPlan(plan)}`, finished }
}
const all = [container(db), ended(migrate), container(web), ended(seed)]

test('what has done its work is left alone, and told', () => {
  const { text, finished } = up(shop, all)
  assert.is(text, '\n')
  assert.equal(finished, ['shop-migrate-1', 'shop-seed-1'])
})

test('what failed is run again, and so is what a command stopped', () => {
  assert.match(
    up(shop, [container(db), ended(migrate, { exitCode: 1 })]).text,
    'startContainer shop-migrate-1 (exited (1))',
  )
  assert.match(
    up(shop, [container(db), ended(migrate, { stopped: true })]).text,
    'startContainer shop-migrate-1 (exited (0))',
  )
})

test('what a restart policy runs for ever has never done its work', () => {
  const server = service('server', {
    restart: { policy: 'always', maximumRetries: 0, delayMs: undefined, windowMs: undefined },
  })
  assert.match(up(project([server]), [ended(server)]).text, 'startContainer shop-server-1')
})

test('another definition runs it again', () => {
  assert.match(
    up(shop, [container(db), ended({ ...migrate, tty: true })]).text,
    'startContainer shop-migrate-1 (tty changed)',
  )
})

test('a dependency made anew since it ran, or now, runs it again; a server that depends on it is not recreated', () => {
  const newer = container(db, 1, { createdAt: 3000 })
  assert.is(
    up(shop, [newer, ended(migrate), container(web), ended(seed)]).text,
    '\n[] -> #0 service:migrate:1: startContainer shop-migrate-1 (dependency db was recreated)\n',
  )
  const { text } = up(shop, [container({ ...db, tty: true }), ended(migrate), container(web), ended(seed)])
  assert.match(text, 'startContainer shop-migrate-1 (dependency db was recreated)')
  assert.not.match(text, 'shop-web-1')
})

test('--rerun runs all of them again, or those it names; so does naming one', () => {
  const all = [container(db), ended(migrate), container(web), ended(seed)]
  const both = up(shop, all, { rerun: 'all' }).text
  assert.match(both, 'startContainer shop-migrate-1 (--rerun)')
  assert.match(both, 'startContainer shop-seed-1 (--rerun)')
  const one = up(shop, all, { rerun: ['seed'] }).text
  assert.not.match(one, 'migrate')
  assert.match(one, 'startContainer shop-seed-1 (--rerun)')
  assert.match(
    up(shop, all, { services: ['migrate'] }).text,
    'startContainer shop-migrate-1 (named on the command line)',
  )
})

test('somebody who watches sees what nobody waits for run again', () => {
  assert.is(
    up(shop, all, { attached: true }).text,
    '\n[] -> #0 service:seed:1: startContainer shop-seed-1 (exited (0))\n',
  )
})

test('a dependent of what is done is started at once', () => {
  assert.is(
    up(project([db, migrate, web]), [container(db), ended(migrate), ended(web, { exitCode: 1 })]).text,
    '\n[] -> #0 service:web:1: startContainer shop-web-1 (exited (1))\n',
  )
})

test.run()
