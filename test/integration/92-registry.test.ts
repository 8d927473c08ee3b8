/** The registry of the distribution project, as Debian has it, is a judge of its own: it takes what we push, and we what it serves. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot, skipFile } from '../helpers/root.ts'
import { makeCertificate } from '../image/registry/certificate.ts'
import { startFront } from '../image/registry/front.ts'
import { ISSUER, SERVICE, startTokenService } from '../image/registry/token-service.ts'
import { caissonBeside, cleanUp, eventually, type Outcome } from './scenario.ts'

needsRoot(test)
if (spawnSync('docker-registry', ['--version']).error !== undefined) skipFile('needs docker-registry (Debian)')
test.after(cleanUp)

const scratch = mkdtempSync(join(tmpdir(), 'caisson-registry-'))
const running: ChildProcess[] = []
test.after(async () => {
  for (const child of running) child.kill('SIGKILL')
  await eventually(() => running.every(({ signalCode, exitCode }) => (signalCode ?? exitCode) !== null), 'their ends')
  rmSync(scratch, { recursive: true, force: true })
})

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('close', () => socket.destroy()).once('connect', () => socket.end())
  })

const START_MS = 20_000

/** Its host. `further`: lines of its configuration. */
const startRegistry = async (name: string, http = '', further = ''): Promise<string> => {
  const port = await freePort()
  const directory = join(scratch, name)
  mkdirSync(directory)
  const storage = `storage: {filesystem: {rootdirectory: ${directory}/data}, delete: {enabled: true}}`
  const config = `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n${storage}\nhttp:\n  addr: 127.0.0.1:${port}\n${http}${further}`
  writeFileSync(join(directory, 'config.yml'), config)
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], { stdio: 'ignore' })
  running.push(child)
  const end = Date.now() + START_MS
  while (!(await answers(port))) {
    if (Date.now() > end || child.exitCode !== null) throw new Error(`docker-registry ${name} does not answer`)
    await setTimeout(20)
  }
  return `127.0.0.1:${port}`
}

const HOME = join(scratch, 'home')
mkdirSync(HOME)
const run = (words: string, environment: Record<string, string> = {}, input = ''): Promise<Outcome> =>
  caissonBeside(words.split(' '), { env: { HOME, ...environment }, input })

const good = async (words: string, environment: Record<string, string> = {}, input = ''): Promise<string> => {
  const { status, stdout, stderr } = await run(words, environment, input)
  if (status !== 0) throw new Error(`caisson ${words}: exit ${status}\n${stdout}${stderr}`)
  return stdout
}

/** An image of random bytes, so that its layer is like no other. */
const importImage = async (reference: string): Promise<string> => {
  const root = mkdtempSync(join(scratch, 'root-'))
  spawnSync('dd', ['if=/dev/urandom', `of=${root}/data`, 'bs=1M', 'count=6'])
  const made = spawnSync('tar', ['-cf', `${root}.tar`, '-C', root, '.'])
  assert.is(made.status, 0)
  return (await good(`image import ${root}.tar ${reference}`)).trim()
}

const idOf = async (reference: string): Promise<string> => (await good(`image inspect -f {{.Id}} ${reference}`)).trim()

test('an image goes to a registry and comes back the same, under another name there too', async () => {
  const host = await startRegistry('plain')
  const [name, other] = [`${host}/shop/base:1`, `${host}/shop/other:1`]
  const id = await importImage(name)
  await good(`image push ${name}`)
  await good(`image tag ${name} ${other}`)
  await good(`image push ${other}`)
  for (const each of [name, other]) await good(`image rm ${each}`)
  assert.is.not((await run(`image inspect ${name}`)).status, 0)
  for (const each of [name, other]) {
    await good(`image pull ${each}`)
    assert.is(await idOf(each), id)
  }
  assert.is(await good(`registry search --format {{.Name}} ${host}/shop`), `${host}/shop/base\n${host}/shop/other\n`)
})

test('a registry without the image, or nobody at all, is an error that says so', async () => {
  const host = await startRegistry('empty')
  const { status, stderr } = await run(`image pull ${host}/nothing:1`)
  assert.is(status, 1)
  assert.match(stderr, 'MANIFEST_UNKNOWN')
  assert.is((await run(`image pull 127.0.0.1:1/nothing:1`)).status, 1)
})

// Of the password `secret`, as bcrypt has it: the registry takes no other.
const HTPASSWD = 'jo:$2y$05$zBqMEa.gCfMGlGVzOvly3u3GSpk3Yca6Wi/0aOQGZf66npYyyrOS6\n'

test('with TLS and a password, nobody gets in without authority and login, and everything goes with them', async () => {
  const { file, keyFile } = makeCertificate(scratch, '127.0.0.1')
  writeFileSync(join(scratch, 'htpasswd'), HTPASSWD)
  const access = `auth: {htpasswd: {realm: test, path: ${scratch}/htpasswd}}\n`
  const host = await startRegistry('closed', `  tls: {certificate: ${file}, key: ${keyFile}}\n`, access)
  const name = `${host}/shop/closed:1`
  const trust = { NODE_EXTRA_CA_CERTS: file }
  const id = await importImage(name)
  assert.match((await run(`image push ${name}`)).stderr, 'certificate')
  assert.match((await run(`image push ${name}`, trust)).stderr, `registry login ${host}`)
  assert.is((await run(`registry login -u jo --password-stdin ${host}`, trust, 'other')).status, 1)
  await good(`registry login -u jo --password-stdin ${host}`, trust, 'secret\n')
  await good(`image push ${name}`, trust)
  await good(`image rm ${name}`)
  await good(`image pull ${name}`, trust)
  assert.is(await idOf(name), id)
  await good(`registry logout ${host}`, trust)
  await good(`image rm ${name}`)
  assert.is((await run(`image pull ${name}`, trust)).status, 1)
})

/** Tokens end for the registry after so long, which it takes a request from the one that asks for it to come. */
const SHORT_MS = 4000

test('with tokens of a service everybody does what they may, and a token that ends in between is followed by another', async () => {
  const directory = mkdtempSync(join(scratch, 'tokens-'))
  const { file, cert, key } = makeCertificate(directory, '127.0.0.1', 'rsa')
  const users = {
    jo: { password: 'secret', may: ['pull', 'push'] },
    reader: { password: 'secret', may: ['pull'] },
  }
  const service = await startTokenService({ cert, key, users })
  const token = `{realm: "${service.realm}", service: ${SERVICE}, issuer: ${ISSUER}, rootcertbundle: ${file}}`
  const front = await startFront(await startRegistry('tokens', '', `auth: {token: ${token}}\n`))
  const name = `${front.host}/shop/web:1`
  const ended = () => eventually(() => Date.now() > service.endsAt + 1000, 'the end of the token', 2 * SHORT_MS)
  try {
    const id = await importImage(name)
    const login = (user: string, password = 'secret') =>
      run(`registry login -u ${user} --password-stdin ${front.host}`, {}, password)
    assert.is((await run(`image push ${name}`)).status, 1)
    assert.is((await login('jo', 'other')).status, 1)
    assert.is((await login('reader')).status, 0)
    const refused = await run(`image push ${name}`)
    assert.is(refused.status, 1)
    assert.match(refused.stderr, 'asked as reader')
    assert.is((await login('jo')).status, 0)

    service.lifeMs = SHORT_MS
    front.hold(/^(?:PATCH|PUT) .*\/blobs\/uploads\//, ended)
    const before = service.given.length
    await good(`image push ${name}`)
    const given = service.given.slice(before)
    assert.ok(given.length >= 2)
    assert.ok(given.every(({ user, scopes }) => user === 'jo' && scopes.includes('repository:shop/web:pull,push')))

    await good(`image rm ${name}`)
    assert.is((await login('reader')).status, 0)
    front.hold(/^GET .*\/blobs\//, ended)
    const earlier = service.given.length
    await good(`image pull ${name}`)
    const read = service.given.slice(earlier)
    assert.ok(read.length >= 2)
    assert.ok(read.every(({ user, scopes }) => user === 'reader' && scopes.join() === 'repository:shop/web:pull'))
    assert.is(await idOf(name), id)
    await good(`registry logout ${front.host}`)
    await good(`image rm ${name}`)
    assert.is((await run(`image pull ${name}`)).status, 1)
  } finally {
    await Promise.all([front.close(), service.close()])
  }
})

test.run()
