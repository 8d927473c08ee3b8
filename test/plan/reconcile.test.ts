import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Project } from '../../src/compose/project.ts'
import type { Observed } from '../../src/plan/observed.ts'
import { formatPlan } from '../../src/plan/plan.ts'
import type { UpPlanOptions } from '../../src/plan/making.ts'
import { reconcileUp } from '../../src/plan/reconcile.ts'
import {
  container,
  joined,
  made,
  mounted,
  needs,
  network,
  observed,
  project,
  service,
  upOptions,
  volume,
} from './models.ts'

const up = (of: Project, there: Observed, options: Partial<UpPlanOptions> = {}) =>
  reconcileUp(of, there, upOptions(of, options))
const text = (of: Project, there: Observed, options: Partial<UpPlanOptions> = {}) =>
  `\n${formatPlan(up(of, there, options).plan)}`

const web = service('web')
const store = service('store')

test('one service that is not there is created and started', () => {
  assert.is(
    text(project([web]), observed()),
    `
[] -> #0 service:web:1: createContainer shop-web-1 (not there yet)
[0/skip] -> #1 service:web:1: startContainer shop-web-1 (created)
`,
  )
})

test('an unchanged project is a no-op', () => {
  assert.is(text(project([web, store]), observed({ containers: [container(web), container(store)] })), '\n')
})

test('a scale of a service that is not there is a mistake', () => {
  try {
    up(project([web]), observed(), { scale: { nosuch: 2 } })
    assert.unreachable()
  } catch (error) {
    assert.is((error as { code?: string }).code, 'ENOSERVICE')
  }
})

test('networks and volumes come before their containers, starts follow depends_on', () => {
  const api = service('api', { ...joined('default'), dependsOn: needs('store') })
  const kept = service('store', { ...joined('default'), ...mounted('data') })
  const of = project([api, kept], { networks: [network('default')], volumes: [volume('data')] })
  assert.is(
    text(of, observed()),
    `
[] -> #0 network:default: createNetwork default (not there yet)
[] -> #1 volume:data: createVolume data (not there yet)
[0, 1] -> #2 service:store:1: createContainer shop-store-1 (not there yet)
[0] -> #3 service:api:1: createContainer shop-api-1 (not there yet)
[2/skip] -> #4 service:store:1: startContainer shop-store-1 (created)
[3/skip, 4] -> #5 service:api:1: startContainer shop-api-1 (created)
`,
  )
})

test('a dependency that is not required only warns', () => {
  const api = service('api', { dependsOn: needs('store', { required: false }) })
  assert.is(
    text(project([api, store]), observed()),
    `
[] -> #0 service:store:1: createContainer shop-store-1 (not there yet)
[] -> #1 service:api:1: createContainer shop-api-1 (not there yet)
[0/skip] -> #2 service:store:1: startContainer shop-store-1 (created)
[1/skip, 2/warn] -> #3 service:api:1: startContainer shop-api-1 (created)
`,
  )
})

test('a diverged config hash stops, removes, creates and starts', () => {
  const old = container(service('web', { environment: { A: '1' } }))
  assert.is(
    text(project([web]), observed({ containers: [old] })),
    `
[] -> #0 service:web:1: stopContainer shop-web-1 (environment changed)
[0] -> #1 service:web:1: removeContainer shop-web-1 (environment changed)
[1] -> #2 service:web:1: createContainer shop-web-1 (environment changed)
[2/skip] -> #3 service:web:1: startContainer shop-web-1 (environment changed)
`,
  )
})

test('--no-recreate leaves a diverged container', () => {
  const old = container(service('web', { tty: true }))
  assert.is(text(project([web]), observed({ containers: [old] }), { noRecreate: true }), '\n')
})

test('another image recreates', () => {
  const plan = text(project([web]), observed({ containers: [container(web, 1, { imageId: 'host@0' })] }))
  assert.match(plan, 'createContainer shop-web-1 (image changed)')
})

test('--force-recreate spares dependencies, --always-recreate-deps does not', () => {
  const api = service('api', { dependsOn: needs('store') })
  const of = project([api, store])
  const there = observed({ containers: [container(api), container(store)] })
  const forced = text(of, there, { services: ['api'], forceRecreate: true })
  assert.match(forced, 'createContainer shop-api-1 (--force-recreate)')
  assert.not.match(forced, 'store')
  const all = text(of, there, { services: ['api'], forceRecreate: true, alwaysRecreateDeps: true })
  assert.match(all, 'createContainer shop-store-1 (--always-recreate-deps)')
})

test('an exited container is started, in its place in the order', () => {
  const api = service('api', { dependsOn: needs('store') })
  const there = observed({ containers: [container(api), container(store, 1, { state: 'exited', exitCode: 1 })] })
  assert.is(
    text(project([api, store]), there),
    '\n[] -> #0 service:store:1: startContainer shop-store-1 (exited (1))\n',
  )
})

test('a lost container is recovered before it is started', () => {
  assert.is(
    text(project([web]), observed({ containers: [container(web, 1, { state: 'lost' })] })),
    `
[] -> #0 service:web:1: recoverContainer shop-web-1 (its monitor died)
[0] -> #1 service:web:1: startContainer shop-web-1 (its monitor died)
`,
  )
})

test('a lost container that diverged is recovered, removed and made anew', () => {
  const lost = container(service('web', { tty: true }), 1, { state: 'lost' })
  assert.is(
    text(project([web]), observed({ containers: [lost] })),
    `
[] -> #0 service:web:1: recoverContainer shop-web-1 (its monitor died)
[0] -> #1 service:web:1: removeContainer shop-web-1 (tty changed)
[1] -> #2 service:web:1: createContainer shop-web-1 (tty changed)
[2/skip] -> #3 service:web:1: startContainer shop-web-1 (tty changed)
`,
  )
})

test('--scale adds numbers after the highest', () => {
  assert.is(
    text(project([web]), observed({ containers: [container(web, 2)] }), { scale: { web: 3 } }),
    `
[] -> #0 service:web:3: createContainer shop-web-3 (not there yet)
[] -> #1 service:web:4: createContainer shop-web-4 (not there yet)
[0/skip] -> #2 service:web:3: startContainer shop-web-3 (created)
[1/skip] -> #3 service:web:4: startContainer shop-web-4 (created)
`,
  )
})

test('scaling down takes diverged containers first, then the highest numbers', () => {
  const diverged = container(service('web', { tty: true }), 1)
  const there = observed({ containers: [diverged, container(web, 2), container(web, 3)] })
  assert.is(
    text(project([web]), there, { scale: { web: 1 } }),
    `
[] -> #0 service:web:1: stopContainer shop-web-1 (scaled to 1)
[] -> #1 service:web:3: stopContainer shop-web-3 (scaled to 1)
[0] -> #2 service:web:1: removeContainer shop-web-1 (scaled to 1)
[1] -> #3 service:web:3: removeContainer shop-web-3 (scaled to 1)
`,
  )
})

test('container_name allows one container', () => {
  const of = project([service('web', { containerName: 'front' })])
  assert.match(text(of, observed()), 'createContainer front')
  assert.throws(() => up(of, observed(), { scale: { web: 2 } }), /allows one container/)
})

test('naming a service brings its dependencies, --no-deps does not', () => {
  const api = service('api', { dependsOn: needs('store') })
  const of = project([api, store, web])
  assert.match(text(of, observed(), { services: ['api'] }), 'shop-store-1')
  assert.not.match(text(of, observed(), { services: ['api'] }), 'shop-web-1')
  assert.not.match(text(of, observed(), { services: ['api'], noDeps: true }), 'shop-store-1')
  assert.throws(() => up(of, observed(), { services: ['nope'] }), /no such service: nope/)
})

test('orphans are reported, and removed when asked', () => {
  const there = observed({ containers: [container(store)] })
  const of = project([], { disabled: [] })
  assert.equal(up(of, there).orphans, ['shop-store-1'])
  assert.is(
    text(of, there, { removeOrphans: true }),
    `
[] -> #0 service:store:1: stopContainer shop-store-1 (orphan)
[0] -> #1 service:store:1: removeContainer shop-store-1 (orphan)
`,
  )
  assert.equal(up(project([], { disabled: [store] }), there).orphans, [])
})

test('a running one-off is no orphan, an exited one is', () => {
  const oneOff = container(web, 1, { oneOff: true, name: 'shop-web-run-1' })
  assert.equal(up(project([web]), observed({ containers: [oneOff] })).orphans, [])
  assert.equal(up(project([web]), observed({ containers: [{ ...oneOff, state: 'exited' }] })).orphans, [
    'shop-web-run-1',
  ])
})

test('--no-start records without building', () => {
  const { plan } = up(project([web]), observed(), { noStart: true })
  assert.equal(
    plan.nodes.map(({ operation }) => operation),
    [
      {
        kind: 'createContainer',
        service: 'web',
        number: 1,
        name: 'shop-web-1',
        replaces: undefined,
        renewVolumes: false,
        build: false,
      },
    ],
  )
})

test('a network made from something else is made anew between its users', () => {
  const api = service('api', joined('default'))
  const there = observed({
    containers: [container(api)],
    networks: [made(network('default', { internal: true }))],
  })
  assert.is(
    text(project([api], { networks: [network('default')] }), there),
    `
[] -> #0 service:api:1: stopContainer shop-api-1 (network shop_default recreated)
[0] -> #1 service:api:1: removeContainer shop-api-1 (network shop_default recreated)
[1] -> #2 network:default: removeNetwork shop_default (config hash diverged)
[2] -> #3 network:default: createNetwork default (config hash diverged)
[1, 3] -> #4 service:api:1: createContainer shop-api-1 (network shop_default recreated)
[4/skip] -> #5 service:api:1: startContainer shop-api-1 (network shop_default recreated)
`,
  )
})

test('a bridge that a reboot took is restored before its containers start', () => {
  const api = service('api', joined('default'))
  const there = observed({
    containers: [container(api, 1, { state: 'lost' })],
    networks: [made(network('default'), { present: false })],
  })
  assert.is(
    text(project([api], { networks: [network('default')] }), there),
    `
[] -> #0 service:api:1: recoverContainer shop-api-1 (its monitor died)
[] -> #1 network:default: restoreNetwork default (bridge is missing)
[0, 1] -> #2 service:api:1: startContainer shop-api-1 (its monitor died)
`,
  )
})

test('an external network or volume that is not there is an error', () => {
  const net = project([service('api', joined('out'))], { networks: [network('out', { external: true, name: 'out' })] })
  assert.throws(() => up(net, observed()), /network out declared as external, but could not be found/)
  const vol = project([service('api', mounted('out'))], { volumes: [volume('out', { external: true, name: 'out' })] })
  assert.throws(() => up(vol, observed()), /external volume out not found/)
})

test("somebody else's volume of the same name is used with a warning", () => {
  const api = service('api', mounted('data'))
  const there = observed({
    volumes: [{ name: 'shop_data', key: 'data', project: undefined, anonymous: false, labels: {}, present: true }],
  })
  const { plan, warnings } = up(project([api], { volumes: [volume('data')] }), there)
  assert.not.match(formatPlan(plan), 'createVolume')
  assert.equal(
    warnings.map(({ code, path }) => [code, path]),
    [['plan/not-ours', ['volumes', 'data']]],
  )
})

test('a volume that a killed command left without content is made again', () => {
  const api = service('api', mounted('data'))
  const half = { name: 'shop_data', key: 'data', project: 'shop', anonymous: false, labels: {}, present: false }
  assert.match(
    text(project([api], { volumes: [volume('data')] }), observed({ volumes: [half] })),
    'createVolume data (half made)',
  )
})

test('a container whose volume is gone is recreated', () => {
  const api = service('api', mounted('data'))
  const plan = text(project([api], { volumes: [volume('data')] }), observed({ containers: [container(api)] }))
  assert.match(plan, 'createContainer shop-api-1 (volume shop_data is missing)')
  assert.match(plan, 'createVolume data (not there yet)')
})

test('dependents with restart: true stop before their dependency is replaced and start after it', () => {
  const api = service('api', { dependsOn: needs('store', { restart: true }) })
  const there = observed({ containers: [container(api), container(service('store', { tty: true }))] })
  assert.is(
    text(project([api, store]), there),
    `
[] -> #0 service:api:1: stopContainer shop-api-1 (dependency store is recreated)
[0/warn] -> #1 service:store:1: stopContainer shop-store-1 (tty changed)
[1] -> #2 service:store:1: removeContainer shop-store-1 (tty changed)
[2] -> #3 service:store:1: createContainer shop-store-1 (tty changed)
[3/skip] -> #4 service:store:1: startContainer shop-store-1 (tty changed)
[0, 4] -> #5 service:api:1: startContainer shop-api-1 (dependency store is recreated)
`,
  )
})

test('a service that publishes ports waits for every removal, whoever held them', () => {
  const front = service('front', {
    ports: [{ target: 80, published: { first: 80, last: 80 }, hostIp: undefined, protocol: 'tcp', path: [] }],
  })
  const there = observed({ containers: [container(service('web', { tty: true }))] })
  assert.match(text(project([front, web]), there), '[1/warn] -> #2 service:front:1: createContainer')
})

test('anonymous volumes move to the replacement unless renewed', () => {
  const of = project([service('web', mounted(undefined))])
  const there = observed({ containers: [container(service('web', { ...mounted(undefined), tty: true }))] })
  const replaces = (renewAnonymousVolumes: boolean) =>
    up(of, there, { renewAnonymousVolumes }).plan.nodes.flatMap(({ operation }) =>
      operation.kind === 'createContainer' ? [[operation.replaces, operation.renewVolumes]] : [],
    )
  assert.equal(replaces(false), [['web1', false]])
  assert.equal(replaces(true), [['web1', true]])
})

test('a volume of ours whose labels have changed stays, with its data and a warning', () => {
  const of = project([service('web', mounted('data'))], { volumes: [volume('data', { labels: { a: 'new' } })] })
  const there = { name: 'shop_data', key: 'data', project: 'shop', anonymous: false, labels: {}, present: true }
  const { plan, warnings } = reconcileUp(of, observed({ volumes: [there] }), upOptions(of))
  assert.equal(
    warnings.map(({ code, path }) => [code, path]),
    [['plan/volume-changed', ['volumes', 'data']]],
  )
  assert.not.ok(plan.nodes.some(({ operation }) => operation.kind === 'removeVolume'))
})

test('another image under a name that is mounted makes the container anew', () => {
  const web = service('web')
  const of = project([web])
  const world = observed({ containers: [container(web, 1, { imageMounts: { '/i': 'sha256:1' } })] })
  const plan = (id: string) => reconcileUp(of, world, upOptions(of, { imageMounts: { web: { '/i': id } } })).plan
  assert.is(plan('sha256:1').nodes.length, 0)
  assert.match(formatPlan(plan('sha256:2')), /mounted image changed/)
})

test.run()
