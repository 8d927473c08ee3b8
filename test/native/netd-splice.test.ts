import { closeSync, openSync, readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { netdFilter } from '../../src/linux/netd-filter.ts'
import { loadNative } from '../../src/native/load.ts'
import {
  type ContainerNetwork,
  endpoint,
  ipv4,
  noNetwork,
  openProbe,
  type Probe,
  startNetwork,
} from '../helpers/container-network.ts'
import { needsRoot } from '../helpers/root.ts'

needsRoot(test)

const binding = loadNative()
const own = openSync('/proc/self/ns/net', 'r')
const bridge = 'cs-splice'
const address = ipv4('10.123.6.7')
const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
const ECHO_PORT = 8080

let network: ContainerNetwork
let probe: Probe
let port: number
let refusingPort: number

test.before(async () => {
  const mac = Buffer.from([2, 0xca, 10, 123, 6, 1])
  await binding.bridgeEnsure(own, { name: bridge, address: ipv4('10.123.6.1'), prefixLength: 24, mac, mtu: 0 })
  const loopback = Buffer.alloc(16)
  loopback[15] = 1
  const bound = [1, 2].map(() => binding.listen(own, { protocol: 'tcp', address: loopback, port: 0, mark: 0 }))
  const listener = { protocol: 'tcp', splice: true, containerAddress: address, containerPort: ECHO_PORT } as const
  network = await startNetwork(
    {
      ...noNetwork,
      mode: 'bridge',
      endpoints: [endpoint(bridge, '10.123.6.7')],
      dns: { ...noNetwork.dns, seccomp: netdFilter(machine) },
      listeners: [listener, { ...listener, containerPort: ECHO_PORT + 1 }],
    },
    bound.map(({ fd }) => fd),
  )
  for (const { fd } of bound) closeSync(fd)
  ;[port = 0, refusingPort = 0] = bound.map((item) => item.port)
  probe = openProbe(network.pid)
  await probe.echo(ECHO_PORT)
})
test.after(async () => {
  await probe.close()
  await network.close()
  await binding.linkDelete(own, bridge)
})

const dial = (to = port): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port: to, host: '::1', allowHalfOpen: true })
    socket.on('error', reject)
    socket.on('connect', () => resolve(socket))
  })

/** Everything that comes until the other side has ended. */
const drain = (socket: Socket): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('end', () => resolve(Buffer.concat(chunks)))
    socket.on('error', reject)
  })

test('what is sent to [::1] comes to the IPv4 service, and its answer back', async () => {
  const socket = await dial()
  const received = drain(socket)
  socket.end('hello')
  assert.is((await received).toString(), 'hello')
})

test('a megabyte passes whole, after the client has ended its half', async () => {
  const sent = Buffer.alloc(8 << 20, 'abcdefghijklm')
  const socket = await dial()
  const received = drain(socket)
  socket.end(sent)
  assert.ok((await received).equals(sent))
})

test('a client that does not read keeps no other waiting', async () => {
  const slow = await dial()
  slow.pause()
  slow.write(Buffer.alloc(64 << 20))
  await new Promise((resolve) => setTimeout(resolve, 200))
  for (let i = 0; i < 20; i++) {
    const socket = await dial()
    const received = drain(socket)
    socket.end('quick')
    assert.is((await received).toString(), 'quick')
  }
  slow.destroy()
})

test('a service that does not listen ends the connection', async () => {
  const socket = await dial(refusingPort)
  const error = await drain(socket).catch((error: NodeJS.ErrnoException) => error)
  assert.ok(Buffer.isBuffer(error) ? error.length === 0 : error.code === 'ECONNRESET')
})

const descriptors = (): number => readdirSync(`/proc/${network.netd}/fd`).length

test('connections that stand and rest hold two descriptors each, and give them back', async () => {
  const before = descriptors()
  const sockets = await Promise.all(Array.from({ length: 100 }, () => dial()))
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.is(descriptors() - before, 200)
  await Promise.all(
    sockets.map((socket) => {
      const received = drain(socket)
      socket.end('x')
      return received
    }),
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.ok(descriptors() - before <= 16)
})

test('more connections than netd takes wait for their turn', async () => {
  const sockets = await Promise.all(Array.from({ length: 600 }, () => dial()))
  const answers = sockets.map((socket) => {
    const received = drain(socket)
    socket.end('turn')
    return received
  })
  for (const answer of await Promise.all(answers)) assert.is(answer.toString(), 'turn')
})

test.run()
