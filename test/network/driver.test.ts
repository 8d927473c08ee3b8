import { closeSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { releaseAddresses, reserveAddresses } from '../../src/network/connect.ts'
import { ensureNetwork, type NetworkLease, removeNetwork, verifyNetworks } from '../../src/network/driver.ts'
import { listenPorts, releasePorts } from '../../src/network/ports.ts'
import { needsRoot } from '../helpers/root.ts'
import { addressIn, openTestRoot, port, type TestRoot, wish } from './network-root.ts'

needsRoot(test)

let machine: TestRoot
test.before.each(async () => {
  machine = await openTestRoot()
})
test.after.each(() => machine.close())

const errorOf = async (work: Promise<unknown>): Promise<Error & { code?: string }> => {
  const error = await work.then(
    () => new Error('no error'),
    (error: unknown) => error,
  )
  assert.instance(error, Error)
  return error as Error
}
const codeOf = async (work: Promise<unknown>): Promise<string | undefined> => (await errorOf(work)).code
const links = () => machine.namespace.run('ip', '-br', 'link').match(/^\S+/gm)?.join(' ')
const ruleset = () => machine.namespace.run('nft', 'list', 'ruleset')
const attach = (network: NetworkLease, ipv4Address?: string) => ({
  network,
  names: [],
  reverseName: 'web',
  ipv4Address,
  macAddress: undefined,
  priority: 0,
  gwPriority: 0,
  interfaceName: undefined,
})

test('a network is made once, whatever is there, and the last one takes everything along', async () => {
  const { root, namespace } = machine
  const first = await ensureNetwork(root, wish('aaa'))
  const made = ruleset()
  assert.equal(await ensureNetwork(root, wish('aaa', { subnet: first.subnet, gateway: first.gateway })), first)
  assert.is(ruleset(), made)
  const second = await ensureNetwork(root, wish('bbb'))
  assert.is(second.subnet, '10.208.1.0/24')
  assert.match(namespace.run('ip', '-br', 'address', 'show', 'dev', second.bridge), '10.208.1.1/24')
  assert.is(namespace.run('sysctl', '-n', 'net.ipv4.ip_forward'), '1\n')
  await removeNetwork(root, first)
  assert.match(ruleset(), second.bridge)
  assert.not.match(ruleset(), first.bridge)
  await removeNetwork(root, second)
  await removeNetwork(root, second)
  assert.is(links(), 'lo')
  assert.is(ruleset(), '')
  assert.equal(readdirSync(join(root.run, 'claims/subnet')), [])
  assert.equal(readdirSync(join(root.run, 'networks')), [])
})

test('networks made at the same time get different subnets', async () => {
  const all = await Promise.all(['a', 'b', 'c', 'd'].map((id) => ensureNetwork(machine.root, wish(id.repeat(12)))))
  assert.is(new Set(all.map(({ subnet }) => subnet)).size, 4)
})

test('a subnet avoids routes of the host and claims of others', async () => {
  const { root, namespace } = machine
  namespace.shell('ip link add d0 type bridge; ip addr add 10.208.0.5/23 dev d0; ip link set d0 up')
  assert.is((await ensureNetwork(root, wish('aaa'))).subnet, '10.208.2.0/24')
})

test('a recorded network comes back with its addresses after a reboot', async () => {
  const { root } = machine
  const again = await ensureNetwork(root, wish('aaa', { subnet: '10.208.7.0/24', gateway: '10.208.7.254' }))
  assert.equal([again.subnet, again.gateway], ['10.208.7.0/24', '10.208.7.254'])
})

test('the subnet, gateway and range of the file are honoured', async () => {
  const ipam = [
    { subnet: 'fd00:1::/64', gateway: undefined, ipRange: undefined, auxAddresses: {} },
    { subnet: '10.77.0.0/16', gateway: '10.77.0.254', ipRange: '10.77.5.0/24', auxAddresses: {} },
  ]
  const lease = await ensureNetwork(machine.root, wish('aaa', { ipam }))
  assert.equal([lease.subnet, lease.gateway, lease.range], ['10.77.0.0/16', '10.77.0.254', '10.77.5.0/24'])
  assert.equal(reserveAddresses(machine.root, 'one', [attach(lease)]), ['10.77.5.0'])
})

test('a subnet that somebody has is refused', async () => {
  const { root, namespace } = machine
  namespace.shell('ip link add d0 type bridge; ip addr add 10.5.0.1/24 dev d0; ip link set d0 up')
  await ensureNetwork(root, wish('aaa', { subnet: '10.77.1.0/24' }))
  assert.is(await codeOf(ensureNetwork(root, wish('bbb', { subnet: '10.77.0.0/16' }))), 'ESUBNET')
  assert.is(await codeOf(ensureNetwork(root, wish('bbb', { subnet: '10.5.0.0/16' }))), 'ESUBNET')
  assert.is(await codeOf(ensureNetwork(root, wish('bbb', { subnet: '10.6.0.0/16', gateway: '10.7.0.1' }))), 'ESUBNET')
  assert.not.match(links() ?? '', 'cs-bbb')
})

test('addresses are given in turn, and one that is asked for is given once', async () => {
  const { root } = machine
  const lease = await ensureNetwork(root, wish('aaa'))
  const reserve = (owner: string, address?: string) => reserveAddresses(root, owner, [attach(lease, address)])
  assert.equal(reserve('one'), [addressIn(lease, 2)])
  assert.equal(reserve('two'), [addressIn(lease, 3)])
  releaseAddresses(root, 'one', [attach(lease)], [addressIn(lease, 2)])
  assert.equal(reserve('three'), [addressIn(lease, 4)])
  assert.equal(reserve('four', addressIn(lease, 2)), [addressIn(lease, 2)])
  assert.throws(() => reserve('five', addressIn(lease, 2)), /is taken by ip owner four/)
  assert.throws(() => reserve('five', lease.gateway), /cannot be used/)
  assert.throws(() => reserve('five', '10.9.9.9'), /cannot be used/)
})

test('verification costs nothing where there is no network, and asks nobody', async () => {
  const never = () => {
    throw new Error('asked')
  }
  assert.is(await verifyNetworks(machine.root, never), false)
})

test('two commands at once hold the lock in turn', async () => {
  const { root } = machine
  let inside = 0
  const work = async () => {
    inside += 1
    assert.is(inside, 1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    inside -= 1
  }
  await Promise.all([root.locked(work), root.locked(work), root.locked(work)])
})

test('a port is taken on IPv4 and IPv6 alike, with the same number where any will do', async () => {
  const { root } = machine
  const [bound] = (await listenPorts(root, [{ owner: 'one', service: 'web', ports: [port(80, undefined)] }])).values()
  assert.ok(bound)
  assert.equal(
    bound.map(({ hostIp }) => hostIp),
    ['0.0.0.0', '::'],
  )
  assert.is(bound[0]?.hostPort, bound[1]?.hostPort)
  assert.ok((bound[0]?.hostPort ?? 0) > 1023)
  releasePorts(root, 'one', bound)
  assert.equal(readdirSync(join(root.run, 'claims/port')), [])
})

test('replicas take one port of a range after the other, and the one too many is told so', async () => {
  const { root, world, namespace } = machine
  await world.serve(namespace, 'tcp/127.0.0.1/8001')
  const ports = [port(80, 8000, { published: { first: 8000, last: 8002 } })]
  const request = (owner: string) => ({ owner, service: 'web', ports })
  const all = await listenPorts(root, [request('one'), request('two')])
  assert.equal(
    [...all.values()].map((bound) => bound[0]?.hostPort),
    [8000, 8002],
  )
  const error = await errorOf(listenPorts(root, [request('three')]))
  assert.is(error.message, "service 'web': host port 0.0.0.0:8000-8002/tcp has no free port left")
  for (const [owner, bound] of all) releasePorts(root, owner, bound)
})

test('all ports or none, and the error names service, port and holder', async () => {
  const { root } = machine
  const held = await listenPorts(root, [{ owner: 'other', service: 'db', ports: [port(80, 8080)] }])
  const requests = [
    { owner: 'one', service: 'web', ports: [port(80, 8000)] },
    { owner: 'two', service: 'api', ports: [port(80, 8080, { hostIp: '127.0.0.1' })] },
  ]
  const error = await errorOf(listenPorts(root, requests))
  assert.is(error.code, 'EPORTINUSE')
  assert.is(error.message, "service 'api': host port 127.0.0.1:8080/tcp is taken by port owner other")
  const free = await listenPorts(root, requests.slice(0, 1))
  assert.is(free.size, 1)
  for (const [owner, bound] of [...held, ...free]) releasePorts(root, owner, bound)
})

test('elements that a dead container left for a port go when the port is taken again', async () => {
  const { root, namespace } = machine
  await ensureNetwork(root, wish('aaa'))
  namespace.shell(`nft add element ip caisson published '{ tcp . 8080 : 10.208.0.2 . 80, tcp . 8081 : 10.208.0.2 . 81 }'
    nft add element ip caisson published_at '{ 127.0.0.1 . tcp . 8082 : 10.208.0.2 . 80 }'`)
  const ports = [port(80, 8080), port(80, 8082, { hostIp: '127.0.0.1' })]
  const all = await listenPorts(root, [{ owner: 'new', service: 'web', ports }])
  assert.match(ruleset(), '8081')
  assert.not.match(ruleset(), /808[02]/)
  for (const [owner, bound] of all) releasePorts(root, owner, bound)
})

test('a port whose dead holder was not cleaned up says what to do', async () => {
  const { root } = machine
  const requests = (owner: string) => [{ owner, service: 'web', ports: [port(80, 8080, { hostIp: '127.0.0.1' })] }]
  for (const [, bound] of await listenPorts(root, requests('old'))) for (const { fd } of bound) closeSync(fd)
  const error = await errorOf(listenPorts(root, requests('new')))
  assert.is(error.message, 'host port 127.0.0.1:8080/tcp is taken by port owner old')
  assert.match((error as Error & { hint?: string }).hint ?? '', 'ended without cleaning up')
  machine.dead.add('old')
  for (const [owner, bound] of await listenPorts(root, requests('new'))) releasePorts(root, owner, bound)
})

test('SCTP, and UDP on IPv6, are refused by name', async () => {
  const refuse = (more: Parameters<typeof port>[2]) =>
    codeOf(listenPorts(machine.root, [{ owner: 'one', service: 'web', ports: [port(80, 8080, more)] }]))
  assert.is(await refuse({ protocol: 'sctp' }), 'EPORT')
  assert.is(await refuse({ protocol: 'udp', hostIp: '::1' }), 'EPORT')
  assert.is(existsSync(join(machine.root.run, 'claims/port')), false)
})

test.run()
