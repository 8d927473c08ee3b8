import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { reconcileDown, reconcileKill, reconcileRemove, reconcileStop } from '../../src/plan/change.ts'
import { reconcileRestart, reconcileStart } from '../../src/plan/resume.ts'
import { formatPlan, type Plan } from '../../src/plan/plan.ts'
import { container, joined, made, mounted, needs, network, observed, project, service } from './models.ts'

const text = (plan: Plan) => `\n${formatPlan(plan)}`
const store = service('store', { ...joined('default'), ...mounted('data') })
const api = service('api', { ...joined('default'), dependsOn: needs('store') })
const of = project([api, store], { networks: [network('default')] })
const both = [container(api), container(store)]
const unnamed = { name: 'shop', project: undefined }
const named = { name: 'shop', project: of }
const all = { services: [], timeoutMs: undefined, wait: false, noDeps: false }
const down = { ...all, volumes: false, removeOrphans: false }
const data = { name: 'shop_data', key: 'data', project: 'shop', anonymous: false, labels: {}, present: true }
const world = observed({ containers: both, networks: [made(network('default'))], volumes: [data] })

test('stop goes against the dependencies, file or no file', () => {
  const expected = `
[] -> #0 service:api:1: stopContainer shop-api-1 (stop)
[0/warn] -> #1 service:store:1: stopContainer shop-store-1 (stop)
`
  assert.is(text(reconcileStop(unnamed, world, all)), expected)
  assert.is(text(reconcileStop(named, world, all)), expected)
})

test('stop of what has ended is a no-op', () => {
  const ended = observed({ containers: [container(api, 1, { state: 'exited' })] })
  assert.is(text(reconcileStop(unnamed, ended, all)), '\n')
})

test('start follows the dependencies', () => {
  const ended = observed({ containers: both.map((each) => ({ ...each, state: 'exited', exitCode: 0 })) })
  assert.is(
    text(reconcileStart(unnamed, ended, all)),
    `
[] -> #0 service:store:1: startContainer shop-store-1 (exited (0))
[0] -> #1 service:api:1: startContainer shop-api-1 (exited (0))
`,
  )
})

test('start without containers says so', () => {
  assert.throws(() => reconcileStart(named, observed(), all), /no containers to start/)
  assert.throws(() => reconcileStart(named, world, { ...all, services: ['nope'] }), /no such service: nope/)
})

test('restart stops backwards and starts forwards', () => {
  assert.is(
    text(reconcileRestart(unnamed, world, all)),
    `
[] -> #0 service:api:1: stopContainer shop-api-1 (restart)
[0/warn] -> #1 service:store:1: stopContainer shop-store-1 (restart)
[1] -> #2 service:store:1: startContainer shop-store-1 (restart)
[0, 2] -> #3 service:api:1: startContainer shop-api-1 (restart)
`,
  )
})

test('down removes dependents first, then the network; volumes stay', () => {
  assert.is(
    text(reconcileDown(named, world, down)),
    `
[] -> #0 service:api:1: stopContainer shop-api-1 (down)
[0/warn] -> #1 service:store:1: stopContainer shop-store-1 (down)
[0] -> #2 service:api:1: removeContainer shop-api-1 (down)
[1] -> #3 service:store:1: removeContainer shop-store-1 (down)
[0, 1] -> #4 network:default: removeNetwork shop_default (down)
`,
  )
})

test('down --volumes removes named volumes after their users', () => {
  assert.match(
    text(reconcileDown(named, world, { ...down, volumes: true })),
    '[3] -> #5 volume:data: removeVolume shop_data (down --volumes)',
  )
})

test('down of an external network or volume leaves it', () => {
  const external = project([api, store], { networks: [network('default', { external: true })] })
  assert.not.match(text(reconcileDown({ name: 'shop', project: external }, world, down)), 'removeNetwork')
})

test('down of one service takes its dependents and keeps what others use', () => {
  assert.not.match(text(reconcileDown(named, world, { ...down, services: ['api'] })), /store|removeNetwork/)
  assert.match(text(reconcileDown(named, world, { ...down, services: ['store'] })), 'removeNetwork')
})

test('down takes one-offs, and leaves orphans unless asked', () => {
  const old = container(service('old'))
  const oneOff = container(api, 1, { oneOff: true, id: 'run', name: 'shop-api-run-1' })
  const there = observed({ containers: [...both, old, oneOff] })
  assert.not.match(text(reconcileDown(named, there, down)), /old/)
  assert.match(text(reconcileDown(named, there, down)), 'service:api:run: removeContainer shop-api-run-1')
  const asked = text(reconcileDown(named, there, { ...down, removeOrphans: true }))
  assert.match(asked, 'removeContainer shop-old-1')
  assert.match(asked, 'service:api:run: removeContainer shop-api-run-1')
})

test('down recovers a lost container before it removes it', () => {
  const there = observed({ containers: [container(api, 1, { state: 'lost' })] })
  assert.is(
    text(reconcileDown(unnamed, there, down)),
    `
[] -> #0 service:api:1: recoverContainer shop-api-1 (its monitor died)
[0] -> #1 service:api:1: removeContainer shop-api-1 (down)
`,
  )
})

test('a dependency cycle among old containers still has an order to stop in', () => {
  const a = service('a', { dependsOn: needs('b') })
  const b = service('b', { dependsOn: needs('a') })
  const plan = reconcileDown(unnamed, observed({ containers: [container(a), container(b)] }), down)
  assert.is(plan.nodes.length, 4)
})

test('kill signals what runs, in no order', () => {
  assert.is(
    text(reconcileKill(unnamed, world, { services: [], signal: 'SIGKILL', removeOrphans: false })),
    `
[] -> #0 service:store:1: signalContainer shop-store-1 SIGKILL (kill)
[] -> #1 service:api:1: signalContainer shop-api-1 SIGKILL (kill)
`,
  )
})

test('rm takes stopped containers only', () => {
  const there = observed({ containers: [container(api), container(store, 1, { state: 'exited' })] })
  assert.is(
    text(reconcileRemove(unnamed, there, { services: [], volumes: false })),
    '\n[] -> #0 service:store:1: removeContainer shop-store-1 (rm)\n',
  )
})

test.run()
