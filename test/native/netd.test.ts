import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { netdFilter } from '../../src/linux/netd-filter.ts'
import { containerTable } from '../../src/network/container-table.ts'
import { DNS_PORT } from '../../src/network/resolv.ts'
import {
  type ContainerNetwork,
  ipv4,
  noNetwork,
  openProbe,
  type Probe,
  startNetwork,
} from '../helpers/container-network.ts'
import {
  CODE,
  encodeName,
  framed,
  query,
  type QueryOptions,
  readReply,
  type Reply,
  reply,
  startUpstream,
  TYPE,
} from '../helpers/dns.ts'
import { needsRoot } from '../helpers/root.ts'

needsRoot(test)

const scratch = mkdtempSync(join(tmpdir(), 'caisson-netd-'))
const RESOLVER = '127.0.0.11'
const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
const UPSTREAM_PORT = 5300

/** names/ of a network with these entries, `web/10.0.0.2`. */
const namesOf = (network: string, entries: readonly string[]): string => {
  const path = join(scratch, network, 'names')
  for (const entry of entries) {
    mkdirSync(join(path, entry, '..'), { recursive: true })
    writeFileSync(join(path, entry), '')
  }
  return path
}

const front = namesOf('front', [
  '@10.0.0.2/sample-web-1',
  'web/10.0.0.2',
  'web/10.0.0.3',
  'web/10.0.0.4',
  'sample-web-1/10.0.0.2',
])
const back = namesOf('back', ['@10.0.1.9/sample-db-1', 'db/10.0.1.9', 'web/10.0.1.2'])
mkdirSync(join(front, 'stopped'))
for (let i = 1; i < 200; i++) namesOf('front', [`many/10.9.0.${i}`])

const plan = (dns: Partial<typeof noNetwork.dns> = {}) => ({
  ...noNetwork,
  mode: 'bridge' as const,
  firewall: containerTable(),
  dns: {
    port: DNS_PORT,
    networks: [
      { path: front, name: 'Front', internal: false },
      { path: back, name: 'back', internal: false },
    ],
    aliases: [
      { alias: 'Database', name: 'db' },
      { alias: 'far', name: 'db.back' },
    ],
    forward: true,
    upstreams: ['127.0.0.53', '127.0.0.54'].map((address) => ({ address: ipv4(address), port: UPSTREAM_PORT })),
    seccomp: netdFilter(machine),
    ...dns,
  },
})

let network: ContainerNetwork
let probe: Probe

test.before(async () => {
  network = await startNetwork(plan())
  probe = openProbe(network.pid)
})
test.after(async () => {
  await probe.close()
  await network.close()
  rmSync(scratch, { recursive: true })
})

const ask = async (name: string, options?: QueryOptions): Promise<Reply> =>
  readReply(await probe.udp(RESOLVER, 53, query(name, options), 6000))
const askStream = async (name: string, options?: QueryOptions): Promise<Reply> => {
  const message = query(name, options)
  const bytes = await probe.tcp(RESOLVER, 53, [framed(message)], 0, 300)
  return readReply(bytes?.subarray(2))
}

test('a service has the addresses of all its replicas', async () => {
  const { code, answers, ttls, id, question } = await ask('web')
  assert.is(code, CODE.success)
  assert.is(id, 0x1234)
  assert.is(question, 'web')
  assert.equal([...answers].sort(), ['10.0.0.2', '10.0.0.3', '10.0.0.4'])
  assert.ok(ttls.every((ttl) => ttl <= 10))
})

test('replicas take turns at the first place', async () => {
  const first = new Set<string | undefined>()
  for (let i = 0; i < 60; i++) first.add((await ask('web')).answers[0])
  assert.is(first.size, 3)
})

test('case and a final dot do not matter, and the question comes back as it was', async () => {
  const { answers, question } = await ask('SAMPLE-Web-1.')
  assert.equal(answers, ['10.0.0.2'])
  assert.is(question, 'SAMPLE-Web-1')
})

test('a name may be followed by its network', async () => {
  assert.equal((await ask('web.back')).answers, ['10.0.1.2'])
  assert.is((await ask('web.front')).answers.length, 3)
  assert.equal((await ask('db.back')).answers, ['10.0.1.9'])
})

test('an alias is a name of one container for a name of its networks, before those', async () => {
  assert.equal((await ask('database')).answers, ['10.0.1.9'])
  assert.equal((await ask('DATABASE.')).answers, ['10.0.1.9'])
})

test('a name appears and goes at once', async () => {
  namesOf('front', ['fresh/10.0.0.9'])
  assert.equal((await ask('fresh')).answers, ['10.0.0.9'])
  rmSync(join(front, 'fresh'), { recursive: true })
  const upstream = await startUpstream('127.0.0.53', UPSTREAM_PORT, (asked) => [reply(asked, { code: CODE.noName })])
  assert.is((await ask('fresh')).code, CODE.noName)
  await upstream.close()
})

test('other types of a known name are an empty answer, not a missing name', async () => {
  for (const type of [TYPE.aaaa, TYPE.mx, TYPE.txt, TYPE.soa]) {
    const { code, answers } = await ask('web', { type })
    assert.equal({ code, answers }, { code: CODE.success, answers: [] })
  }
  assert.is((await ask('web', { type: TYPE.any })).answers.length, 3)
})

test('an alias stands for another name, also one with its network', async () => {
  assert.equal((await ask('Database')).answers, ['10.0.1.9'])
  assert.equal((await ask('far')).answers, ['10.0.1.9'])
})

test('an address has the name of its container, and the way back is no name', async () => {
  const { answers } = await ask('9.1.0.10.in-addr.arpa', { type: TYPE.ptr })
  assert.equal(answers, ['sample-db-1.back'])
  assert.equal((await ask('2.0.0.10.in-addr.arpa', { type: TYPE.ptr })).answers, ['sample-web-1.front'])
  assert.is((await ask('@10.0.0.2')).answers.length, 0)
})

test('more answers than fit say so, and come whole over TCP or with EDNS', async () => {
  const short = await ask('many')
  assert.ok(short.truncated)
  assert.ok(short.answers.length > 20 && short.answers.length < 40)
  const large = await ask('many', { udpBytes: 4096 })
  assert.is(large.answers.length, 199)
  assert.ok(large.edns)
  assert.is((await askStream('many')).answers.length, 199)
})

test('names that are paths are not looked up', async () => {
  const upstream = await startUpstream('127.0.0.53', UPSTREAM_PORT, (asked) => [reply(asked, { code: CODE.noName })])
  for (const name of ['../back/names/db', '/etc', 'web/10']) assert.is((await ask(name)).code, CODE.noName)
  const dots = Buffer.concat([
    query('x').subarray(0, 12),
    Buffer.from([2]),
    Buffer.from('..'),
    Buffer.from([0, 0, 1, 0, 1]),
  ])
  assert.is(readReply(await probe.udp(RESOLVER, 53, dots)).code, CODE.noName)
  await upstream.close()
})

test('an unknown name is asked upstream, each time from another port and with another id', async () => {
  const upstream = await startUpstream('127.0.0.53', UPSTREAM_PORT, (asked) => [
    reply(asked, { addresses: ['192.0.2.1'] }),
  ])
  for (let i = 0; i < 20; i++) {
    const { answers, id } = await ask('example.test')
    assert.equal(answers, ['192.0.2.1'])
    assert.is(id, 0x1234)
  }
  assert.ok(new Set(upstream.asked.map(({ port }) => port)).size > 15)
  assert.ok(new Set(upstream.asked.map(({ id }) => id)).size > 15)
  await upstream.close()
})

test('answers with another id or question are passed over', async () => {
  const upstream = await startUpstream('127.0.0.53', UPSTREAM_PORT, (asked) => {
    const wrong = reply(asked, { addresses: ['192.0.2.66'] })
    wrong.writeUInt16BE((asked.readUInt16BE(0) + 1) & 0xffff, 0)
    const other = query('other.test', { id: asked.readUInt16BE(0) })
    return [wrong, reply(other, { addresses: ['192.0.2.67'] }), asked, reply(asked, { addresses: ['192.0.2.1'] })]
  })
  assert.equal((await ask('example.test')).answers, ['192.0.2.1'])
  await upstream.close()
})

test('a name that does not exist upstream does not exist', async () => {
  const upstream = await startUpstream('127.0.0.53', UPSTREAM_PORT, (asked) => [reply(asked, { code: CODE.noName })])
  assert.is((await ask('example.test')).code, CODE.noName)
  await upstream.close()
})

test('a service without a running replica does not exist, and nobody else is asked', async () => {
  const upstream = await startUpstream('127.0.0.53', UPSTREAM_PORT, (asked) => [
    reply(asked, { addresses: ['192.0.2.1'] }),
  ])
  assert.is((await ask('stopped')).code, CODE.noName)
  assert.equal(upstream.asked, [])
  await upstream.close()
})

test('the second upstream is asked when the first fails, refuses or is silent', async () => {
  const second = await startUpstream('127.0.0.54', UPSTREAM_PORT, (asked) => [
    reply(asked, { addresses: ['192.0.2.2'] }),
  ])
  assert.equal((await ask('nobody-listens.test')).answers, ['192.0.2.2'])
  for (const behaviour of [
    (asked: Buffer) => [reply(asked, { code: CODE.failure })],
    (asked: Buffer) => [reply(asked, { code: CODE.refused })],
    () => [],
  ]) {
    const first = await startUpstream('127.0.0.53', UPSTREAM_PORT, behaviour)
    assert.equal((await ask('example.test')).answers, ['192.0.2.2'])
    await first.close()
  }
  await second.close()
})

test('when no upstream knows, the last failure is the answer', async () => {
  assert.is((await ask('example.test')).code, CODE.failure)
})

test('a truncated answer is fetched over TCP, for a client that has room for it', async () => {
  const addresses = Array.from({ length: 100 }, (_, index) => `192.0.2.${index}`)
  const upstream = await startUpstream('127.0.0.53', UPSTREAM_PORT, (asked, stream) => [
    stream ? reply(asked, { addresses }) : reply(asked, { truncated: true }),
  ])
  assert.is((await ask('example.test', { udpBytes: 4096 })).answers.length, 100)
  const short = await ask('example.test')
  assert.ok(short.truncated)
  assert.equal(short.answers, [])
  assert.is((await askStream('example.test')).answers.length, 100)
  await upstream.close()
})

test('A and AAAA asked at once from one port are both answered', async () => {
  const both = [framed(query('web', { id: 1 })), framed(query('web', { id: 2, type: TYPE.aaaa }))]
  const bytes = await probe.tcp(RESOLVER, 53, [Buffer.concat(both)], 0, 300)
  if (bytes === undefined) throw new Error('refused')
  const length = bytes.readUInt16BE(0)
  assert.is(readReply(bytes.subarray(2, 2 + length)).id, 1)
  assert.is(readReply(bytes.subarray(4 + length)).id, 2)
})

test('a query that comes byte by byte is answered', async () => {
  const bytes = [...framed(query('db'))].map((byte) => Buffer.from([byte]))
  const answer = await probe.tcp(RESOLVER, 53, bytes, 0, 1000)
  assert.equal(readReply(answer?.subarray(2)).answers, ['10.0.1.9'])
})

test('two hundred idle TCP clients keep nobody from an answer (CVE-2024-8418)', async () => {
  assert.is(await probe.idle(RESOLVER, 53, 200), 200)
  assert.equal((await ask('db')).answers, ['10.0.1.9'])
  assert.equal((await askStream('db')).answers, ['10.0.1.9'])
  await probe.idle(RESOLVER, 53, 200)
  assert.equal((await askStream('db')).answers, ['10.0.1.9'])
})

test('a length that no query has ends the connection', async () => {
  for (const start of ['0000', '0001ff', 'ffff']) {
    assert.equal(await probe.tcp(RESOLVER, 53, [Buffer.from(start, 'hex')], 0, 500), Buffer.alloc(0))
  }
  assert.equal((await askStream('db')).answers, ['10.0.1.9'])
})

test('malformed messages are refused or dropped, and the next query is answered', async () => {
  const header = query('x').subarray(0, 12)
  const loop = Buffer.concat([header, Buffer.from([0xc0, 12, 0, 1, 0, 1])])
  assert.is(
    readReply(Buffer.concat([(await probe.udp(RESOLVER, 53, loop)) ?? Buffer.alloc(0), Buffer.alloc(5)])).code,
    CODE.format,
  )
  for (const dropped of [Buffer.from([1]), header.subarray(0, 11), reply(query('web'), {})]) {
    assert.is(await probe.udp(RESOLVER, 53, dropped, 100), undefined)
  }
  const notify = query('web')
  notify.writeUInt8(0x20, 2)
  assert.is((await probe.udp(RESOLVER, 53, notify))?.readUInt8(3), 0x80 | CODE.notImplemented)
  const chaos = query('version.bind', { type: TYPE.txt })
  chaos.writeUInt16BE(3, chaos.length - 2)
  assert.is(readReply(await probe.udp(RESOLVER, 53, chaos)).code, CODE.refused)
  assert.ok(encodeName('x').length === 3)
  assert.equal((await ask('db')).answers, ['10.0.1.9'])
})

test('a service may bind port 53 itself', async () => {
  await probe.echo(53)
  assert.equal(await probe.tcp('127.0.0.1', 53, [Buffer.from('hello')], 5), Buffer.from('hello'))
  assert.equal((await askStream('db')).answers, ['10.0.1.9'])
})

test('netd holds no privilege and sees nothing but the names', async () => {
  const status = readFileSync(`/proc/${network.netd}/status`, 'utf8')
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
    assert.match(status, new RegExp(`${set}:\t0+\n`))
  assert.match(status, /Uid:\t65534\t65534\t65534\t65534\n/)
  assert.match(status, /Groups:\t \n/)
  assert.match(status, /NoNewPrivs:\t1\n/)
  assert.match(status, /Seccomp:\t2\n/)
  assert.is(readFileSync(`/proc/${network.netd}/environ`, 'utf8'), '')
  assert.equal(readdirSync(`/proc/${network.netd}/root/`).sort(), readdirSync(front).sort())
  assert.equal(readdirSync(`/proc/${network.netd}/root/..`).sort(), readdirSync(front).sort())
  const descriptors = readdirSync(`/proc/${network.netd}/fd`).map((fd) =>
    readlinkSync(`/proc/${network.netd}/fd/${fd}`),
  )
  assert.equal(
    descriptors.filter((path) => /monitor|network-test|plan|memfd/.test(path)),
    [],
  )
})

test('what is beyond 1,024 queries in flight is refused at once, and the rest fails in its time', async () => {
  const silent = await startUpstream('127.0.0.53', UPSTREAM_PORT, () => [])
  const codes = await probe.flood(RESOLVER, 53, query('example.test'), 1500)
  await silent.close() // also where the rest fails: whoever comes next needs its port
  assert.is((codes[CODE.refused] ?? 0) + (codes[CODE.failure] ?? 0), 1500)
  assert.ok((codes[CODE.refused] ?? 0) >= 1500 - 1024)
  assert.equal((await ask('db')).answers, ['10.0.1.9'])
})

test('a netd that is killed is started again, and a query waits for it', async () => {
  process.kill(network.netd, 'SIGKILL')
  assert.equal((await ask('db')).answers, ['10.0.1.9'])
  assert.match((await network.line()) ?? '', /^respawned \d+ 9$/)
})

test('netd ends with the process that started it', async () => {
  const other = await startNetwork(plan())
  process.kill(other.pid, 'SIGKILL')
  await other.close()
  for (let i = 0; i < 100; i++) {
    try {
      process.kill(other.netd, 0)
    } catch {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.unreachable('netd is still there')
})

test('nothing of an internal network leaves it (CVE-2024-29018)', async () => {
  const upstream = await startUpstream('127.0.0.53', UPSTREAM_PORT, (asked) => [
    reply(asked, { addresses: ['192.0.2.1'] }),
  ])
  const inner = await startNetwork(plan({ forward: false, networks: [{ path: back, name: 'back', internal: true }] }))
  const there = openProbe(inner.pid)
  assert.is(readReply(await there.udp(RESOLVER, 53, query('secret.example.test'))).code, CODE.noName)
  assert.is(readReply(await there.udp(RESOLVER, 53, query('web.front'))).code, CODE.noName)
  assert.equal(readReply(await there.udp(RESOLVER, 53, query('db'))).answers, ['10.0.1.9'])
  assert.equal(upstream.asked, [])
  await there.close()
  await inner.close()
  await upstream.close()
})

test.run()
