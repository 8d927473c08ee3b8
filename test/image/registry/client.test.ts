import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRegistryClient } from '../../../src/image/registry/client.ts'
import type { RegistryClient } from '../../../src/image/registry/types.ts'
import { makeCertificate } from './certificate.ts'
import { digestOf, type FaultyRegistry, type RegistryOptions } from './faulty-registry.ts'
import { begin, codeOf, end, newWorld, optionsOf, serve, type World, writeConfig, writeHelper } from './world.ts'

const test = suite<World>('registry client', newWorld())
test.before.each(begin)
test.after.each(end)

const open = (world: World, environment: Record<string, string> = {}): RegistryClient => {
  const client = createRegistryClient(optionsOf(world, environment))
  world.started.unshift(client)
  return client
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const BYTES = Buffer.from(Array.from({ length: 50_000 }, (_, index) => (index * 7) % 251))
const DOCUMENT = Buffer.from('{"schemaVersion":2}')

const withImage = async (world: World, options: RegistryOptions = {}) => {
  const registry = await serve(world, options)
  const digest = registry.addBlob('team/app', BYTES)
  const manifest = registry.addManifest('team/app', '1', DOCUMENT, MANIFEST)
  return {
    registry,
    repository: { host: registry.host, path: 'team/app' },
    blob: { mediaType: '', digest, size: BYTES.length },
    manifest,
  }
}

const whole = async (chunks: AsyncIterable<Buffer>): Promise<Buffer> => {
  const parts: Buffer[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

const uploadOf = (bytes: Buffer) => ({
  ...{ digest: digestOf(bytes), size: bytes.length, onProgress: () => {} },
  open: async function* (offset: number) {
    for (let at = offset; at < bytes.length; at += 8192) yield bytes.subarray(at, Math.min(at + 8192, bytes.length))
  },
})

const userOf = (registry: FaultyRegistry, pair: string, world: World) => {
  const auths = { auths: { [registry.host]: { auth: Buffer.from(pair).toString('base64') } } }
  return { DOCKER_CONFIG: writeConfig(world, auths) }
}

const repeatedly = <T>(count: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)))

test('a manifest comes with its digest and type, and what is missing is ENOTFOUND', async (world) => {
  const { repository, manifest } = await withImage(world)
  const client = open(world)
  const found = await client.manifest(repository, '1')
  assert.equal([found.digest, found.mediaType, found.size], [manifest, MANIFEST, DOCUMENT.length])
  assert.equal((await client.head(repository, '1'))?.digest, manifest)
  assert.is(await client.head(repository, '2'), undefined)
  assert.is(await codeOf(client.manifest(repository, '2')), 'ENOTFOUND')
})

test('a manifest that is not what its digest says is refused', async (world) => {
  const { registry, repository, manifest } = await withImage(world)
  registry.fail(/manifests/, { kind: 'body', bytes: Buffer.from('{"schemaVersion":3}') }, 2)
  const client = open(world)
  assert.is(await codeOf(client.manifest(repository, manifest)), 'EDIGEST')
  assert.is(await codeOf(client.manifest(repository, '1')), 'EDIGEST')
})

test('a manifest on whose way the connection breaks is asked for again', async (world) => {
  const { registry, repository, manifest } = await withImage(world)
  registry.fail(/GET .*manifests/, { kind: 'cut', after: 5 }, 2)
  assert.is((await open(world).manifest(repository, '1')).digest, manifest)
})

test('a manifest without end is refused', async (world) => {
  const { registry, repository } = await withImage(world)
  registry.fail(/GET .*manifests/, { kind: 'endless' })
  assert.is(await codeOf(open(world).manifest(repository, '1')), 'EREGISTRY')
})

test('a blob comes from where it is asked for, or from its beginning where ranges are not known', async (world) => {
  const { registry, repository, blob } = await withImage(world)
  const client = open(world)
  const rest = await client.blob(repository, blob, 40_000)
  assert.is(rest.offset, 40_000)
  assert.equal(await whole(rest.chunks), BYTES.subarray(40_000))
  registry.fail(/blobs/, { kind: 'ignore-range' })
  const all = await client.blob(repository, blob, 40_000)
  assert.is(all.offset, 0)
  assert.equal(await whole(all.chunks), BYTES)
})

test('a range that was not asked for is not taken for the one that was', async (world) => {
  const { registry, repository, blob } = await withImage(world)
  registry.fail(/blobs/, { kind: 'headers', headers: { 'content-range': `bytes 7-49999/50000` } })
  assert.is(await codeOf(open(world).blob(repository, blob, 40_000)), 'EREGISTRY')
})

test('a blob of which the registry has less than is here is asked for from its beginning', async (world) => {
  const { repository, blob } = await withImage(world)
  const { offset, chunks } = await open(world).blob(repository, blob, 60_000)
  assert.is(offset, 0)
  assert.equal(await whole(chunks), BYTES)
})

for (const after of [1, 4096, 49_999])
  test(`a connection that breaks after ${after} bytes of a blob is ECONNECTION`, async (world) => {
    const { registry, repository, blob } = await withImage(world)
    registry.fail(/blobs/, { kind: 'cut', after }, 9)
    const client = open(world)
    assert.is(await codeOf(client.blob(repository, blob, 0).then(({ chunks }) => whole(chunks))), 'ECONNECTION')
  })

test('a blob that comes in drops comes whole', async (world) => {
  const { registry, repository, blob } = await withImage(world)
  registry.fail(/blobs/, { kind: 'drip', bytes: 5000, everyMs: 5 })
  assert.equal(await whole((await open(world).blob(repository, blob, 0)).chunks), BYTES)
})

test('who is told to come back does, and who is told to come back tomorrow says so', async (world) => {
  const { registry, repository, manifest } = await withImage(world)
  const client = open(world)
  const later = (headers: Record<string, string>) => ({ kind: 'status', status: 429, headers }) as const
  registry.fail(/manifests/, later({ 'retry-after': '0' }), 2)
  assert.is((await client.manifest(repository, '1')).digest, manifest)
  registry.fail(/manifests/, later({ 'retry-after': '86400' }))
  assert.is(await codeOf(client.manifest(repository, '1')), 'ERATELIMIT')
  const before = registry.seen.length
  registry.fail(/manifests/, later({ 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' }))
  assert.is(await codeOf(client.manifest(repository, '1')), 'ERATELIMIT')
  assert.is(registry.seen.length, before + 1)
})

test('a registry that is out of breath is asked again', async (world) => {
  const { registry, repository, manifest } = await withImage(world)
  registry.fail(/manifests/, { kind: 'status', status: 503 }, 2)
  assert.is((await open(world).manifest(repository, '1')).digest, manifest)
})

test('an abort ends the wait before the next attempt', async (world) => {
  const { registry, repository, blob } = await withImage(world)
  registry.fail(/blobs/, { kind: 'status', status: 503, headers: { 'retry-after': '50' } })
  const abort = new AbortController()
  const asked = open(world).blob(repository, blob, 0, abort.signal)
  const timer = setInterval(() => registry.seen.some(({ path }) => path.includes('blobs')) && abort.abort(), 5)
  assert.is(await codeOf(asked), 'EABORTED')
  clearInterval(timer)
})

test('credentials do not follow a redirect to another host, and the blob comes', async (world) => {
  const storage = await serve(world)
  const { registry, repository, blob } = await withImage(world, {
    access: { kind: 'basic', user: 'jo', password: 'secret' },
  })
  storage.addBlob('team/app', BYTES)
  const client = open(world, userOf(registry, 'jo:secret', world))
  await client.manifest(repository, '1')
  registry.fail(/blobs/, { kind: 'redirect', to: storage.origin })
  assert.equal(await whole((await client.blob(repository, blob, 0)).chunks), BYTES)
  assert.ok(registry.seen.at(-1)?.headers.authorization)
  assert.equal(
    storage.seen.map(({ headers }) => headers.authorization),
    [undefined],
  )
})

test('a circle of redirects ends', async (world) => {
  const { registry, repository } = await withImage(world)
  registry.fail(/manifests/, { kind: 'redirect', to: registry.origin }, 99)
  assert.is(await codeOf(open(world).manifest(repository, '1')), 'EREGISTRY')
})

test('a registry without TLS on loopback says that nobody gets in anonymously', async (world) => {
  const { repository } = await withImage(world, { access: { kind: 'basic', user: 'jo', password: 'secret' } })
  assert.is(await codeOf(open(world).manifest(repository, '1')), 'EUNAUTHORISED')
})

test('a wrong password is EUNAUTHORISED, and names the file but not the password', async (world) => {
  const { registry, repository } = await withImage(world, { access: { kind: 'basic', user: 'jo', password: 'secret' } })
  try {
    await open(world, userOf(registry, 'jo:wrongword', world)).manifest(repository, '1')
    assert.unreachable()
  } catch (error) {
    const { code, message, hint = '' } = error as { code: string; message: string; hint?: string }
    assert.is(code, 'EUNAUTHORISED')
    assert.match(message, join(world.home, 'docker', 'config.json'))
    assert.not.match(message + hint, 'wrongword')
  }
})

for (const access of [
  { kind: 'basic', user: 'jo', password: 'secret' },
  { kind: 'token', user: 'jo', password: 'secret' },
] as const)
  test(`many questions at once get in by ${access.kind}`, async (world) => {
    const { registry, repository, blob } = await withImage(world, { access })
    const client = open(world, userOf(registry, 'jo:secret', world))
    const found = await repeatedly(12, () => client.hasBlob(repository, blob.digest))
    assert.equal(new Set(found), new Set([true]))
    if (access.kind === 'token') assert.is(registry.gate.given, 1)
  })

test('tokens that end again and again are replaced each time', async (world) => {
  const { registry, repository, blob } = await withImage(world, { access: { kind: 'token' } })
  const client = open(world)
  for (let round = 1; round <= 4; round++) {
    const found = await repeatedly(4, () => client.blob(repository, blob, 49_990).then(({ chunks }) => whole(chunks)))
    assert.is(found.length, 4)
    assert.is(registry.gate.given, round)
    registry.gate.revoke()
  }
})

test('a token that ends in the middle of a push is replaced, and the push goes on', async (world) => {
  const { registry, repository } = await withImage(world, { access: { kind: 'token' } })
  const client = open(world)
  const bytes = Buffer.alloc(30_000, 'push')
  const upload = uploadOf(bytes)
  const open1 = upload.open
  let opened = 0
  await client.upload(repository, {
    ...upload,
    open: (offset) => {
      if (opened++ === 0) registry.gate.revoke()
      return open1(offset)
    },
  })
  assert.equal(registry.blobs.get(`team/app@${upload.digest}`), bytes)
})

test('a token service elsewhere without TLS gets no credentials of a registry with it', async (world) => {
  const [first, second] = [await serve(world), makeCertificate(world.home, '127.0.0.1')]
  const access = { kind: 'token', user: 'jo', password: 'secret', realm: `${first.origin}/token` } as const
  const { registry, repository } = await withImage(world, { access, tls: second })
  const trust = { NODE_EXTRA_CA_CERTS: second.file, ...userOf(registry, 'jo:secret', world) }
  assert.is(await codeOf(open(world, trust).manifest(repository, '1')), 'EREGISTRY')
  assert.is(first.seen.length, 0)
})

test('that a registry is insecure does not make others so', async (world) => {
  const tls = makeCertificate(world.home, '127.0.0.1')
  const tokens = await serve(world, { access: { kind: 'token' }, tls })
  const access = { kind: 'token', user: 'jo', password: 'secret', realm: `${tokens.origin}/token` } as const
  const { registry, repository } = await withImage(world, { access, tls })
  const environment = { CAISSON_INSECURE_REGISTRIES: registry.host, ...userOf(registry, 'jo:secret', world) }
  assert.is(await codeOf(open(world, environment).manifest(repository, '1')), 'ETLS')
  assert.is(tokens.seen.length, 0)
})

test('a certificate counts when its authority is named, or when the registry may be insecure', async (world) => {
  const tls = makeCertificate(world.home, '127.0.0.1')
  const { registry, repository, manifest } = await withImage(world, { tls })
  assert.is(await codeOf(open(world).manifest(repository, '1')), 'ETLS')
  const certs = join(world.home, 'certs.d')
  mkdirSync(join(certs, registry.host), { recursive: true })
  copyFileSync(tls.file, join(certs, registry.host, 'ca.crt'))
  for (const environment of [
    { NODE_EXTRA_CA_CERTS: tls.file },
    { CAISSON_CA: tls.file },
    { CAISSON_CERTS_D: certs },
    { CAISSON_INSECURE_REGISTRIES: registry.host },
    { CAISSON_INSECURE_REGISTRIES: '127.0.0.0/8' },
  ])
    assert.is((await open(world, environment as Record<string, string>).manifest(repository, '1')).digest, manifest)
})

test('a missing credential helper is a warning, and what is public comes', async (world) => {
  const { repository, manifest } = await withImage(world, { access: { kind: 'token' } })
  const DOCKER_CONFIG = writeConfig(world, { credsStore: 'is-not-there' })
  assert.is((await open(world, { DOCKER_CONFIG }).manifest(repository, '1')).digest, manifest)
  assert.is(world.warnings.length, 1)
})

test('a credential helper is asked for the host, and its answer is used', async (world) => {
  const { registry, repository, manifest } = await withImage(world, {
    access: { kind: 'basic', user: 'jo', password: 'secret' },
  })
  const PATH = writeHelper(world, 'test', `cat > ${world.home}/asked; echo '{"Username":"jo","Secret":"secret"}'`)
  const DOCKER_CONFIG = writeConfig(world, { credHelpers: { [registry.host]: 'test' } })
  const environment = { DOCKER_CONFIG, PATH }
  assert.is((await open(world, environment).manifest(repository, '1')).digest, manifest)
  assert.is(readFileSync(join(world.home, 'asked'), 'utf8').trim(), registry.host)
})

test('a blob is uploaded, found, and mounted elsewhere', async (world) => {
  const { registry, repository } = await withImage(world)
  const client = open(world)
  const upload = uploadOf(Buffer.alloc(100_000, 'x'))
  const sent: number[] = []
  await client.upload(repository, { ...upload, onProgress: (bytes) => sent.push(bytes) })
  assert.is(sent.at(-1), 100_000)
  assert.ok(await client.hasBlob(repository, upload.digest))
  const other = { ...repository, path: 'other' }
  assert.ok(await client.mount(other, upload.digest, 'team/app'))
  assert.ok(registry.blobs.has(`other@${upload.digest}`))
  assert.not.ok(await client.mount(other, digestOf(Buffer.from('nothing')), 'team/app'))
})

test('a mount that is not allowed is an upload that is still to come', async (world) => {
  const { registry, repository, blob } = await withImage(world)
  registry.fail(/POST/, { kind: 'status', status: 403 })
  assert.not.ok(await open(world).mount({ ...repository, path: 'other' }, blob.digest, 'team/app'))
})

for (const after of [1, 10_000, 99_999])
  test(`an upload that breaks after ${after} bytes goes on from there`, async (world) => {
    const { registry, repository } = await withImage(world)
    registry.fail(/PUT .*uploads/, { kind: 'cut-request', after })
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 241))
    const upload = uploadOf(bytes)
    await open(world).upload(repository, upload)
    assert.equal(registry.blobs.get(`team/app@${upload.digest}`), bytes)
  })

test('a registry that takes no large bodies gets chunks, none smaller than it wants', async (world) => {
  const { registry, repository } = await withImage(world, { bodyMaximum: 20 << 20, chunkMinimum: 1 << 20 })
  const bytes = Buffer.alloc(45 << 20, 'chunk')
  const upload = uploadOf(bytes)
  await open(world).upload(repository, upload)
  assert.is(registry.blobs.get(`team/app@${upload.digest}`)?.length, bytes.length)
})

test('a Location without TLS, as of a registry behind a proxy, does not lead credentials there', async (world) => {
  const tls = makeCertificate(world.home, '127.0.0.1')
  const plain = await serve(world)
  const access = { kind: 'basic', user: 'jo', password: 'secret' } as const
  const options = { access, tls, locationOrigin: plain.origin }
  const { registry, repository } = await withImage(world, options)
  const environment = { NODE_EXTRA_CA_CERTS: tls.file, ...userOf(registry, 'jo:secret', world) }
  await codeOf(open(world, environment).upload(repository, uploadOf(Buffer.from('x'))))
  assert.equal(
    plain.seen.filter(({ headers }) => headers.authorization !== undefined),
    [],
  )
})

test('a manifest is put, and has its digest', async (world) => {
  const { registry, repository } = await withImage(world)
  const bytes = Buffer.from('{"schemaVersion":2,"layers":[]}')
  const manifest = { mediaType: MANIFEST, digest: digestOf(bytes), size: bytes.length, bytes }
  assert.is(await open(world).putManifest(repository, '2', manifest), manifest.digest)
  assert.equal(registry.manifests.get('team/app:2')?.bytes, bytes)
})

test('tags come page after page', async (world) => {
  const { registry, repository } = await withImage(world)
  for (const tag of ['2', '3', '4', '5']) registry.addManifest('team/app', tag, DOCUMENT, MANIFEST)
  const client = open(world)
  assert.equal(await client.tags(repository), ['1', '2', '3', '4', '5'])
  registry.fail(/tags/, { kind: 'status', status: 200, body: '<html>' })
  assert.is(await codeOf(client.tags(repository)), 'EREGISTRY')
})

/** No resolver is asked for a name with such a label. */
const UNSPEAKABLE = `${'a'.repeat(64)}.invalid`

test('nobody at the port is ECONNECTION, and a name without address EDNS', async (world) => {
  const { repository, registry } = await withImage(world)
  await registry.close()
  assert.is(await codeOf(open(world).manifest(repository, '1')), 'ECONNECTION')
  assert.is(await codeOf(open(world).manifest({ host: UNSPEAKABLE, path: 'a' }, '1')), 'EDNS')
})

test('what a terminal would obey is not passed on', async (world) => {
  const { registry, repository } = await withImage(world)
  const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'no\u001b[2J\u009b31m\nmore' }] })
  registry.fail(/manifests/, { kind: 'status', status: 403, body })
  try {
    await open(world).manifest(repository, '1')
    assert.unreachable()
  } catch (error) {
    assert.not.match((error as Error).message, /[\u0000-\u001f\u007f-\u009f]|more/)
  }
})

test.run()
