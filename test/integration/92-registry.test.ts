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
import { caisson, cleanUp, eventually } from './scenario.ts'

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
const run = (words: string, environment: Record<string, string> = {}, input = '') =>
  caisson(words.split(' '), { env: { HOME, ...environment }, input })

const good = (words: string, environment: Record<string, string> = {}, input = ''): string => {
  const { status, stdout, stderr } = run(words, environment, input)
  if (status !== 0) throw new Error(`caisson ${words}: exit ${status}\n${stdout}${stderr}`)
  return stdout
}

/** An image of random bytes, so that its layer is like no other. */
const importImage = (reference: string): string => {
  const root = mkdtempSync(join(scratch, 'root-'))
  spawnSync('dd', ['if=/dev/urandom', `of=${root}/data`, 'bs=1M', 'count=6'])
  const made = spawnSync('tar', ['-cf', `${root}.tar`, '-C', root, '.'])
  assert.is(made.status, 0)
  return good(`image import ${root}.tar ${reference}`).trim()
}

const idOf = (reference: string): string => good(`image inspect -f {{.Id}} ${reference}`).trim()

test('an image goes to a registry and comes back the same, under another name there too', async () => {
  const host = await startRegistry('plain')
  const [name, other] = [`${host}/shop/base:1`, `${host}/shop/other:1`]
  const id = importImage(name)
  good(`image push ${name}`)
  good(`image tag ${name} ${other}`)
  good(`image push ${other}`)
  for (const each of [name, other]) good(`image rm ${each}`)
  assert.is.not(run(`image inspect ${name}`).status, 0)
  for (const each of [name, other]) {
    good(`image pull ${each}`)
    assert.is(idOf(each), id)
  }
  assert.is(good(`registry search --format {{.Name}} ${host}/shop`), `${host}/shop/base\n${host}/shop/other\n`)
})

test('a registry without the image, or nobody at all, is an error that says so', async () => {
  const host = await startRegistry('empty')
  const { status, stderr } = run(`image pull ${host}/nothing:1`)
  assert.is(status, 1)
  assert.match(stderr, 'MANIFEST_UNKNOWN')
  assert.is(run(`image pull 127.0.0.1:1/nothing:1`).status, 1)
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
  const id = importImage(name)
  assert.match(run(`image push ${name}`).stderr, 'certificate')
  assert.match(run(`image push ${name}`, trust).stderr, `registry login ${host}`)
  assert.is(run(`registry login -u jo --password-stdin ${host}`, trust, 'other').status, 1)
  good(`registry login -u jo --password-stdin ${host}`, trust, 'secret\n')
  good(`image push ${name}`, trust)
  good(`image rm ${name}`)
  good(`image pull ${name}`, trust)
  assert.is(idOf(name), id)
  good(`registry logout ${host}`, trust)
  good(`image rm ${name}`)
  assert.is(run(`image pull ${name}`, trust).status, 1)
})

test.run()
