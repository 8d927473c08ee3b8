/** What the client decides without a registry. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseChallenges } from '../../../src/image/registry/challenge.ts'
import { endpointsOf, readHostFiles, routeOf, tlsOf } from '../../../src/image/registry/hosts.ts'
import { retryDelay } from '../../../src/image/registry/retry.ts'
import { createRegistryClient } from '../../../src/image/registry/client.ts'
import { begin, codeOf, end, newWorld, optionsOf, serve, type World } from './world.ts'

const test = suite<World>('registry parts', newWorld())
test.before.each(begin)
test.after.each(end)

test('a challenge has its parameters, quoted or not, and several follow each other', () => {
  const field =
    'Bearer realm="https://a/t?x=1,2",service=reg, scope="repository:a:pull,push" , Basic realm="say \\"hi\\""'
  assert.equal(parseChallenges(field), [
    {
      scheme: 'bearer',
      parameters: { realm: 'https://a/t?x=1,2', service: 'reg', scope: 'repository:a:pull,push' },
    },
    { scheme: 'basic', parameters: { realm: 'say "hi"' } },
  ])
  assert.equal(
    parseChallenges('Negotiate, Basic realm=x').map(({ scheme }) => scheme),
    ['negotiate', 'basic'],
  )
  assert.equal(parseChallenges(''), [])
  assert.equal(parseChallenges('"'), [])
})

test('waits grow, an asked one is kept to, a long one is not waited for, and all ends', () => {
  const failure = { status: 503, retryAfter: undefined, isQuota: false }
  const waits = [1, 2, 3, 4].map((tried) => retryDelay(failure, tried, 0.5, 0) ?? Number.NaN)
  assert.equal(
    waits,
    [...waits].sort((a, b) => a - b),
  )
  assert.is(retryDelay(failure, 5, 0.5, 0), undefined)
  assert.is(retryDelay({ ...failure, retryAfter: '7' }, 1, 0.5, 0), 7000)
  assert.is(retryDelay({ ...failure, retryAfter: 'Thu, 01 Jan 1970 00:00:09 GMT' }, 1, 0.5, 1000), 8000)
  assert.is(retryDelay({ ...failure, retryAfter: '3600' }, 1, 0.5, 0), undefined)
  assert.is(retryDelay({ ...failure, status: 429, isQuota: true }, 1, 0.5, 0), undefined)
  for (const status of [400, 401, 403, 404, 501]) assert.is(retryDelay({ ...failure, status }, 1, 0.5, 0), undefined)
})

const filesWith = (world: World, daemon: string, environment: Record<string, string> = {}) => {
  const path = join(world.home, 'daemon.json')
  writeFileSync(path, daemon)
  return readHostFiles(optionsOf(world, { CAISSON_DAEMON_JSON: path, ...environment }))
}

test('without TLS only loopback and insecure registries are asked, and after with', (world) => {
  const files = filesWith(world, '{"insecure-registries": ["a.example:5000", "10.0.0.0/8", "b.example"]}')
  const schemes = (host: string) => endpointsOf(host, files).map(({ origin }) => origin.split(':')[0])
  for (const host of [
    'localhost:5000',
    '127.0.0.1',
    '127.9.9.9:1',
    '[::1]:5000',
    'a.example:5000',
    '10.1.2.3:5000',
    'b.example:7',
  ])
    assert.equal([host, ...schemes(host)], [host, 'https', 'http'])
  for (const host of ['a.example', 'a.example:5001', 'localhost.example', '127.0.0.1.example', '11.0.0.1'])
    assert.equal([host, ...schemes(host)], [host, 'https'])
})

test('a daemon.json that cannot be read is a warning', (world) => {
  assert.equal(endpointsOf('a.example', filesWith(world, '{"insecure-')).length, 1)
  assert.is(world.warnings.length, 1)
})

test('certificates of a host are for that host, with its port', (world) => {
  const certificates = join(world.home, 'certs.d')
  mkdirSync(join(certificates, 'a.example:5000'), { recursive: true })
  for (const [name, text] of [
    ['ca.crt', 'authority'],
    ['client.cert', 'me'],
    ['client.key', 'mine'],
    ['note.txt', 'x'],
  ] as const)
    writeFileSync(join(certificates, 'a.example:5000', name), text)
  const files = filesWith(world, '{}', { CAISSON_CERTS_D: certificates })
  const { ca, cert, key } = tlsOf('a.example:5000', files)
  assert.equal([ca[0], cert, key], ['authority', 'me', 'mine'])
  assert.equal([tlsOf('a.example', files).cert, tlsOf('a.example', files).ca.includes('authority')], [undefined, false])
})

test('mirrors are Docker Hub’s alone', (world) => {
  const files = filesWith(world, '{"registry-mirrors": ["https://m.example/", "no address"]}')
  assert.equal(
    routeOf({ host: 'registry-1.docker.io', path: 'library/redis' }, files).mirrors.map(({ origin }) => origin),
    ['https://m.example'],
  )
  assert.equal(routeOf({ host: 'a.example', path: 'b' }, files).mirrors, [])
})

/** So that nothing leaves this machine when the mirror is passed over. */
const NOWHERE = 'http://127.0.0.1:1'

test('a mirror answers for Docker Hub, without its credentials', async (world) => {
  const mirror = await serve(world)
  const digest = mirror.addManifest('library/redis', '7', Buffer.from('{}'), 'application/json')
  const path = join(world.home, 'daemon.json')
  writeFileSync(path, JSON.stringify({ 'registry-mirrors': [mirror.origin] }))
  const auths = { 'https://index.docker.io/v1/': { auth: Buffer.from('jo:secret').toString('base64') } }
  mkdirSync(join(world.home, '.docker'))
  writeFileSync(join(world.home, '.docker', 'config.json'), JSON.stringify({ auths }))
  const client = createRegistryClient(optionsOf(world, { CAISSON_DAEMON_JSON: path, HTTPS_PROXY: NOWHERE }))
  world.started.unshift(client)
  const found = await client.manifest({ host: 'registry-1.docker.io', path: 'library/redis' }, '7')
  assert.is(found.digest, digest)
  assert.equal(
    mirror.seen.map(({ headers }) => headers.authorization),
    [undefined],
  )
})

const REGISTRIES = `
unqualified-search-registries = ["docker.io"] # not ours
[[registry]]
prefix = "docker.io"
location = 'hub.example:5000'   # instead
  [[registry.mirror]]
  location = "near.example"
  insecure = true
  [[registry.mirror]]
  location = "far.example/with/path"
[[registry]]
prefix = "docker.io/evil"
blocked = true
[[registry]]
location = "plain.example"
insecure = true
[[registry]]
prefix = "*.wild.example"
blocked = true
[aliases]
"redis" = "docker.io/library/redis"
`

test('registries.conf says where else to ask, whom without TLS, and whom not', (world) => {
  const path = join(world.home, 'registries.conf')
  writeFileSync(path, REGISTRIES)
  const files = filesWith(world, '{}', { CONTAINERS_REGISTRIES_CONF: path })
  const originsOf = (host: string, path: string) => {
    const { mirrors, own, isBlocked } = routeOf({ host, path }, files)
    return isBlocked ? 'blocked' : [...mirrors, ...own].map(({ origin }) => origin)
  }
  const hub = ['https://near.example', 'http://near.example', 'https://hub.example:5000']
  assert.equal(originsOf('registry-1.docker.io', 'library/redis'), hub)
  assert.equal(originsOf('registry-1.docker.io', 'evil/miner'), 'blocked')
  assert.equal(originsOf('registry-1.docker.io', 'evilness/x'), hub)
  assert.equal(originsOf('plain.example', 'a'), ['https://plain.example', 'http://plain.example'])
  assert.equal(originsOf('a.wild.example:5000', 'a'), 'blocked')
  assert.equal(originsOf('other.example', 'a'), ['https://other.example'])
  assert.not.ok(tlsOf('near.example', files).rejectUnauthorized)
  assert.ok(tlsOf('hub.example:5000', files).rejectUnauthorized)
  assert.is(world.warnings.length, 1)
})

test('what is blocked is not asked for', async (world) => {
  const registry = await serve(world)
  const path = join(world.home, 'registries.conf')
  writeFileSync(path, `[[registry]]\nlocation = "${registry.host}"\nblocked = true\n`)
  const client = createRegistryClient(optionsOf(world, { CONTAINERS_REGISTRIES_CONF: path }))
  world.started.unshift(client)
  assert.is(await codeOf(client.manifest({ host: registry.host, path: 'a' }, '1')), 'EBLOCKED')
  assert.equal(registry.seen, [])
})

test.run()
