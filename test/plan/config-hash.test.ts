import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configHash, networkHash } from '../../src/plan/config-hash.ts'
import { needs, network, service } from './models.ts'

const bind = { type: 'bind', source: '/a', target: '/a', readOnly: false, createHostPath: true } as const
const full = service('web', {
  command: ['serve', '--port', '80'],
  environment: { B: '2', A: '1', GONE: null },
  ports: [{ target: 80, published: { first: 8080, last: 8080 }, hostIp: '127.0.0.1', protocol: 'tcp', path: ['x'] }],
  volumes: [{ ...bind, propagation: undefined, recursive: undefined, path: ['services', 'web', 'volumes', 0] }],
  ulimits: { nofile: { soft: 1024, hard: 2048 } },
  memLimitBytes: 64 * 2 ** 20,
  labels: { role: 'front' },
})

// Golden: another value here means that an upgrade recreates every container.
test('hashes do not change between releases', () => {
  assert.is(configHash(service('web')), 'e71eb23b23680dd9bfb18aa843bea4fa4ec530e09a99f2f1c56c8737cf9155d7')
  assert.is(configHash(full), 'aff3dc2d0842114874e1fcae45f9c45a344165a0eb372ed9c747e688d10f5230')
  assert.is(networkHash(network('default')), '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
})

test('scale, profiles, dependencies, names and places do not count', () => {
  const other = service('other', { ...full, name: 'other', scale: 4, profiles: ['x'], dependsOn: needs('a') })
  assert.is(configHash(other), configHash(full))
  const moved = { ...full, ports: full.ports.map((port) => ({ ...port, path: ['elsewhere'] })) }
  assert.is(configHash(moved), configHash(full))
})

test('what means the same as nothing does not count', () => {
  const spelled = service('web', { init: false, memLimitBytes: 0, pidsLimit: -1, cpus: 0, labels: {} })
  assert.is(configHash(spelled), configHash(service('web')))
})

test('an empty command differs from none: it clears that of the image', () => {
  assert.is.not(configHash(service('web', { command: [] })), configHash(service('web')))
})

test('the order of keys does not count, the order of lists does', () => {
  const swapped = { ...full, environment: { GONE: null, A: '1', B: '2' } }
  assert.is(configHash(swapped), configHash(full))
  assert.is.not(configHash({ ...full, command: ['--port', 'serve', '80'] }), configHash(full))
})

test('createHostPath: false counts, because true is what is usual', () => {
  const volumes = full.volumes.map((mount) => (mount.type === 'bind' ? { ...mount, createHostPath: false } : mount))
  assert.is.not(configHash({ ...full, volumes }), configHash(full))
})

test('the bridge driver is what a network has anyway', () => {
  assert.is(networkHash(network('default', { driver: 'bridge' })), networkHash(network('default')))
  assert.is.not(networkHash(network('default', { internal: true })), networkHash(network('default')))
})

test.run()
