// deadline: 240 s
/** What is pulled and loaded is, entry by entry, what GNU tar makes of the same layers; and as many layers as a kernel stacks. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { resolveImage } from '../../src/image/store.ts'
import { needsRoot, skipFile } from '../helpers/root.ts'
import { archive, ociArchive, OCI } from '../image/archive.ts'
import { describe, MANIFEST } from '../image/registry/served-image.ts'
import { lacksPython } from '../linux/python.ts'
import { caisson, caissonBeside, folder, stateRoot } from './scenario.ts'
import { serve } from './served.ts'

needsRoot(test)
const lacking = lacksPython()
if (lacking !== undefined) skipFile(lacking)

const { scratch, registry } = await serve('trees')

const run = (program: string, args: readonly string[], input?: Buffer): Buffer => {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: scratch, input, maxBuffer: 64 << 20 })
  assert.is(status, 0, `${program} ${args.join(' ')}: ${error ?? stderr}`)
  return stdout
}
const trees = (...args: string[]): string =>
  run('python3', [join(import.meta.dirname, 'image-trees.py'), ...args]).toString()

/** The second in GNU's own format, and without a name for the directory `implied`. */
const LAYERS: readonly (readonly string[])[] = [
  ['--xattrs', '--xattrs-include=*', '--sparse'],
  ['--format=gnu'],
  ['--xattrs', '--xattrs-include=*'],
]

interface Layer {
  readonly tar: Buffer
  readonly stored: Buffer
  readonly mediaType: string
}

const hasZstd = spawnSync('zstd', ['--version']).status === 0
const layerOf = (tar: Buffer, as: 'gzip' | 'zstd' | 'plain'): Layer => {
  const suffix = as === 'plain' ? '' : as === 'zstd' && hasZstd ? '+zstd' : '+gzip'
  const stored = suffix === '' ? tar : suffix === '+zstd' ? run('zstd', ['-qc'], tar) : gzipSync(tar)
  return { tar, stored, mediaType: `${OCI}.layer.v1.tar${suffix}` }
}

/** Blobs, and the manifest last. */
const imageOf = (layers: readonly Layer[]): readonly Buffer[] => {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const rootfs = { type: 'layers', diff_ids: layers.map(({ tar }) => describe('', tar).digest) }
  const config = Buffer.from(JSON.stringify({ os: 'linux', architecture, config: {}, rootfs }))
  const manifest = {
    ...{ schemaVersion: 2, mediaType: MANIFEST, config: describe(`${OCI}.config.v1+json`, config) },
    layers: layers.map(({ stored, mediaType }) => describe(mediaType, stored)),
  }
  return [config, ...layers.map(({ stored }) => stored), Buffer.from(JSON.stringify(manifest))]
}

/** Its name. */
const publish = (path: string, layers: readonly Layer[]): string => {
  const blobs = imageOf(layers)
  for (const blob of blobs.slice(0, -1)) registry.addBlob(path, blob)
  registry.addManifest(path, '1', blobs.at(-1) ?? Buffer.alloc(0), MANIFEST)
  return `${registry.host}/${path}:1`
}

const pull = async (name: string): Promise<void> => {
  const { status, stderr } = await caissonBeside(['image', 'pull', name])
  assert.is(status, 0, stderr)
  assert.is(stderr.includes('could not take'), false, stderr)
}

let expected = ''
let tars: readonly Buffer[] = []
test.before(() => {
  trees('make', join(scratch, 'made'))
  mkdirSync(join(scratch, 'reference'))
  tars = LAYERS.map((options, index) => {
    const root = join(scratch, 'made', String(index + 1))
    const listed = index === 1 ? 'find . ! -path ./implied -print0' : 'find . -print0'
    const script = `cd "$0" && ${listed} | LC_ALL=C sort -z | tar --numeric-owner --no-recursion --null -T - "$@"`
    run('sh', ['-c', script, root, ...options, '-cf', `${root}.tar`])
    trees('apply', `${root}.tar`, join(scratch, 'reference'))
    return readFileSync(`${root}.tar`)
  })
  expected = trees('scan', join(scratch, 'reference'))
  assert.ok(expected.split('\n').length > 60)
})

/** The image as overlayfs shows it. */
const seen = (name: string): string => {
  const { layers } = resolveImage({ root: stateRoot() }, name)
  const merged = mkdtempSync(join(scratch, 'merged-'))
  run('mount', ['-t', 'overlay', '-o', `ro,lowerdir=${layers.join(':')}`, 'overlay', merged])
  try {
    return trees('scan', merged)
  } finally {
    run('umount', [merged])
  }
}

const linesOf = (text: string): readonly string[] => text.trimEnd().split('\n')

for (const ways of [
  ['gzip', 'zstd', 'plain'],
  ['plain', 'gzip', 'zstd'],
] as const)
  test(`layers in ${ways.join(', ')} come from a registry as GNU tar has them`, async () => {
    const name = publish(
      `trees/${ways.join('-')}`,
      ways.map((way, index) => layerOf(tars[index] ?? Buffer.alloc(0), way)),
    )
    await pull(name)
    assert.equal(linesOf(seen(name)), linesOf(expected))
    assert.is(caisson(['image', 'verify', name]).status, 0)
    assert.is(caisson(['image', 'rm', name]).status, 0)
  })

test('the same layers are loaded from an archive as GNU tar has them', () => {
  const blobs = imageOf(tars.map((tar, index) => layerOf(tar, (['zstd', 'plain', 'gzip'] as const)[index] ?? 'gzip')))
  const manifest = describe(MANIFEST, blobs.at(-1) ?? Buffer.alloc(0))
  const annotations = { 'org.opencontainers.image.ref.name': 'loaded:1' }
  writeFileSync(join(scratch, 'image.tar'), ociArchive(blobs, [{ ...manifest, annotations }]))
  const { status, stderr } = caisson(['image', 'load', '-i', join(scratch, 'image.tar')])
  assert.is(status, 0, stderr)
  assert.equal(linesOf(seen('loaded:1')), linesOf(expected))
})

test('a hard link to what only a lower layer has is refused, and leaves no image', async () => {
  const below = archive([{ name: 'file', body: 'here' }])
  const above = archive([{ name: 'link', type: '1', link: 'file' }])
  const name = publish(
    'trees/across',
    [below, above].map((tar) => layerOf(tar, 'gzip')),
  )
  const { status, stderr } = await caissonBeside(['image', 'pull', name])
  assert.is(status, 1)
  assert.match(stderr, "'link' is a link to 'file', which the archive does not hold")
  assert.is.not(caisson(['image', 'inspect', name]).status, 0)
})

/** A program that needs nothing beside it but its libraries. */
const programs = (): Buffer => {
  const root = join(scratch, 'programs')
  for (const path of ['bin', 'proc', 'sys', 'dev', 'tmp']) mkdirSync(join(root, path), { recursive: true })
  run('sh', [
    '-ec',
    `for f in /bin/cat; do cp -L $f ${root}/bin/; for l in $(ldd $f | grep -o '/[^ ]*'); do mkdir -p ${root}/$(dirname $l); cp -L $l ${root}/$l; done; done`,
  ])
  return run('tar', ['-c', '-C', root, '.'])
}

const stack = (count: number): readonly Layer[] => [
  layerOf(programs(), 'plain'),
  ...Array.from({ length: count - 1 }, (_, index) =>
    layerOf(
      archive([
        { name: `etc/layer-${index}`, body: `${index}` },
        { name: 'etc/top', body: `${index}` },
      ]),
      'plain',
    ),
  ),
]

test('an image without layers runs what is mounted into it', async () => {
  const name = publish('trees/none', [])
  await pull(name)
  const volumes = ['/usr', '/bin', '/lib', '/lib64']
    .filter((path) => existsSync(path))
    .map((path) => `"${path}:${path}:ro"`)
  const project = folder(`services:\n  a: {image: "${name}", network_mode: none, volumes: [${volumes.join(', ')}]}\n`)
  assert.is(project.run('run', '--rm', '-T', 'a', '/bin/sh', '-c', 'echo here >/file && cat /file'), 'here\n')
  assert.is(caisson(['image', 'rm', name]).status, 0)
})

test('an image of 499 layers runs, one of 500 is refused with the number', async () => {
  const name = publish('trees/high', stack(499))
  await pull(name)
  const project = folder(`services:\n  a: {image: "${name}", network_mode: none}\n`)
  assert.is(project.run('run', '--rm', '-T', 'a', '/bin/cat', '/etc/layer-0', '/etc/layer-497', '/etc/top'), '0497497')
  const { status, stderr } = await caissonBeside(['image', 'pull', publish('trees/higher', stack(500))])
  assert.is(status, 1)
  assert.match(stderr, '499')
})

test.run()
