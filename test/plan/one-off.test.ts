import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Service } from '../../src/compose/project.ts'
import { type OneOffRequest, oneOffName, oneOffService, reconcileTakeBack, withOneOff } from '../../src/plan/one-off.ts'
import { formatPlan } from '../../src/plan/plan.ts'
import { reconcileUp } from '../../src/plan/reconcile.ts'
import { container, joined, made, mounted, needs, network, observed, project, service, upOptions } from './models.ts'

const request = (values: Partial<OneOffRequest> = {}): OneOffRequest => ({
  ...{ command: [], entrypoint: undefined, environment: {}, user: undefined, workingDir: undefined, capAdd: [] },
  ...{ capDrop: [], labels: {}, ports: [], servicePorts: false, mounts: [], useAliases: false, tty: false },
  interactive: true,
  ...values,
})
const port = (target: number) => ({
  ...{ target, published: { first: 80, last: 80 }, hostIp: undefined, protocol: 'tcp' as const, path: [] },
})
const web = service('web', {
  ...{ command: ['serve'], environment: { A: 'file', B: 'file' }, ports: [port(8080)], capAdd: ['SYS_TIME'] },
  restart: { policy: 'always', maximumRetries: 0, delayMs: undefined, windowMs: undefined },
  ...{ labels: { a: 'file', b: 'file' }, scale: 3, containerName: 'the-web', user: 'www', workingDir: '/srv' },
})
const of = (values: Partial<OneOffRequest>, base: Service = web): Service => oneOffService(base, 'x', request(values))

test('its name says project, service and run', () =>
  assert.is(oneOffName('shop', 'web', '0123456789ab'), 'shop-web-run-0123456789ab'))

test('without arguments the command is the service`s; ports, restart policy, scale and name are not', () => {
  const { command, ports, restart, scale, containerName, stdinOpen, tty } = of({})
  assert.equal(
    { command, ports, restart, scale, containerName, stdinOpen, tty },
    { command: ['serve'], ports: [], restart: undefined, scale: 1, containerName: 'x', stdinOpen: true, tty: false },
  )
})

for (const [what, asked, expected] of [
  ['a command', { command: ['ls', '-l'] }, { command: ['ls', '-l'], entrypoint: undefined }],
  ['an entrypoint', { entrypoint: ['sh'] }, { command: [], entrypoint: ['sh'] }],
  ['both', { entrypoint: [], command: ['ls'] }, { command: ['ls'], entrypoint: [] }],
  ['variables', { environment: { A: 'run', C: 'run' } }, { environment: { A: 'run', B: 'file', C: 'run' } }],
  ['labels', { labels: { a: 'run' } }, { labels: { a: 'run', b: 'file' } }],
  ['user and directory', { user: '0', workingDir: '/' }, { user: '0', workingDir: '/' }],
  ['capabilities', { capAdd: ['KILL'], capDrop: ['CHOWN'] }, { capAdd: ['SYS_TIME', 'KILL'], capDrop: ['CHOWN'] }],
  ['ports of its own', { ports: [port(1)] }, { ports: [port(1)] }],
  ['the service`s ports', { servicePorts: true }, { ports: [port(8080)] }],
] as const) {
  test(`${what} of the command line`, () => {
    const made = of(asked)
    for (const [key, value] of Object.entries(expected)) assert.equal(made[key as keyof Service], value, key)
  })
}

test('a mount of the command line replaces the one with its target', () => {
  const [mount] = mounted('other').volumes ?? []
  assert.ok(mount)
  const { volumes } = of({ mounts: [mount] }, service('web', mounted('data')))
  assert.equal(volumes, [mount])
})

test('it answers to the service`s names with --use-aliases alone', () => {
  const [join] = joined('default').networks ?? []
  assert.ok(join)
  const base = service('web', {
    networkMode: undefined,
    networks: [{ ...join, aliases: ['www'], ipv4Address: '10.0.0.9' }],
  })
  assert.equal(of({}, base).networks[0], { ...join, aliases: [], ipv4Address: undefined })
  assert.equal(of({ useAliases: true }, base).networks[0]?.aliases, ['web', 'www'])
})

const planned = (base: Service, others: readonly Service[], world = observed(), autoRemove = true): string => {
  const oneOff = oneOffService(base, 'shop-web-run-1', request())
  const whole = withOneOff(project([base, ...others], { networks: [network('default')] }), oneOff, oneOff.volumes)
  const options = upOptions(whole.project, {
    services: ['web'],
    oneOff: { service: 'web', autoRemove, volumes: whole.volumes },
  })
  return formatPlan(reconcileUp(whole.project, world, options).plan)
}

test('the plan starts dependencies first and leaves the replicas of the service alone', () => {
  const base = service('web', { ...joined('default'), dependsOn: needs('db') })
  const db = service('db', joined('default'))
  assert.is(
    planned(base, [db], observed({ containers: [container(base, 1, { configHash: 'old' })] })),
    [
      '[] -> #0 network:default: createNetwork default (not there yet)\n',
      '[0] -> #1 service:db:1: createContainer shop-db-1 (not there yet)\n',
      '[0] -> #2 service:web:run: createContainer shop-web-run-1 (not there yet)\n',
      '[1/skip] -> #3 service:db:1: startContainer shop-db-1 (created)\n',
      '[2/skip, 3] -> #4 service:web:run: startContainer shop-web-run-1 (created)\n',
    ].join(''),
  )
})

test('a network that differs from the file is used as it is: others are on it', () => {
  const base = service('web', joined('default'))
  const world = observed({ networks: [made(network('default'), { configHash: 'old' })] })
  assert.not.match(planned(base, [], world), /Network/)
})

test('a volume that only the command line names is made, and is nobody`s', () => {
  const base = service('web', mounted('loose'))
  const oneOff = oneOffService(base, 'x', request())
  const { project: whole, volumes } = withOneOff(project([base]), oneOff, oneOff.volumes)
  assert.equal(volumes, ['loose'])
  const options = upOptions(whole, { services: ['web'], oneOff: { service: 'web', autoRemove: false, volumes } })
  const operation = reconcileUp(whole, observed(), options).plan.nodes[0]?.operation
  assert.equal(operation, { kind: 'createVolume', key: 'loose', shared: true })
})

test('taking back stops what was started, removes what was made, and the networks that nobody is on', () => {
  const base = service('web', { ...joined('default'), dependsOn: { ...needs('db'), ...needs('old') } })
  const [db, old] = [service('db', joined('default')), service('old', joined('default'))]
  const oneOff = oneOffService(base, 'shop-web-run-1', request())
  const { project: whole } = withOneOff(project([base, db, old], { networks: [network('default')] }), oneOff, [])
  const options = upOptions(whole, { services: ['web'], oneOff: { service: 'web', autoRemove: true, volumes: [] } })
  const before = observed({ containers: [container(old, 1, { state: 'exited', networks: ['shop_default'] })] })
  const { plan } = reconcileUp(whole, before, options)
  const after = observed({
    containers: [container(db), container(old)],
    networks: [made(network('default'))],
  })
  assert.is(
    formatPlan(reconcileTakeBack('shop', after, plan, 'shop-web-run-1')),
    [
      '[] -> #0 service:old:1: stopContainer shop-old-1 (run --down)\n',
      '[0/warn] -> #1 service:db:1: stopContainer shop-db-1 (run --down)\n',
      '[1] -> #2 service:db:1: removeContainer shop-db-1 (run --down)\n',
    ].join(''),
  )
})

test.run()
