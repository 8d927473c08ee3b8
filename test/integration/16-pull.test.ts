// deadline: 240 s
// takes: 35 s
/** Pulls by real commands under what may happen to them: a neighbour, kill -9, Ctrl-C, a full disk, a store that is cleared. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { archive } from '../image/archive.ts'
import { digestOf } from '../image/registry/faulty-registry.ts'
import { caissonBeside, eventually, type Outcome, start, stateRoot } from './scenario.ts'
import { serve } from './served.ts'

needsRoot(test)

const { scratch, registry } = await serve('pull')
test.before.each(() => rmSync(content(), { recursive: true, force: true }))

const content = (root = stateRoot()): string => join(root, 'content')
const noise = (seed: string, size: number): Buffer =>
  createHash('shake256', { outputLength: size }).update(seed).digest()

/** Puts an image of three layers into the registry. */
const publish = (path: string, size = 1_500_000): readonly string[] => {
  const tars = ['a', 'b', 'c'].map((name) =>
    archive([
      { name: `${name}/${path}`, body: noise(`${path} ${name}`, size) },
      ...Array.from({ length: 40 }, (_, index) => ({ name: `${name}/small-${index}`, body: `${index}` })),
    ]),
  )
  const config = Buffer.from(
    JSON.stringify({
      ...{ os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch, config: {} },
      rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
    }),
  )
  const blobs = tars.map((tar) => gzipSync(tar))
  const describe = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: digestOf(bytes), size: bytes.length })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: describe('application/vnd.oci.image.config.v1+json', config),
      layers: blobs.map((blob) => describe('application/vnd.oci.image.layer.v1.tar+gzip', blob)),
    }),
  )
  for (const blob of [config, ...blobs]) registry.addBlob(path, blob)
  registry.addManifest(path, '1', manifest, 'application/vnd.oci.image.manifest.v1+json')
  return blobs.map(digestOf)
}

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  caissonBeside(args, { env })

const named = (path: string): string => `${registry.host}/${path}:1`
const hasName = (path: string): boolean => existsSync(join(content(), 'references', encodeURIComponent(named(path))))
const asked = (digest: string) =>
  registry.seen.filter(({ method, path }) => method === 'GET' && path.includes(`/blobs/${digest}`))

const ok = async (...args: string[]): Promise<string> => {
  const { status, stdout, stderr } = await run(args)
  assert.is(status, 0, stderr)
  return stdout
}

/** Nothing but what has a name, and all of that as it should be. */
const checkStore = async (): Promise<void> => {
  await ok('image', 'verify')
  const layers = readdirSync(join(content(), 'layers'))
  assert.equal(
    layers.filter((name) => name.startsWith('unfinished')),
    [],
  )
}

test('two commands at once fetch each layer once, and both have the image', async () => {
  const layers = publish('shop/two')
  for (const digest of layers)
    registry.fail(new RegExp(`GET .*${digest}`), { kind: 'drip', bytes: 60_000, everyMs: 10 }, 1)
  const outcomes = await Promise.all([
    run(['image', 'pull', named('shop/two')]),
    run(['image', 'pull', named('shop/two')]),
  ])
  for (const { status, stderr } of outcomes) assert.is(status, 0, stderr)
  for (const digest of layers) assert.is(asked(digest).length, 1, digest)
  await checkStore()
})

const KILLS = 100

/** Numbers between 0 and 1 that are the same each time. */
const random = (seed: number) => createHash('sha256').update(`kill ${seed}`).digest().readUInt32BE() / 2 ** 32

test(`after kill -9 at ${KILLS} moments nothing is lost and nothing half there has a name`, async () => {
  publish('shop/kill', 400_000)
  let named = 0
  for (let round = 0; round < KILLS; round++) {
    const child = start(['image', 'pull', `${registry.host}/shop/kill:1`])
    const ended = new Promise((resolve) => child.once('close', resolve))
    await new Promise((resolve) => setTimeout(resolve, 60 + random(round) * 340))
    child.kill('SIGKILL')
    await ended
    if (!hasName('shop/kill')) continue
    named++
    await ok('image', 'verify')
    rmSync(content(), { recursive: true, force: true })
  }
  await ok('image', 'pull', `${registry.host}/shop/kill:1`)
  await checkStore()
  assert.equal(readdirSync(join(content(), 'ingest')), [])
  assert.ok(named < KILLS, 'some were killed before they were done')
})

test('Ctrl-C ends it with 130, and what has come is not asked for again', async () => {
  const [first = ''] = publish('shop/break')
  registry.fail(new RegExp(`GET .*${first}`), { kind: 'drip', bytes: 20_000, everyMs: 20 }, 1)
  const child = start(['image', 'pull', named('shop/break')])
  const ended = new Promise((resolve) => child.once('close', resolve))
  const partial = join(content(), 'ingest', first.replace(':', '-'))
  await eventually(() => existsSync(partial) && readFileSync(partial).length > 100_000, 'a beginning', 20_000)
  child.kill('SIGINT')
  assert.is(await ended, 130)
  assert.match(child.text(), `Image ${named('shop/break')}  Interrupted`)
  assert.not.ok(hasName('shop/break'))
  await ok('image', 'pull', named('shop/break'))
  assert.match(asked(first).at(-1)?.headers.range ?? '', /^bytes=\d{6,}-$/)
  await checkStore()
})

test('Ctrl-C ends a command that waits for a layer which another fetches, and the other has it', async () => {
  const layers = publish('shop/wait')
  const [first = ''] = layers
  registry.fail(new RegExp(`GET .*${first}`), { kind: 'drip', bytes: 20_000, everyMs: 20 }, 1)
  const fetching = run(['image', 'pull', named('shop/wait')])
  await eventually(() => existsSync(join(content(), 'ingest', first.replace(':', '-'))), 'a beginning', 20_000)
  const before = registry.seen.length
  const waiting = start(['image', 'pull', named('shop/wait')])
  const ended = new Promise((resolve) => waiting.once('close', resolve))
  const hasConfiguration = () =>
    registry.seen
      .slice(before)
      .some(({ path }) => path.includes('/blobs/') && !layers.some((each) => path.includes(each)))
  await eventually(hasConfiguration, 'the configuration of the second', 20_000)
  waiting.kill('SIGINT')
  assert.is(await ended, 130, waiting.text())
  const { status, stderr } = await fetching
  assert.is(status, 0, stderr)
  await checkStore()
})

test('what a pull has fetched is not swept by a command beside it', async () => {
  const [first = ''] = publish('shop/sweep')
  publish('shop/other', 1000)
  await ok('image', 'pull', named('shop/other'))
  registry.fail(new RegExp(`GET .*${first}`), { kind: 'drip', bytes: 20_000, everyMs: 20 }, 1)
  const pulling = run(['image', 'pull', named('shop/sweep')])
  await eventually(() => existsSync(join(content(), 'ingest', first.replace(':', '-'))), 'a beginning', 20_000)
  await ok('image', 'rm', named('shop/other'))
  writeFileSync(join(scratch, 'rootfs.tar'), archive([{ name: 'x', body: 'x' }]))
  await ok('image', 'import', join(scratch, 'rootfs.tar'), 'beside:1')
  const { status, stderr } = await pulling
  assert.is(status, 0, stderr)
  await checkStore()
})

test('a full disk is told, and with more room the pull goes on', async () => {
  const [first = ''] = publish('shop/full')
  const root = join(scratch, 'small')
  mkdirSync(root)
  const mount = (options: string) =>
    assert.is(spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', root]).status, 0)
  mount('size=2m')
  try {
    const env = { CAISSON_ROOT: root }
    const full = await run(['image', 'pull', named('shop/full')], env)
    assert.is(full.status, 1, full.stderr)
    assert.match(full.stderr, /ENOSPC|no space/i)
    assert.not.ok(existsSync(join(content(root), 'references')))
    mount('remount,size=64m')
    const again = await run(['image', 'pull', named('shop/full')], env)
    assert.is(again.status, 0, again.stderr)
    assert.ok(asked(first).length >= 1)
    assert.is((await run(['image', 'verify'], env)).status, 0)
  } finally {
    spawnSync('umount', [root])
  }
})

test.run()
