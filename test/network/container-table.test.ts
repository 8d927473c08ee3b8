import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadNative } from '../../src/native/load.ts'
import { containerTable } from '../../src/network/container-table.ts'
import { DNS_PORT } from '../../src/network/resolv.ts'
import { needsRoot } from '../helpers/root.ts'
import { World } from './world.ts'

needsRoot(test)

const NETLINK_NETFILTER = 12

/** Loads the table into a fresh namespace, twice: a restart meets the namespace of the last run. */
const resolverNamespace = async (world: World) => {
  const binding = loadNative()
  const namespace = await world.namespace()
  const fd = binding.openPath(namespace.path)
  const socket = binding.netlinkSocket(fd, NETLINK_NETFILTER)
  for (let run = 0; run < 2; run += 1) await binding.netlinkTalk(socket, containerTable(), 8)
  return namespace
}

test('port 53 of 127.0.0.11 is the port of netd, over UDP and TCP, and a service may bind port 53', async () => {
  const world = new World()
  try {
    const namespace = await resolverNamespace(world)
    await world.serve(namespace, `udp/127.0.0.11/${DNS_PORT}`, `tcp/127.0.0.11/${DNS_PORT}`)
    await world.serve(namespace, 'udp/0.0.0.0/53', 'tcp/0.0.0.0/53')
    assert.is(await world.ask(namespace, 'udp', '127.0.0.11', 53), `${DNS_PORT} 127.0.0.1`)
    assert.is(await world.ask(namespace, 'tcp', '127.0.0.11', 53), `${DNS_PORT} 127.0.0.1`)
    assert.is(await world.ask(namespace, 'udp', '127.0.0.1', 53), '53 127.0.0.1')
    assert.is(await world.ask(namespace, 'tcp', '127.0.0.1', 53), '53 127.0.0.1')
    assert.not.match(namespace.run('cat', '/proc/net/nf_conntrack'), String(DNS_PORT))
  } finally {
    await world.close()
  }
})

test('a firewall with connection tracking in the container does not get in the way', async () => {
  const world = new World()
  try {
    const namespace = await resolverNamespace(world)
    namespace.shell(`iptables -P INPUT DROP; iptables -P OUTPUT DROP
      iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
      iptables -A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
      iptables -A OUTPUT -d 127.0.0.11 -j ACCEPT; iptables -A INPUT -d 127.0.0.11 -j ACCEPT`)
    await world.serve(namespace, `udp/127.0.0.11/${DNS_PORT}`, `tcp/127.0.0.11/${DNS_PORT}`)
    assert.is(await world.ask(namespace, 'udp', '127.0.0.11', 53), `${DNS_PORT} 127.0.0.1`)
    assert.is(await world.ask(namespace, 'tcp', '127.0.0.11', 53), `${DNS_PORT} 127.0.0.1`)
  } finally {
    await world.close()
  }
})

test.run()
