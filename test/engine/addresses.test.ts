import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Network, Service, ServiceNetwork } from '../../src/compose/project.ts'
import { addressConflicts } from '../../src/engine/addresses.ts'
import { joined, network, project, service } from '../plan/models.ts'

const ipam = (values: Partial<Network['ipam'][number]> = {}): Partial<Network> => ({
  ipam: [{ subnet: '10.9.0.0/24', gateway: undefined, ipRange: undefined, auxAddresses: {}, ...values }],
})
const on = (name: string, values: Partial<ServiceNetwork>, more: Partial<Service> = {}): Service => {
  const base = joined('back')
  return service(name, { ...base, networks: (base.networks ?? []).map((each) => ({ ...each, ...values })), ...more })
}
const found = (services: readonly Service[], values: Partial<Network> = ipam()) => {
  const of = project(services, { networks: [network('back', values)] })
  return addressConflicts(of, services).map(({ path }) => path.join('.'))
}
const ADDRESS = 'services.a.networks.back.ipv4_address'

test('an address that can be had is no finding', () => {
  assert.equal(found([on('a', { ipv4Address: '10.9.0.7' })]), [])
  assert.equal(found([on('a', { ipv4Address: '10.9.0.1' })], ipam({ gateway: '10.9.0.254' })), [])
})

test('outside of the subnet, the gateway, the ends, an aux address, no address at all', () => {
  for (const ipv4Address of ['10.8.0.7', '10.9.0.1', '10.9.0.0', '10.9.0.255', 'fd00::1', '10.9.0.300']) {
    assert.equal(found([on('a', { ipv4Address })]), [ADDRESS], ipv4Address)
  }
  assert.equal(found([on('a', { ipv4Address: '10.9.0.9' })], ipam({ auxAddresses: { printer: '10.9.0.9' } })), [
    ADDRESS,
  ])
})

test('a network without a subnet of its own, and one that is somebody else’s', () => {
  assert.equal(found([on('a', { ipv4Address: '10.9.0.7' })], {}), [ADDRESS])
  assert.equal(found([on('a', { ipv4Address: '10.9.0.7' })], { external: true }), [])
})

test('two services with one address, and one service with several containers', () => {
  const same = { ipv4Address: '10.9.0.7' }
  assert.equal(found([on('a', same), on('b', same)]), ['services.b.networks.back.ipv4_address'])
  assert.equal(found([on('a', same, { scale: 2 })]), [ADDRESS])
})

test('ipam that contradicts itself', () => {
  const at = (key: string) => [`networks.back.ipam.config.0.${key}`]
  assert.equal(found([], ipam({ subnet: '10.9.0.0' })), at('subnet'))
  assert.equal(found([], ipam({ gateway: '10.8.0.1' })), at('gateway'))
  assert.equal(found([], ipam({ ipRange: '10.8.0.0/28' })), at('ip_range'))
  assert.equal(found([], ipam({ auxAddresses: { a: '1.2.3.4' } })), at('aux_addresses.a'))
  assert.equal(found([], ipam({ subnet: 'fd00::/64' })), [])
})

test('MAC addresses of a service and of a network, and names of interfaces', () => {
  assert.equal(found([on('a', { macAddress: '01:00:00:00:00:01' })]), ['services.a.networks.back.mac_address'])
  assert.equal(found([on('a', {}, { macAddress: 'x' })]), ['services.a.mac_address'])
  assert.equal(found([on('a', { macAddress: '02:00:00:00:00:01' }, { macAddress: '02:00:00:00:00:02' })]), [])
})

test.run()
