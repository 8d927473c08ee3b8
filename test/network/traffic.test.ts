import { closeSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ensureNetwork, type NetworkLease, verifyNetworks } from '../../src/network/driver.ts'
import { addPublications, type Publication } from '../../src/network/elements.ts'
import { localTable } from '../../src/network/local-table.ts'
import { transact } from '../../src/network/firewall.ts'
import { type BoundPort, listenPorts } from '../../src/network/ports.ts'
import { needsRoot } from '../helpers/root.ts'
import { addressIn, openTestRoot, port, type TestRoot, wish } from './network-root.ts'
import type { Namespace } from './world.ts'

needsRoot(test)

interface Machine extends TestRoot {
  readonly outside: Namespace
  /** Two containers on the first network, one on the second, two on the internal one. All serve tcp 80 and udp 53. */
  readonly web: Namespace
  readonly neighbour: Namespace
  readonly other: Namespace
  readonly hidden: Namespace
  readonly hiddenNeighbour: Namespace
  readonly one: NetworkLease
  readonly two: NetworkLease
  readonly secret: NetworkLease
  readonly bound: readonly BoundPort[]
  readonly publications: readonly Publication[]
}

const HOST = '192.0.2.1'
const OUTSIDE = '192.0.2.10'
const PORTS = [
  port(80, 8080),
  port(53, 5300, { protocol: 'udp' }),
  port(80, 8081, { hostIp: '127.0.0.1' }),
  port(80, 8082, { hostIp: HOST }),
]

const build = async (): Promise<Machine> => {
  const test = await openTestRoot()
  const { world, namespace, root } = test
  const outside = await world.namespace()
  namespace.shell(`ip link add up0 type veth peer name eth0 netns ${outside.pid}
    ip addr add ${HOST}/24 dev up0; ip link set up0 up`)
  outside.shell(`ip addr add ${OUTSIDE}/24 dev eth0; ip link set eth0 up; ip route add 10.0.0.0/8 via ${HOST}`)
  const one = await ensureNetwork(root, wish('aaa'))
  const two = await ensureNetwork(root, wish('bbb'))
  const secret = await ensureNetwork(root, wish('ccc', { internal: true }))
  const join = (lease: NetworkLease, n: number) =>
    world.container(namespace, lease.bridge, addressIn(lease, n), lease.internal ? '' : lease.gateway)
  const bound = (await listenPorts(root, [{ owner: 'web', service: 'web', ports: PORTS }])).get('web') ?? []
  const publications = bound
    .filter(({ hostIp }) => !hostIp.includes(':'))
    .map((bound) => ({ ...bound, address: addressIn(one, 2) }))
  await transact(root, 'publish', [...addPublications(publications), ...localTable('web', publications)])
  const machine = {
    ...test,
    outside,
    web: await join(one, 2),
    neighbour: await join(one, 3),
    other: await join(two, 2),
    hidden: await join(secret, 2),
    hiddenNeighbour: await join(secret, 3),
    one,
    two,
    secret,
    bound,
    publications,
  }
  const { web, neighbour, other, hidden, hiddenNeighbour } = machine
  for (const each of [outside, web, neighbour, other, hidden, hiddenNeighbour]) {
    await world.serve(each, 'tcp/0.0.0.0/80', 'udp/0.0.0.0/53')
  }
  return machine
}

let machine: Machine
const tcp = (from: Namespace, host: string, port: number) => machine.world.ask(from, 'tcp', host, port)
const udp = (from: Namespace, host: string, port: number) => machine.world.ask(from, 'udp', host, port)

/** Asked side by side: much of it waits for a time-out. */
const expectAll = async (...pairs: readonly (readonly [Promise<string>, string])[]): Promise<void> => {
  const answers = await Promise.all(pairs.map(([answer]) => answer))
  assert.equal(
    answers,
    pairs.map(([, expected]) => expected),
  )
}

test.before(async () => {
  machine = await build()
})
test.after(() => machine.close())

/** Each is tried with bridged frames kept from iptables, and handed to it. */
const withBridgeFilter = (name: string, body: () => Promise<void>): void => {
  for (const value of [0, 1]) {
    test(`${name} (bridge-nf-call-iptables=${value})`, async () => {
      machine.namespace.run('sysctl', '-qw', `net.bridge.bridge-nf-call-iptables=${value}`)
      await body()
    })
  }
}

withBridgeFilter('neighbours see each other with their own addresses', async () => {
  await expectAll(
    [tcp(machine.web, addressIn(machine.one, 3), 80), `80 ${addressIn(machine.one, 2)}`],
    [tcp(machine.hidden, addressIn(machine.secret, 3), 80), `80 ${addressIn(machine.secret, 2)}`],
  )
})

withBridgeFilter('containers of different networks do not reach each other', async () => {
  await expectAll(
    [tcp(machine.web, addressIn(machine.two, 2), 80), 'timeout'],
    [tcp(machine.other, addressIn(machine.one, 2), 80), 'timeout'],
  )
})

withBridgeFilter('what leaves has the address of the host', async () => {
  await expectAll([tcp(machine.web, OUTSIDE, 80), `80 ${HOST}`], [udp(machine.web, OUTSIDE, 53), `53 ${HOST}`])
})

withBridgeFilter('a published port is reached from outside, which keeps its address', async () => {
  await expectAll(
    [tcp(machine.outside, HOST, 8080), `80 ${OUTSIDE}`],
    [udp(machine.outside, HOST, 5300), `53 ${OUTSIDE}`],
    [tcp(machine.outside, HOST, 8082), `80 ${OUTSIDE}`],
  )
})

withBridgeFilter('a port published on 127.0.0.1 is for the host alone', async () => {
  await expectAll(
    [tcp(machine.outside, HOST, 8081), 'refused'],
    [tcp(machine.namespace, '127.0.0.1', 8081), `80 ${machine.one.gateway}`],
  )
})

withBridgeFilter('the host reaches a published port by every address of its own', async () => {
  await expectAll(
    [tcp(machine.namespace, '127.0.0.1', 8080), `80 ${machine.one.gateway}`],
    [udp(machine.namespace, '127.0.0.1', 5300), `53 ${machine.one.gateway}`],
    [tcp(machine.namespace, HOST, 8080), `80 ${HOST}`],
  )
})

withBridgeFilter('a neighbour, and another network, reach a published port through the host', async () => {
  await expectAll(
    [tcp(machine.neighbour, HOST, 8080), `80 ${machine.one.gateway}`],
    [tcp(machine.neighbour, machine.one.gateway, 8080), `80 ${machine.one.gateway}`],
    [tcp(machine.other, HOST, 8080), `80 ${machine.one.gateway}`],
  )
})

withBridgeFilter('a container reaches its own published port', async () => {
  const { namespace, web, one } = machine
  // As native/network does it for the links that it makes.
  namespace.shell(`ip link set v${web.pid} type bridge_slave hairpin on`)
  await expectAll([tcp(web, HOST, 8080), `80 ${one.gateway}`], [tcp(web, one.gateway, 8080), `80 ${one.gateway}`])
})

withBridgeFilter('nobody outside reaches a container by its own address', async () => {
  await expectAll(
    [tcp(machine.outside, addressIn(machine.one, 2), 80), 'timeout'],
    [tcp(machine.outside, addressIn(machine.secret, 2), 80), 'timeout'],
  )
})

withBridgeFilter('an internal network has no way out, not even with a route', async () => {
  machine.hidden.shell(`ip route replace default via ${machine.secret.gateway}`)
  await expectAll(
    [tcp(machine.hidden, OUTSIDE, 80), 'timeout'],
    [tcp(machine.hidden, HOST, 8080), 'timeout'],
    [tcp(machine.hidden, addressIn(machine.one, 2), 80), 'timeout'],
  )
})

test('loopback addresses are not reached from a network, whatever its hosts send', async () => {
  const { world, namespace, outside, web, one } = machine
  await world.serve(namespace, 'tcp/127.0.0.1/9000')
  await expectAll([tcp(namespace, '127.0.0.1', 9000), '9000 127.0.0.1'])
  for (const [from, gateway] of [
    [web, one.gateway],
    [outside, HOST],
  ] as const) {
    // 127/8 goes out of eth0 as any other address would: an attacker next door.
    from.shell(`sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.eth0.route_localnet=1
      ip addr del 127.0.0.1/8 dev lo; ip route flush table local root 127.0.0.0/8 || true
      ip route add 127.0.0.1/32 via ${gateway} src $(ip -4 -o addr show eth0 | awk '{print $4}' | cut -d/ -f1)`)
    await expectAll([tcp(from, '127.0.0.1', 9000), 'timeout'], [tcp(from, '127.0.0.1', 8081), 'timeout'])
  }
})

test('not even a port that somebody else forwards reaches an internal network', async () => {
  const { namespace, secret, outside } = machine
  const rule = ['PREROUTING', '-p', 'tcp', '--dport', '7000', '-j', 'DNAT', '--to', `${addressIn(secret, 2)}:80`]
  namespace.run('iptables', '-t', 'nat', '-A', ...rule)
  await expectAll([tcp(outside, HOST, 7000), 'timeout'])
  namespace.run('iptables', '-t', 'nat', '-D', ...rule)
})

test('a container cannot send with an address of another network, however loose the host is', async () => {
  const { web, two, world, namespace, outside } = machine
  const datagrams = () => Number(outside.run('cat', '/proc/net/snmp').match(/^Udp: (\d+)/m)?.[1])
  namespace.run('sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=2')
  const stolen = addressIn(two, 77)
  web.shell(`ip addr add ${stolen}/32 dev eth0`)
  const before = datagrams()
  await expectAll([world.ask(web, 'udp', OUTSIDE, 53, stolen), 'timeout'])
  assert.is(datagrams(), before)
  await expectAll([world.ask(web, 'udp', OUTSIDE, 53), `53 ${HOST}`])
  assert.is(datagrams(), before + 1)
})

test('a flushed ruleset is healed with what lives', async () => {
  const { root, namespace, one, two, secret, publications, outside, other } = machine
  const live = () => ({ networks: [one, two, secret], publications })
  assert.is(await verifyNetworks(root, live), false)
  const before = namespace.run('nft', 'list', 'table', 'ip', 'caisson')
  namespace.run('nft', 'flush', 'ruleset')
  assert.is(await verifyNetworks(root, live), true)
  assert.is(namespace.run('nft', 'list', 'table', 'ip', 'caisson'), before)
  await expectAll([tcp(outside, HOST, 8080), `80 ${OUTSIDE}`], [tcp(other, addressIn(one, 3), 80), 'timeout'])
  namespace.run('nft', 'flush', 'table', 'ip', 'caisson')
  assert.is(await verifyNetworks(root, live), true)
  assert.is(namespace.run('nft', 'list', 'table', 'ip', 'caisson'), before)
})

test('a stale element does not shadow a service that has the port now', async () => {
  const { world, namespace, outside, neighbour, bound } = machine
  for (const { fd } of bound) closeSync(fd)
  await world.serve(namespace, 'tcp/0.0.0.0/8080', 'udp/0.0.0.0/5300')
  await expectAll(
    [tcp(outside, HOST, 8080), `8080 ${OUTSIDE}`],
    [udp(outside, HOST, 5300), `5300 ${OUTSIDE}`],
    [tcp(neighbour, HOST, 8080), `8080 ${addressIn(machine.one, 3)}`],
    [tcp(outside, HOST, 8082), 'refused'],
  )
})

test.run()
