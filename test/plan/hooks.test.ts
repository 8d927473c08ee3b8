import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Hook } from '../../src/compose/project.ts'
import { reconcileBoot } from '../../src/plan/boot.ts'
import { reconcileDown, reconcileStop } from '../../src/plan/change.ts'
import { oneOffService } from '../../src/plan/one-off.ts'
import { formatPlan, type Plan } from '../../src/plan/plan.ts'
import { reconcileUp } from '../../src/plan/reconcile.ts'
import { reconcileRestart } from '../../src/plan/resume.ts'
import { container, needs, observed, project, service, upOptions } from './models.ts'

const hook: Hook = { command: ['true'], user: undefined, privileged: false, workingDir: undefined, environment: {} }
const store = service('store', { postStart: [hook], preStop: [hook, hook] })
const api = service('api', { dependsOn: needs('store') })
const shop = project([api, store])
const target = (of = shop) => ({ name: 'shop', project: of })
const all = { services: [], timeoutMs: undefined, wait: false, noDeps: false, volumes: false, removeOrphans: false }
const text = (plan: Plan) => `\n${formatPlan(plan)}`
const up = (of: typeof shop, world = observed(), more: Parameters<typeof upOptions>[1] = {}) =>
  text(reconcileUp(of, world, upOptions(of, more)).plan)

test('hooks belong to a start, so that dependents come after them', () => {
  assert.match(up(shop), /startContainer shop-store-1 then post_start \(1\)/)
})

test('what is made anew is stopped without hooks, what is too much with them', () => {
  const running = observed({ containers: [container(store), container(store, 2), container(api)] })
  assert.match(up(shop, running), /stopContainer shop-store-2 after pre_stop \(2\)/)
  assert.match(
    up(shop, observed({ containers: [container(store), container(api)] }), { forceRecreate: true }),
    /stopContainer shop-store-1 \(/,
  )
})

test('a stop has the hooks of the file, or those that the container was made with', () => {
  const running = observed({ containers: [container(store)] })
  const mended = project([api, { ...store, preStop: [hook] }])
  assert.match(text(reconcileStop(target(mended), running, all)), /after pre_stop \(1\)/)
  const unnamed = { name: 'shop', project: undefined }
  assert.match(text(reconcileStop(unnamed, running, all)), /after pre_stop \(2\)/)
})

test('what a dependent needs goes on where a hook of it fails, but not where its stop alone fails', () => {
  const front = service('front', { dependsOn: needs('store'), preStop: [hook] })
  const running = observed({ containers: [container(front), container(api), container(store)] })
  const plan = reconcileDown(target(project([front, api, store])), running, all)
  assert.match(text(plan), /\[(0\/warn, 1|1, 0\/warn|1\/warn, 0|0, 1\/warn)\] -> #2 service:store:1: stopContainer/)
})

test('restart runs both kinds, a boot and a one-off neither', () => {
  const plan = text(reconcileRestart(target(), observed({ containers: [container(store)] }), all))
  assert.match(plan, /after pre_stop \(2\)[\s\S]*then post_start \(1\)/)
  const restarting = service('store', {
    ...store,
    restart: { policy: 'always', maximumRetries: 0, delayMs: undefined, windowMs: undefined },
  })
  const ended = observed({ containers: [container(restarting, 1, { state: 'exited' })] })
  assert.match(text(reconcileBoot('shop', ended)), /startContainer shop-store-1 \(/)
  const request = { command: [], entrypoint: undefined, environment: {}, user: undefined, workingDir: undefined }
  const more = { capAdd: [], capDrop: [], labels: {}, ports: [], servicePorts: false, mounts: [], useAliases: false }
  const { postStart, preStop } = oneOffService(store, 'x', { ...request, ...more, tty: false, interactive: false })
  assert.equal([postStart, preStop], [[], []])
})

test.run()
