import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Modelled, NETWORK_MODELLED, SERVICE_MODELLED, VOLUME_MODELLED } from '../../src/compose/others.ts'
import { NETWORK, SERVICE, type Shape, VOLUME } from '../../src/compose/shape.ts'
import { NETWORK_KEYS, supportOf, SERVICE_KEYS, unsupported, VOLUME_KEYS } from '../../src/plan/support.ts'
import { network, project, service, volume } from './models.ts'

const found = (values: Parameters<typeof service>[1], lenient = false) =>
  unsupported(project([service('web', values)]), lenient).map(({ code, severity, path }) => [
    code,
    severity,
    path.join('.'),
  ])

const other = (...rest: (string | number)[]) => ({
  others: [{ key: String(rest[0]), path: ['services', 'web', ...rest] }],
})

test('honoured keys say nothing', () => {
  assert.equal(found({ init: true, networkMode: 'host' }), [])
})

test('a key that is not there yet is an error with its place', () => {
  assert.equal(found(other('build')), [['support/not-yet', 'error', 'services.web.build']])
})

test('--lenient makes it a warning', () => {
  assert.equal(found(other('build'), true), [['support/not-yet', 'warning', 'services.web.build']])
})

test('a key without meaning on one machine is a warning', () => {
  assert.equal(found(other('deploy', 'placement')), [
    ['support/meaningless', 'warning', 'services.web.deploy.placement'],
  ])
  assert.equal(found(other('isolation')), [['support/meaningless', 'warning', 'services.web.isolation']])
})

test('a nested key without a row has that of the key above it', () => {
  assert.equal(supportOf(SERVICE_KEYS, 'deploy.resources.limits.cpus'), { kind: 'honoured' })
  assert.equal(supportOf(SERVICE_KEYS, 'healthcheck.test'), { kind: 'honoured' })
  assert.is(supportOf(SERVICE_KEYS, 'no_such_key').kind, 'later')
})

test('values of honoured keys that are not there yet have their place', () => {
  assert.equal(found({ networkMode: 'elsewhere' }), [['support/not-yet', 'error', 'services.web.network_mode']])
  assert.equal(found({ securityOpt: ['no-new-privileges:true', 'apparmor=tight', 'label:type:x'] }), [
    ['support/not-yet', 'error', 'services.web.security_opt.1'],
    ['support/meaningless', 'warning', 'services.web.security_opt.2'],
  ])
  assert.equal(found({ logging: { driver: 'syslog', options: {} } }), [
    ['support/not-yet', 'error', 'services.web.logging.driver'],
  ])
  assert.equal(found({ logging: { driver: undefined, options: { 'max-size': '1m', labels: 'a' } } }), [
    ['support/meaningless', 'warning', 'services.web.logging.options.labels'],
  ])
  assert.equal(found({ pullPolicy: 'build' }), [['support/not-yet', 'error', 'services.web.pull_policy']])
  assert.equal(found({ pullPolicy: 'always' }), [])
  assert.equal(found({ pullPolicy: 'never', usernsMode: 'host', platform: 'linux/amd64' }), [])
  assert.equal(
    found({ devices: [{ source: 'nvidia.com/gpu=all', target: 'nvidia.com/gpu=all', permissions: 'rwm' }] }),
    [['support/not-yet', 'error', 'services.web.devices.0']],
  )
})

test('drivers other than ours are not there yet, unless somebody else made the resource', () => {
  const of = project([], {
    networks: [network('a', { driver: 'overlay' }), network('b', { driver: 'overlay', external: true })],
    volumes: [volume('c', { driver: 'nfs' }), volume('d', { driverOptions: { type: 'nfs' } })],
  })
  assert.equal(
    unsupported(of, false).map(({ path }) => path.join('.')),
    ['networks.a.driver', 'volumes.c.driver', 'volumes.d.driver_opts'],
  )
})

/** Keys below a shape that the model has no field for, as support.ts is asked for them. */
const unmodelled = (shape: Shape, row: Modelled | undefined, path: readonly string[] = []): readonly string[] => {
  if (row === true) return []
  if (row === undefined || typeof shape === 'string') return [path.join('.')]
  if ('list' in shape) return unmodelled(shape.list, row['*'], path)
  if ('each' in shape) return unmodelled(shape.each, row['*'], [...path, '*'])
  return Object.entries(shape.fields).flatMap(([key, field]) => unmodelled(field, row[key], [...path, key]))
}

test('no key of the canonical form is left aside in silence', () => {
  const of = [
    ...unmodelled(SERVICE, SERVICE_MODELLED).map((key) => [key, supportOf(SERVICE_KEYS, key).kind]),
    ...unmodelled(NETWORK, NETWORK_MODELLED).map((key) => [`networks: ${key}`, supportOf(NETWORK_KEYS, key).kind]),
    ...unmodelled(VOLUME, VOLUME_MODELLED).map((key) => [`volumes: ${key}`, supportOf(VOLUME_KEYS, key).kind]),
  ]
  assert.ok(of.length > 20)
  assert.equal(
    of.filter(([, kind]) => kind === 'honoured').map(([key]) => key),
    // Their files were read before.
    ['env_file', 'label_file'],
  )
})

test('a driver of a secret is not there yet', () => {
  const of = { ...project([]), fileOthers: [{ key: 'driver', path: ['secrets', 'token', 'driver'] }] }
  assert.equal(
    unsupported(of, false).map(({ message, path }) => [message, path.join('.')]),
    [['secret token: driver is not supported yet', 'secrets.token.driver']],
  )
})

test.run()
