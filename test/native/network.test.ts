import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readMessages } from '../../src/linux/netlink.ts'
import { appendRule, deleteTable, encodeBatch, FAMILY, type TableMessage } from '../../src/linux/nf-tables.ts'
import { loadNative } from '../../src/native/load.ts'
import { baseTable, TABLE } from '../../src/network/table.ts'
import { endpoint, ipv4, noNetwork, openProbe, startNetwork } from '../helpers/container-network.ts'
import { needsRoot } from '../helpers/root.ts'

needsRoot(test)

const binding = loadNative()
const own = openSync('/proc/self/ns/net', 'r')
const scratch = mkdtempSync(join(tmpdir(), 'caisson-network-'))
const bridge = 'cs-test0'
const NETLINK_NETFILTER = 12
const gateway = {
  name: bridge,
  address: ipv4('10.123.4.1'),
  prefixLength: 24,
  mac: Buffer.from([0x02, 0xca, 10, 123, 4, 1]),
  mtu: 1400,
}

test.before(() => binding.bridgeEnsure(own, gateway))
test.after(async () => {
  await binding.linkDelete(own, bridge)
  rmSync(scratch, { recursive: true })
})

test('a bridge is made once, and made again without a change', async () => {
  await binding.bridgeEnsure(own, gateway)
  assert.ok(binding.links(own).includes(bridge))
  const link = execFileSync('ip', ['-d', 'link', 'show', bridge], { encoding: 'utf8' })
  assert.match(link, /mtu 1400 /)
  assert.match(link, /02:ca:0a:7b:04:01/)
  assert.match(link, /stp_state 0 /)
})

test('a link that is not there is deleted', async () => {
  await binding.linkDelete(own, 'cs-none')
})

test('routes name destination, length and interface', () => {
  const found = binding.routes(own).filter(([, , name]) => name === bridge)
  assert.ok(found.some(([address, length]) => Buffer.from(address).equals(ipv4('10.123.4.0')) && length === 24))
})

test('sysctls are those of the namespace, and a missing one is undefined', () => {
  assert.is(binding.readNetworkSysctl(own, 'net/ipv4/conf/no-such-link/forwarding'), undefined)
  binding.networkSysctl(own, `net/ipv4/conf/${bridge}/forwarding`, '1')
  assert.is(binding.readNetworkSysctl(own, `net/ipv4/conf/${bridge}/forwarding`), '1\n')
})

test('a container of mode none has loopback and nothing else', async () => {
  const network = await startNetwork(noNetwork)
  const probe = openProbe(network.pid)
  assert.match(await probe.shell('ip -br link'), /^lo\s+UNKNOWN\s[^\n]*\n$/)
  await probe.close()
  await network.close()
})

test('an endpoint has its name, MAC, address, default route and MTU, and reaches the gateway', async () => {
  const network = await startNetwork({
    ...noNetwork,
    mode: 'bridge',
    endpoints: [{ ...endpoint(bridge, '10.123.4.7'), mtu: 1400 }],
  })
  const probe = openProbe(network.pid)
  assert.match(await probe.shell('ip -br link show eth0'), /^eth0@\w+\s+UP\s+02:ca:0a:7b:04:07 /)
  assert.match(await probe.shell('cat /sys/class/net/eth0/mtu'), /^1400$/m)
  assert.match(await probe.shell('ip -4 -br addr show eth0'), /10\.123\.4\.7\/24/)
  assert.match(await probe.shell('ip route'), /^default via 10\.123\.4\.1 dev eth0/m)
  assert.match(await probe.shell('ping -c1 -W1 10.123.4.1 2>&1 || true'), /1 received|not found/)
  await probe.close()
  await network.close()
})

test('two networks give eth0 and eth1, in order, with one default route', async () => {
  await binding.bridgeEnsure(own, { ...gateway, name: 'cs-test1', address: ipv4('10.123.5.1') })
  const second = { ...endpoint('cs-test1', '10.123.5.7', 'eth1'), gateway: Buffer.alloc(0) }
  const network = await startNetwork({
    ...noNetwork,
    mode: 'bridge',
    endpoints: [endpoint(bridge, '10.123.4.7'), second],
  })
  const probe = openProbe(network.pid)
  assert.is((await probe.shell('ip route')).match(/^default/gm)?.length, 1)
  assert.match(await probe.shell('ip -br addr show eth1'), /10\.123\.5\.7\/24/)
  await probe.close()
  await network.close()
  await binding.linkDelete(own, 'cs-test1')
})

test('settings for all interfaces stand before the first, and those of one after it', async () => {
  const settings = [
    { path: 'net/ipv6/conf/all/disable_ipv6', value: '1' },
    { path: 'net/ipv6/conf/default/disable_ipv6', value: '1' },
    { path: 'net/ipv4/conf/eth0/arp_notify', value: '1' },
  ]
  const network = await startNetwork({
    ...noNetwork,
    mode: 'bridge',
    settings,
    endpoints: [endpoint(bridge, '10.123.4.7')],
  })
  const probe = openProbe(network.pid)
  assert.is(await probe.shell('ip -6 addr show'), '')
  assert.is(await probe.shell('cat /proc/sys/net/ipv4/conf/eth0/arp_notify'), '1\n')
  await probe.close()
  await network.close()
})

test('names are files that others may read', async () => {
  const name = join(scratch, 'networks/n/names/web/10.123.4.7')
  const network = await startNetwork({
    ...noNetwork,
    mode: 'bridge',
    names: [name],
    endpoints: [endpoint(bridge, '10.123.4.7')],
  })
  assert.ok(existsSync(name))
  await network.close()
})

const failureOf = async (run: Promise<unknown>): Promise<string> => {
  try {
    await run
  } catch (error) {
    return (error as Error).message
  }
  return 'no failure'
}

test('a missing bridge is named', async () => {
  const text = await failureOf(
    startNetwork({ ...noNetwork, mode: 'bridge', endpoints: [endpoint('cs-none', '10.9.9.9')] }),
  )
  assert.is(text, 'failure network 0 ioctl 19 cs-none')
})

test('an nf_tables batch that the kernel refuses is a failure', async () => {
  const rule = appendRule({ family: FAMILY.ip, table: 'none', chain: 'none', expressions: [], comment: '' })
  const text = await failureOf(startNetwork({ ...noNetwork, mode: 'bridge', firewall: encodeBatch([rule]) }))
  assert.match(text, /^failure network 0 sendmsg 2 nf_tables/)
})

test('what an nf_tables batch would delete may be gone already', async () => {
  const batch = encodeBatch([deleteTable({ family: FAMILY.ip, table: 'none' })])
  const network = await startNetwork({ ...noNetwork, mode: 'bridge', hostFirewall: batch })
  await network.close()
})

const conntrackEntries = async (address: string): Promise<number> => {
  const socket = binding.netlinkSocket(own, NETLINK_NETFILTER)
  const dump = Buffer.from('1400000001010103010000000000000002000000', 'hex') // IPCTNL_MSG_CT_GET, AF_INET
  const replies = await binding.netlinkTalk(socket, dump, 1)
  closeSync(socket)
  return [...readMessages(replies)].filter(({ type, body }) => type === 0x100 && body.includes(ipv4(address))).length
}

const nfTables = async (messages: readonly TableMessage[]): Promise<void> => {
  const socket = binding.netlinkSocket(own, NETLINK_NETFILTER)
  await binding.netlinkTalk(socket, encodeBatch(messages), messages.length)
  closeSync(socket)
}

test('connection tracking forgets the last owner of an address', async () => {
  await nfTables(baseTable())
  const plan = { ...noNetwork, mode: 'bridge' as const, endpoints: [endpoint(bridge, '10.123.4.7')] }
  const network = await startNetwork(plan)
  const probe = openProbe(network.pid)
  for (const port of [5001, 5002]) await probe.udp('10.123.4.1', port, Buffer.from('x'), 20)
  await probe.close()
  await network.close()
  assert.is(await conntrackEntries('10.123.4.7'), 2)
  const other = await startNetwork({
    ...plan,
    endpoints: [endpoint(bridge, '10.123.4.8')],
    conntrackAddress: ipv4('10.123.4.8'),
  })
  assert.is(await conntrackEntries('10.123.4.7'), 2)
  await other.close()
  const next = await startNetwork({
    ...plan,
    endpoints: [endpoint(bridge, '10.123.4.7')],
    conntrackAddress: ipv4('10.123.4.7'),
  })
  assert.is(await conntrackEntries('10.123.4.7'), 0)
  await next.close()
  await nfTables([deleteTable(TABLE)])
})

test('sockets that a run has left are destroyed, TIME_WAIT too', async () => {
  const network = await startNetwork({ ...noNetwork, mode: 'bridge', endpoints: [endpoint(bridge, '10.123.4.7')] })
  const probe = openProbe(network.pid)
  await probe.echo(8080)
  await probe.tcp('127.0.0.1', 8080, [Buffer.from('x')], 1)
  await probe.close()
  const sockets = async (): Promise<number> => {
    const again = openProbe(network.pid)
    const text = await again.shell('cat /proc/net/tcp')
    await again.close()
    return text.trim().split('\n').length - 1
  }
  assert.ok((await sockets()) > 0)
  network.command('destroy')
  assert.is(await network.line(), 'destroyed')
  assert.is(await sockets(), 0)
  await network.close()
})

test('a listener is bound in the namespace, and a taken port says so', () => {
  const options = { protocol: 'tcp', address: ipv4('127.0.0.1'), port: 0, mark: 0xca15500 } as const
  const first = binding.listen(own, options)
  assert.ok(first.port > 0)
  assert.throws(
    () => binding.listen(own, { ...options, port: first.port }),
    (error: NodeJS.ErrnoException) => error.code === 'EADDRINUSE' && error.path === `127.0.0.1:${first.port}`,
  )
})

test.run()
