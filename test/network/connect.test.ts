import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Attachment,
  type ConnectInput,
  connectPlan,
  gatewayIndex,
  sortAttachments,
  unconnected,
} from '../../src/network/connect.ts'
import type { NetworkLease } from '../../src/network/driver.ts'
import type { BoundPort } from '../../src/network/ports.ts'

const lease = (key: string, more: Partial<NetworkLease> = {}): NetworkLease => ({
  id: key.repeat(12),
  name: `shop_${key}`,
  bridge: `cs-${key.repeat(11)}`,
  subnet: '10.208.1.0/24',
  gateway: '10.208.1.1',
  internal: false,
  mtu: 1500,
  ...more,
})
const attach = (network: NetworkLease, more: Partial<Attachment> = {}): Attachment => ({
  network,
  names: ['web', 'shop-web-1'],
  reverseName: 'shop-web-1',
  ipv4Address: undefined,
  macAddress: undefined,
  priority: 0,
  gwPriority: 0,
  interfaceName: undefined,
  ...more,
})
const bound = (hostIp: string, fd: number): BoundPort => ({
  fd,
  hostIp,
  hostPort: 8080,
  containerPort: 80,
  protocol: 'tcp',
})
const input = (more: Partial<ConnectInput> = {}): ConnectInput => ({
  owner: 'c0ffee000001',
  run: '/run/caisson',
  attachments: [attach(lease('a'))],
  addresses: ['10.208.1.2'],
  ports: [bound('0.0.0.0', 20), bound('::', 21)],
  resolver: { upstreams: ['127.0.0.53', '::1'], search: [], options: [] },
  aliases: [],
  random: Uint8Array.from({ length: 32 }, (_, index) => index + 1),
  ...more,
})
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('one network gives eth0, its default route, and a fresh name for the host end', () => {
  const [endpoint] = connectPlan(input()).network.endpoints
  assert.ok(endpoint)
  assert.equal(
    { ...endpoint, mac: hex(endpoint.mac), address: [...endpoint.address], gateway: [...endpoint.gateway] },
    {
      bridge: 'cs-aaaaaaaaaaa',
      hostName: 'veth0102030405',
      name: 'eth0',
      mac: '02ca0ad00102',
      mtu: 1500,
      address: [10, 208, 1, 2],
      prefixLength: 24,
      gateway: [10, 208, 1, 1],
    },
  )
})

test('names are lower-cased directories; what is no DNS name is left out', () => {
  const names = ['Web', 'web', '../etc', 'a/b', '', '.', '-x', 'shop-web-1']
  const { network, undo } = connectPlan(input({ attachments: [attach(lease('a'), { names })] }))
  const directory = '/run/caisson/networks/aaaaaaaaaaaa/names'
  assert.equal(network.names, [
    `${directory}/web/10.208.1.2`,
    `${directory}/shop-web-1/10.208.1.2`,
    `${directory}/@10.208.1.2/shop-web-1`,
  ])
  assert.equal(network.dns.networks, [{ path: directory, name: 'shop_a', internal: false }])
  assert.equal(
    undo.names.map(({ kind, path }) => `${kind} ${path}`),
    [
      `unlink ${directory}/web/10.208.1.2`,
      `rmdir ${directory}/web`,
      `unlink ${directory}/shop-web-1/10.208.1.2`,
      `rmdir ${directory}/shop-web-1`,
      `unlink ${directory}/@10.208.1.2/shop-web-1`,
      `rmdir ${directory}/@10.208.1.2`,
    ],
  )
})

test('IPv4 is published by the kernel, IPv6 is spliced by netd', () => {
  const { network, publications, listenerFds, ports } = connectPlan(input())
  assert.equal(listenerFds, [20, 21])
  assert.equal(
    network.listeners.map(({ splice, containerAddress, containerPort }) => [
      splice,
      [...containerAddress],
      containerPort,
    ]),
    [
      [false, [10, 208, 1, 2], 80],
      [true, [10, 208, 1, 2], 80],
    ],
  )
  assert.equal(publications, [
    { hostIp: '0.0.0.0', hostPort: 8080, protocol: 'tcp', address: '10.208.1.2', containerPort: 80 },
  ])
  assert.equal(ports, [
    { hostIp: '0.0.0.0', hostPort: 8080, containerPort: 80, protocol: 'tcp' },
    { hostIp: '::', hostPort: 8080, containerPort: 80, protocol: 'tcp' },
  ])
})

test('everything has its undo step', () => {
  const { undo } = connectPlan(input())
  assert.is(undo.firewall.length, 1)
  assert.equal(undo.conntrack, [], 'TCP flows end by themselves')
  assert.equal(
    undo.claims.map(({ kind, path }) => `${kind} ${path}`),
    [
      'unlink /run/caisson/claims/ip/aaaaaaaaaaaa.10.208.1.2',
      'unlink /run/caisson/claims/port/tcp-0.0.0.0-8080',
      'unlink /run/caisson/claims/port/tcp-::-8080',
    ],
  )
})

const TWO = [
  attach(lease('a', { internal: true })),
  attach(lease('b', { subnet: '10.208.2.0/24', gateway: '10.208.2.1' })),
]

test('the default route, and what is published, use a network that is not internal', () => {
  const plan = connectPlan(input({ attachments: TWO, addresses: ['10.208.1.2', '10.208.2.9'] }))
  assert.equal(
    plan.network.endpoints.map(({ name, gateway }) => [name, [...gateway]]),
    [
      ['eth0', []],
      ['eth1', [10, 208, 2, 1]],
    ],
  )
  assert.equal(
    plan.publications.map(({ address }) => address),
    ['10.208.2.9'],
  )
  assert.is(plan.network.dns.forward, true)
})

test('a container on internal networks alone publishes nothing and asks nobody outside', () => {
  const plan = connectPlan(input({ attachments: TWO.slice(0, 1) }))
  assert.equal([plan.listenerFds, plan.ports, plan.publications], [[], [], []])
  assert.is(plan.network.hostFirewall.length, 0)
  assert.is(plan.undo.claims.length, 3, 'claims of ports that were listened on for nothing go all the same')
  assert.is(plan.network.dns.forward, false)
})

test('eth0 is the network of the highest priority; the default route goes by gw_priority', () => {
  const [a, b, c] = [lease('a'), lease('b'), lease('c')].map((network) => attach(network))
  assert.ok(a && b && c)
  const sorted = sortAttachments([c, { ...b, priority: 10 }, { ...a, gwPriority: 1 }])
  assert.equal(
    sorted.map(({ network }) => network.name),
    ['shop_b', 'shop_a', 'shop_c'],
  )
  assert.is(gatewayIndex(sorted), 1)
  assert.is(gatewayIndex([]), -1)
})

test('a MAC address and a name of the interface may be given', () => {
  const asked = attach(lease('a'), { macAddress: '02:00:00:00:00:07', interfaceName: 'lan' })
  const [endpoint] = connectPlan(input({ attachments: [asked] })).network.endpoints
  assert.is(endpoint?.name, 'lan')
  assert.is(hex(endpoint?.mac ?? new Uint8Array()), '020000000007')
})

test('without a network there is nothing to do and nothing to undo', () => {
  const { network, undo } = unconnected('none')
  assert.is(network.mode, 'none')
  assert.is(Object.values(undo).flat().length, 0)
})

test.run()
