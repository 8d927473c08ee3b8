import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ensureNetwork, removeNetwork, verifyNetworks } from '../../src/network/driver.ts'
import { addPublications } from '../../src/network/elements.ts'
import { transact } from '../../src/network/firewall.ts'
import { forwardBarriers } from '../../src/network/forward-guard.ts'
import { listenPorts } from '../../src/network/ports.ts'
import { needsRoot } from '../helpers/root.ts'
import { addressIn, openTestRoot, port, wish } from './network-root.ts'

needsRoot(test)

/** Each way in which somebody else drops what is forwarded, and the rule as doctor names it. */
const FOREIGN = {
  'iptables with policy DROP': {
    setup: 'iptables -P FORWARD DROP',
    rule: 'ip filter FORWARD: policy drop',
    place: 'FORWARD',
    list: 'iptables -S FORWARD',
  },
  Docker: {
    setup: `iptables -N DOCKER-USER; iptables -N DOCKER-FORWARD; iptables -P FORWARD DROP
      iptables -A FORWARD -j DOCKER-USER; iptables -A FORWARD -j DOCKER-FORWARD`,
    rule: 'ip filter FORWARD: policy drop',
    place: 'DOCKER-USER',
    list: 'iptables -S DOCKER-USER',
  },
  'a firewall that ends with a rejection, as firewalld does': {
    setup: `nft add table inet firewalld
      nft 'add chain inet firewalld filter_FORWARD { type filter hook forward priority filter + 10; policy accept; }'
      nft add rule inet firewalld filter_FORWARD ct state established accept
      nft add rule inet firewalld filter_FORWARD reject with icmpx admin-prohibited`,
    rule: 'inet firewalld filter_FORWARD: last rule drops',
    place: 'filter_FORWARD',
    list: 'nft list table inet firewalld',
  },
} as const

for (const [name, { setup, rule, place, list }] of Object.entries(FOREIGN)) {
  for (const bridged of [0, 1]) {
    test(`publishing, neighbours and the way out work beside ${name} (bridge-nf-call-iptables=${bridged})`, async () => {
      const { world, namespace, root, close } = await openTestRoot()
      try {
        const outside = await world.namespace()
        namespace.shell(`sysctl -qw net.bridge.bridge-nf-call-iptables=${bridged}
          ip link add up0 type veth peer name eth0 netns ${outside.pid}
          ip addr add 192.0.2.1/24 dev up0; ip link set up0 up
          ${setup}`)
        outside.shell('ip addr add 192.0.2.10/24 dev eth0; ip link set eth0 up')
        const before = namespace.run('sh', '-c', list)
        assert.equal(
          (await forwardBarriers(root)).map(({ rule, open }) => [rule, open]),
          [[rule, false]],
        )

        const lease = await ensureNetwork(root, wish('aaa'))
        const web = await world.container(namespace, lease.bridge, addressIn(lease, 2), lease.gateway)
        const client = await world.container(namespace, lease.bridge, addressIn(lease, 3), lease.gateway)
        for (const each of [web, outside]) await world.serve(each, 'tcp/0.0.0.0/80')
        const bound = (await listenPorts(root, [{ owner: 'web', service: 'web', ports: [port(80, 8080)] }])).get('web')
        const publications = (bound ?? []).slice(0, 1).map((bound) => ({ ...bound, address: addressIn(lease, 2) }))
        await transact(root, 'publish', addPublications(publications))
        assert.is(await world.ask(outside, 'tcp', '192.0.2.1', 8080), '80 192.0.2.10')
        assert.is(await world.ask(client, 'tcp', addressIn(lease, 2), 80), `80 ${addressIn(lease, 3)}`)
        assert.is(await world.ask(client, 'tcp', '192.0.2.10', 80), '80 192.0.2.1')

        const [barrier] = await forwardBarriers(root)
        assert.equal([barrier?.rule, barrier?.open, barrier?.hint], [rule, true, undefined])
        const guarded = namespace.run('sh', '-c', list)
        assert.match(guarded, place)
        await ensureNetwork(root, wish('aaa', { subnet: lease.subnet }))
        assert.is(namespace.run('sh', '-c', list), guarded, 'once is enough')

        await removeNetwork(root, lease)
        assert.is(namespace.run('sh', '-c', list), before, 'nothing stays')
      } finally {
        await close()
      }
    })
  }
}

test('the pair of rules reads as one of iptables', async () => {
  const { namespace, root, close } = await openTestRoot()
  try {
    namespace.run('iptables', '-P', 'FORWARD', 'DROP')
    await ensureNetwork(root, wish('aaa'))
    const lines = namespace.run('iptables', '-S', 'FORWARD').trim().split('\n')
    assert.equal(lines, [
      '-P FORWARD DROP',
      '-A FORWARD -i cs-+ -m comment --comment "caisson forward" -j ACCEPT',
      '-A FORWARD -o cs-+ -m comment --comment "caisson forward" -j ACCEPT',
    ])
  } finally {
    await close()
  }
})

test('a firewall that was reloaded is opened again by the next command', async () => {
  const { namespace, root, close } = await openTestRoot()
  try {
    const lease = await ensureNetwork(root, wish('aaa'))
    namespace.run('iptables', '-P', 'FORWARD', 'DROP')
    assert.is(await verifyNetworks(root, () => ({ networks: [lease], publications: [] })), false)
    assert.is((await forwardBarriers(root))[0]?.open, true)
  } finally {
    await close()
  }
})

test.run()
