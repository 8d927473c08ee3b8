import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findCredentials } from '../../../src/image/registry/credentials.ts'
import { registryHost } from '../../../src/image/registry/hosts.ts'
import { HUB } from '../../../src/oci/reference.ts'
import { login, logout } from '../../../src/image/registry/login.ts'
import { begin, codeOf, end, newWorld, optionsOf, serve, type World, writeConfig, writeHelper } from './world.ts'

const test = suite<World>('registry login', newWorld())
test.before.each(begin)
test.after.each(end)

const USER = { user: 'jo', password: 'se:cret' } as const
const encoded = (pair: string): string => Buffer.from(pair).toString('base64')

const withRegistry = async (world: World, kind: 'basic' | 'token' = 'basic') => {
  const { host } = await serve(world, { access: { kind, ...USER } })
  return { host, right: { host, username: 'jo', password: 'se:cret' } }
}

const configOf = ({ home }: World) => JSON.parse(readFileSync(join(home, 'docker', 'config.json'), 'utf8'))

for (const kind of ['basic', 'token'] as const)
  test(`credentials are tried and kept, and found again (${kind})`, async (world) => {
    const { host, right } = await withRegistry(world, kind)
    const options = optionsOf(world)
    const path = await login(options, right)
    assert.is(path, join(world.home, '.docker', 'config.json'))
    assert.is(statSync(path).mode & 0o777, 0o600)
    const found = await findCredentials(host, 'any/thing', options)
    assert.equal([found?.username, found?.password], ['jo', 'se:cret'])
    assert.equal(readdirSync(join(world.home, '.docker')), ['config.json'])
  })

test('wrong credentials are not kept', async (world) => {
  const { right } = await withRegistry(world)
  assert.is(await codeOf(login(optionsOf(world), { ...right, password: 'other' })), 'EUNAUTHORISED')
  assert.is(await codeOf(login(optionsOf(world), { ...right, username: 'a:b' })), 'EUSERNAME')
  assert.equal(readdirSync(world.home), [])
})

test('what else is in the file stays, unknown things too, and so does a link to it', async (world) => {
  const { host, right } = await withRegistry(world)
  const other = { auth: encoded('a:b'), note: [1] }
  const auths = { other, [`https://${host}/v1/`]: { auth: encoded('old:one') } }
  const DOCKER_CONFIG = writeConfig(world, { psFormat: 'x', auths, plugins: { a: 1 } })
  const linked = join(world.home, 'linked')
  mkdirSync(linked)
  symlinkSync(join(DOCKER_CONFIG, 'config.json'), join(linked, 'config.json'))
  await login(optionsOf(world, { DOCKER_CONFIG: linked }), right)
  assert.ok(lstatSync(join(linked, 'config.json')).isSymbolicLink())
  const auth = encoded('jo:se:cret')
  assert.equal(configOf(world), { psFormat: 'x', auths: { other, [host]: { auth } }, plugins: { a: 1 } })
})

test('a file that cannot be read is not overwritten, and its text not shown', async (world) => {
  const { right } = await withRegistry(world)
  const DOCKER_CONFIG = writeConfig(world, {})
  writeFileSync(join(DOCKER_CONFIG, 'config.json'), '{"auths": hidden-word')
  try {
    await login(optionsOf(world, { DOCKER_CONFIG }), right)
    assert.unreachable()
  } catch (error) {
    assert.is((error as { code?: string }).code, 'EAUTHFILE')
    assert.not.match((error as Error).message, 'hidden-word')
  }
  assert.is(readFileSync(join(DOCKER_CONFIG, 'config.json'), 'utf8'), '{"auths": hidden-word')
})

test('a credential helper keeps them where the file names one, and the file has none then', async (world) => {
  const { host, right } = await withRegistry(world)
  const DOCKER_CONFIG = writeConfig(world, { credsStore: 'test' })
  const PATH = writeHelper(world, 'test', `cat > ${world.home}/$1`)
  const options = optionsOf(world, { DOCKER_CONFIG, PATH })
  assert.is(await login(options, right), 'docker-credential-test')
  const given = JSON.parse(readFileSync(join(world.home, 'store'), 'utf8'))
  assert.equal(given, { ServerURL: host, Username: 'jo', Secret: 'se:cret' })
  assert.equal(configOf(world), { credsStore: 'test' })
  await logout(options, host)
  assert.is(readFileSync(join(world.home, 'erase'), 'utf8'), host)
})

test('a helper that is missing or refuses is an error of login', async (world) => {
  const { right } = await withRegistry(world)
  const DOCKER_CONFIG = writeConfig(world, { credsStore: 'test' })
  assert.is(await codeOf(login(optionsOf(world, { DOCKER_CONFIG, PATH: world.home }), right)), 'EHELPER')
  const PATH = writeHelper(world, 'test', 'exit 1')
  assert.is(await codeOf(login(optionsOf(world, { DOCKER_CONFIG, PATH }), right)), 'EHELPER')
})

test('logout forgets the host under all of its names, and says who has it still', async (world) => {
  const auth = encoded('a:b')
  const auths = { 'https://index.docker.io/v1/': { auth }, 'docker.io': { auth }, other: { auth } }
  const DOCKER_CONFIG = writeConfig(world, { auths })
  mkdirSync(join(world.home, '.config', 'containers'), { recursive: true })
  const podman = join(world.home, '.config', 'containers', 'auth.json')
  writeFileSync(podman, JSON.stringify({ auths: { 'docker.io': { auth } } }))
  const options = optionsOf(world, { DOCKER_CONFIG })
  assert.equal(await logout(options, HUB), { isChanged: true, left: podman })
  assert.equal(Object.keys(configOf(world).auths), ['other'])
  assert.is((await logout(options, HUB)).isChanged, false)
})

test('the nearest namespace of podman counts, and one of another name does not', async (world) => {
  const file = join(world.home, 'auth.json')
  const entry = (user: string) => ({ auth: encoded(`${user}:x`) })
  const hub = { 'docker.io': entry('all'), 'docker.io/team': entry('team'), 'docker.io/team/app': entry('app') }
  writeFileSync(file, JSON.stringify({ auths: hub }))
  const options = optionsOf(world, { REGISTRY_AUTH_FILE: file })
  const userFor = async (path: string) => (await findCredentials(HUB, path, options))?.username
  assert.equal(await Promise.all(['team/app', 'team/other', 'teams/app', 'library/redis'].map(userFor)), [
    'app',
    'team',
    'all',
    'all',
  ])
})

test('a helper that fails or talks nonsense is a warning, one that has nothing is none', async (world) => {
  const DOCKER_CONFIG = writeConfig(world, { credsStore: 'test' })
  const warningsOf = async (lines: string) => {
    world.warnings = []
    const options = optionsOf(world, { DOCKER_CONFIG, PATH: writeHelper(world, 'test', lines) })
    assert.is(await findCredentials('registry.example', 'a', options), undefined)
    return world.warnings.length
  }
  assert.is(await warningsOf('echo "credentials not found in native keychain"; exit 1'), 0)
  assert.is(await warningsOf('echo locked; exit 1'), 1)
  assert.is(await warningsOf('echo nonsense'), 1)
})

test('DOCKER_AUTH_CONFIG goes before files, and one that cannot be read is a warning', async (world) => {
  const entry = (user: string) => ({ auths: { 'registry.example': { auth: encoded(`${user}:x`) } } })
  const DOCKER_CONFIG = writeConfig(world, entry('file'))
  const userWith = async (DOCKER_AUTH_CONFIG: string) =>
    (await findCredentials('registry.example', 'a', optionsOf(world, { DOCKER_CONFIG, DOCKER_AUTH_CONFIG })))?.username
  assert.is(await userWith(JSON.stringify(entry('variable'))), 'variable')
  assert.is(await userWith('{'), 'file')
  assert.is(world.warnings.length, 1)
})

test('Docker Hub has many names', () => {
  for (const name of ['', 'docker.io', 'index.docker.io', 'https://index.docker.io/v1/', 'registry-1.docker.io'])
    assert.is(registryHost(name), HUB)
  assert.is(registryHost('https://registry.example:5000/v2/'), 'registry.example:5000')
})

test.run()
