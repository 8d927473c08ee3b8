import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRegistryClient } from '../../../src/image/registry/client.ts'
import { isWithin, proxyFor } from '../../../src/image/registry/proxy.ts'
import { makeCertificate } from './certificate.ts'
import { begin, codeOf, end, newWorld, optionsOf, serve, type World } from './world.ts'

const test = suite<World>('registry proxy', newWorld())
test.before.each(begin)
test.after.each(end)

const ENVIRONMENT = { HTTPS_PROXY: 'http://secure:1', http_proxy: 'plain:2' }
const hostOf = (url: string, more: Record<string, string> = {}) =>
  proxyFor(new URL(url), { ...ENVIRONMENT, ...more })?.host

test('each scheme has its proxy, in either case and with or without a scheme of its own', () => {
  assert.is(hostOf('https://registry.example/'), 'secure:1')
  assert.is(hostOf('http://registry.example/'), 'plain:2')
  assert.is(proxyFor(new URL('https://registry.example/'), {}), undefined)
})

test('this machine is asked directly', () => {
  for (const name of ['localhost', '127.0.0.1:5000', '127.1.2.3', '[::1]:5000'])
    assert.is(hostOf(`https://${name}/`), undefined)
  assert.is(hostOf('https://127.example.org/'), 'secure:1')
})

test('NO_PROXY has names, what is below them, ports, addresses and networks', () => {
  const direct = (host: string, list: string) => hostOf(`https://${host}/`, { NO_PROXY: list }) === undefined
  const yes = [
    ['a.example', 'a.example'],
    ['b.a.example', 'a.example'],
    ['b.a.example', 'x, .a.example'],
    ['b.a.example', '*.a.example'],
    ['A.example', 'a.EXAMPLE'],
    ['a.example:5000', 'a.example'],
    ['a.example:5000', 'a.example:5000'],
    ['b.a.example:5000', 'a.example:5000'],
    ['a.example', 'a.example:443'],
    ['10.1.2.3', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3'],
    ['[fd00::1]', 'fd00::/8'],
    ['[fd00::1]', 'fd00::1'],
    ['a.example', '*'],
  ] as const
  const no = [
    ['aa.example', 'a.example'],
    ['a.example', '.a.example'],
    ['a.example', 'a.example:5000'],
    ['b.a.example', 'a.example:5000'],
    ['11.1.2.3', '10.0.0.0/8'],
    ['1.10.1.2', '10.1.2'],
    ['a.example', ''],
  ] as const
  assert.equal(
    yes.filter(([host, list]) => !direct(host, list)),
    [],
  )
  assert.equal(
    no.filter(([host, list]) => direct(host, list)),
    [],
  )
})

test('a network with bits that it cannot have holds nothing', () => {
  for (const network of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/x', 'example/8'])
    assert.not.ok(isWithin('10.0.0.1', network))
})

test('a proxy that speaks no HTTP is an error, and its password is not shown', () => {
  try {
    proxyFor(new URL('https://registry.example/'), { HTTPS_PROXY: 'socks5://jo:hidden-word@a:1' })
    assert.unreachable()
  } catch (error) {
    assert.is((error as { code?: string }).code, 'EPROXY')
    assert.not.match((error as Error).message, 'hidden-word')
  }
})

/** Leads every tunnel to `port`; `asked`: for which, and with what. */
const startProxy = async (world: World, port: number, user?: string) => {
  const asked: { readonly target: string; readonly authorization: string | undefined }[] = []
  const sockets = new Set<Socket>()
  const server = createServer().on('connect', (request: IncomingMessage, socket: Socket) => {
    const authorization = request.headers['proxy-authorization']
    asked.push({ target: request.url ?? '', authorization })
    sockets.add(socket.on('error', () => {}))
    if (user !== undefined && authorization === undefined) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    sockets.add(onward.on('error', () => {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  world.started.push({
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  return { asked, host: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('TLS goes through a tunnel, and what the registry gets, the proxy does not', async (world) => {
  const tls = makeCertificate(world.home, 'registry.test')
  const registry = await serve(world, { tls })
  const digest = registry.addManifest('team/app', '1', Buffer.from('{}'), 'application/json')
  const proxy = await startProxy(world, Number(registry.host.split(':')[1]), 'jo')
  const repository = { host: 'registry.test:5000', path: 'team/app' }
  const ask = async (HTTPS_PROXY: string) => {
    const client = createRegistryClient(optionsOf(world, { HTTPS_PROXY, NODE_EXTRA_CA_CERTS: tls.file }))
    try {
      return (await client.manifest(repository, '1')).digest
    } finally {
      client.close()
    }
  }
  assert.is(await ask(`http://jo:p%40ss@${proxy.host}`), digest)
  const authorization = `Basic ${Buffer.from('jo:p@ss').toString('base64')}`
  assert.equal(proxy.asked, [{ target: 'registry.test:5000', authorization }])
  assert.is(registry.seen[0]?.headers['proxy-authorization'], undefined)
  assert.is(registry.seen[0]?.headers.host, 'registry.test:5000')
  assert.is(await codeOf(ask(`http://${proxy.host}`)), 'EPROXY')
})

test.run()
