/**
 * What a registry may serve that is not an honest image: each row ends with a code of ours and leaves nothing in the store.
 * What only looks strange and is legal has to work.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CaissonError } from '../../src/errors.ts'
import { imageHistory } from '../../src/image/history.ts'
import { inspectImage } from '../../src/image/inspect.ts'
import { pullImage, type Pulled } from '../../src/image/pull.ts'
import { sharedPulls } from '../../src/image/pull-layers.ts'
import { createRegistryClient } from '../../src/image/registry/client.ts'
import { filesToSave } from '../../src/image/save.ts'
import { allRecords, resolveImage, sweep } from '../../src/image/store.ts'
import { summarise } from '../../src/image/summary.ts'
import { verifyImages } from '../../src/image/verify.ts'
import { needsRoot } from '../helpers/root.ts'
import { archive } from './archive.ts'
import { digestOf, type FaultyRegistry, startRegistry } from './registry/faulty-registry.ts'
import * as served from './registry/served-image.ts'
import { type Change, type Changes, type Json, serveImage } from './registry/served-image.ts'

interface Place {
  base: string
  root: string
  registry: FaultyRegistry
}
const test = suite<Place>('hostile-pull', { base: '', root: '' } as Place)
needsRoot(test)
test.before.each(async (place) => {
  place.base = mkdtempSync(join(tmpdir(), 'caisson-hostile-'))
  place.root = join(place.base, 'state')
  place.registry = await startRegistry()
})
test.after.each(async ({ base, registry }) => {
  await registry.close()
  rmSync(base, { recursive: true, force: true })
})

const pull = async ({ base, root, registry }: Place, reference: string): Promise<Pulled> => {
  const client = createRegistryClient({ environment: { HOME: base }, warn: () => {} })
  try {
    return await pullImage(
      { root },
      {
        ...{ client, repository: { host: registry.host, path: served.PATH }, platform: undefined, signal: undefined },
        ...{ reference: `${registry.host}/${served.PATH}${reference}`, onProgress: () => {}, warn: () => {} },
        ...{ shared: sharedPulls(), naming: async (work) => work() },
      },
    )
  } finally {
    client.close()
  }
}

const filesIn = (directory: string): readonly string[] =>
  existsSync(directory)
    ? readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
        (name) => !statSync(join(directory, name)).isDirectory(),
      )
    : []

type Prepare = (registry: FaultyRegistry) => void
/** Code, what is served, and what is pulled of it. */
type Row = readonly [code: string, prepare: Prepare | Changes, reference?: string]

const prepared = (registry: FaultyRegistry, prepare: Prepare | Changes): void => {
  if (typeof prepare === 'function') prepare(registry)
  else serveImage(registry, prepare)
}

const config = (more: Json): Changes => ({ config: (document) => ({ ...document, ...more }) })
/** The part that containers are made from. */
const settings = (more: Json): Changes => config({ config: more })
const manifest = (more: Json): Changes => ({ manifest: (document) => ({ ...document, ...more }) })
/** The descriptor of the configuration. */
const ofConfig = (more: Json): Changes => ({
  manifest: (document) => ({ ...document, config: { ...(document.config as Json), ...more } }),
})
const layersOf = (document: Json): readonly Json[] => document.layers as Json[]
/** The descriptor of the topmost layer. */
const ofLayer = (more: Json): Changes => ({
  manifest: (document) => {
    const [first, second] = layersOf(document)
    return { ...document, layers: [first, { ...second, ...more }] }
  },
})
const index = (change: (entry: Json) => unknown, mediaType?: string): Changes => ({
  index: (entry) => ({ schemaVersion: 2, mediaType: served.INDEX, manifests: [change(entry)] }),
  ...(mediaType === undefined ? {} : { mediaType }),
})
const platform = (value: unknown): Changes => index((entry) => ({ ...entry, platform: value }))
const diffIds = (change: (ids: readonly string[]) => unknown): Changes => ({
  config: (document) => {
    const rootfs = document.rootfs as { readonly diff_ids: readonly string[] }
    return { ...document, rootfs: { ...rootfs, diff_ids: change(rootfs.diff_ids) } }
  },
})
const deep = (levels: number): Buffer => Buffer.from(`${'['.repeat(levels)}${']'.repeat(levels)}`)
/** A document with a value that no JSON.stringify would write. */
const withRaw =
  (key: string, value: Buffer): Change =>
  (document) =>
    Buffer.from(JSON.stringify({ ...document, [key]: '@' }).replace('"@"', () => value.toString('latin1')))

/** Indexes within each other, `levels` of them. */
const nested =
  (levels: number): Prepare =>
  (registry) => {
    let bytes = serveImage(registry)
    let mediaType = served.MANIFEST
    for (let level = 0; level < levels; level++) {
      const manifests = [served.describe(mediaType, bytes)]
      bytes = served.bytesOf({ schemaVersion: 2, mediaType: served.INDEX, manifests })
      mediaType = served.INDEX
      registry.addManifest(served.PATH, served.TAG, bytes, mediaType)
    }
  }

/** An index that is served under the digest that its own entry names. */
const circle: Prepare = (registry) => {
  const digest = digestOf(Buffer.from('another'))
  const top = serveImage(
    registry,
    index((entry) => ({ ...entry, mediaType: served.INDEX, digest })),
  )
  registry.manifests.set(`${served.PATH}@${digest}`, { mediaType: served.INDEX, bytes: top })
}

const sha512 = (bytes: Buffer): string => `sha512:${createHash('sha512').update(bytes).digest('hex')}`

const SIZES: Readonly<Record<string, Json>> = {
  'less than nothing': { size: -1 },
  'not whole': { size: 1.5 },
  'beyond what numbers hold': { size: 2 ** 53 },
  'in text': { size: '7' },
  missing: { size: undefined },
}
const DIGESTS: Readonly<Record<string, string>> = {
  'that leads out': `sha256:../../../../${'a'.repeat(52)}`,
  'in capital letters': `sha256:${'A'.repeat(64)}`,
  'of md5': `md5:${'a'.repeat(32)}`,
  'of sha384': `sha384:${'a'.repeat(96)}`,
  'too short': `sha256:${'a'.repeat(63)}`,
  'with a line behind it': `sha256:${'a'.repeat(64)}\n`,
}
const WRONG_SETTINGS: Readonly<Record<string, Json>> = {
  'an environment in text': { Env: 'A=1' },
  'an environment of numbers': { Env: [1] },
  'a command in text': { Cmd: '/bin/sh' },
  'an entrypoint that is an object': { Entrypoint: {} },
  'a shell in text': { Shell: '/bin/sh' },
  'a user that is a number': { User: 0 },
  'a working directory that is a list': { WorkingDir: ['/'] },
  'a stop signal that is a number': { StopSignal: 15 },
  'an environment with a NUL': { Env: ['A=1\0B=2'] },
  'a command with a NUL': { Cmd: ['/bin/sh\0'] },
  'volumes in a list': { Volumes: ['/data'] },
  'ports in text': { ExposedPorts: '80' },
  'labels in a list': { Labels: ['a=1'] },
  'labels that are no text': { Labels: { a: ['1'] } },
  'a health check in text': { Healthcheck: 'true' },
  'a health check whose test is text': { Healthcheck: { Test: 'true' } },
  'a health check of numbers': { Healthcheck: { Test: ['CMD', 1] } },
  'a health check whose interval is text': { Healthcheck: { Interval: '30s' } },
}

const HOSTILE: Readonly<Record<string, Row>> = {
  'a manifest that is no JSON': ['EARCHIVE', { manifest: () => Buffer.from('<html>') }],
  'a manifest that is a list': ['EARCHIVE', { manifest: () => [] }],
  'a manifest that is null': ['EARCHIVE', { manifest: () => null }],
  'a manifest behind a byte order mark': [
    'EARCHIVE',
    { manifest: (document) => Buffer.from(`\ufeff${JSON.stringify(document)}`) },
  ],
  'a manifest of 5 MB': [
    'EREGISTRY',
    { manifest: (document) => Buffer.from(JSON.stringify(document).padEnd(5 << 20)) },
  ],
  'annotations of 10 MB': ['EREGISTRY', manifest({ annotations: { note: 'x'.repeat(10 << 20) } })],
  'a manifest that is nested without end': ['EARCHIVE', { manifest: withRaw('x', deep(1_000_000)) }],
  'a manifest of another schema version': ['EARCHIVE', manifest({ schemaVersion: 1 })],
  'a manifest whose schema version is text': ['EARCHIVE', manifest({ schemaVersion: '2' })],
  'a manifest that is an index too': ['EARCHIVE', manifest({ manifests: [] })],
  'a manifest with layers of the old schema too': ['EARCHIVE', manifest({ fsLayers: [] })],
  'an index that is a manifest too': [
    'EARCHIVE',
    { index: (entry) => ({ schemaVersion: 2, mediaType: served.INDEX, manifests: [entry], layers: [] }) },
  ],
  'a manifest that its header calls an index': ['EARCHIVE', { mediaType: served.INDEX }],
  'an index that its header calls a manifest': ['EARCHIVE', index((entry) => entry, served.MANIFEST)],
  'a manifest that calls itself an index': ['EARCHIVE', manifest({ mediaType: served.INDEX })],
  'a manifest whose type is a number': ['EARCHIVE', manifest({ mediaType: 2 })],
  'a document of an unknown type': ['EMANIFEST', { mediaType: 'application/vnd.example+json' }],
  'a type that is the name of a property of objects': ['EMANIFEST', { mediaType: 'constructor' }],
  'a digest in the header that is another': [
    'EDIGEST',
    (registry) => {
      serveImage(registry)
      const headers = { 'docker-content-digest': digestOf(Buffer.from('another')) }
      registry.fail(/^GET .*manifests/, { kind: 'headers', headers })
    },
  ],
  'another manifest than the digest that was asked for': [
    'EDIGEST',
    (registry) => {
      const { bytes } = { bytes: serveImage(registry) }
      const reference = digestOf(Buffer.from('another'))
      registry.manifests.set(`${served.PATH}@${reference}`, { mediaType: served.MANIFEST, bytes })
    },
    `@${digestOf(Buffer.from('another'))}`,
  ],
  'an artifact': ['EARCHIVE', ofConfig({ mediaType: 'application/vnd.oci.empty.v1+json' })],
  'a manifest without a configuration': ['EARCHIVE', manifest({ config: undefined })],
  'a configuration whose descriptor is text': ['EARCHIVE', manifest({ config: 'sha256' })],
  'layers that are an object': ['EARCHIVE', manifest({ layers: {} })],
  'a layer that is null': ['EARCHIVE', manifest({ layers: [null, null] })],
  'more layers than any kernel stacks': [
    'EARCHIVE',
    { manifest: (document) => ({ ...document, layers: new Array(501).fill(layersOf(document)[0]) }) },
  ],
  'a layer of an unknown type': ['EARCHIVE', ofLayer({ mediaType: 'application/x-tar' })],
  'a layer of a type that objects have': ['EARCHIVE', ofLayer({ mediaType: '__proto__' })],
  'a layer that is encrypted': ['EARCHIVE', ofLayer({ mediaType: `${served.LAYER}+encrypted` })],
  'indexes without end': ['EARCHIVE', nested(6)],
  'indexes in a circle': ['EDIGEST', circle],
  'an index whose entry has another size': ['EDIGEST', index((entry) => ({ ...entry, size: 7 }))],
  'an index whose entry has another type': [
    'EDIGEST',
    index((entry) => ({ ...entry, mediaType: 'application/vnd.docker.distribution.manifest.v2+json' })),
  ],
  'an index whose only entry is of a type that objects have': [
    'EPLATFORM',
    index((entry) => ({ ...entry, mediaType: 'toString' })),
  ],
  'an index without images': [
    'EPLATFORM',
    { index: () => ({ schemaVersion: 2, mediaType: served.INDEX, manifests: [] }) },
  ],
  'an index that is no list': [
    'EARCHIVE',
    { index: () => ({ schemaVersion: 2, mediaType: served.INDEX, manifests: { length: 1 } }) },
  ],
  'a platform in text': ['EARCHIVE', platform('linux/amd64')],
  'a platform whose os is a number': ['EARCHIVE', platform({ os: 1, architecture: served.ARCHITECTURE })],
  'a platform whose architecture is a list': ['EARCHIVE', platform({ os: 'linux', architecture: ['amd64'] })],
  'a platform whose variant is an object': ['EARCHIVE', platform({ os: 'linux', architecture: 'arm64', variant: {} })],
  'a configuration that is no JSON': ['EARCHIVE', { config: () => Buffer.from('ELF') }],
  'a configuration that is a list': ['EARCHIVE', { config: () => [] }],
  'a configuration that is nested without end': ['EARCHIVE', { config: withRaw('x', deep(100_000)) }],
  'a configuration without rootfs': ['EARCHIVE', config({ rootfs: undefined })],
  'a rootfs of another type': ['EARCHIVE', config({ rootfs: { type: 'layers+base', diff_ids: [] } })],
  'settings that are a list': ['EARCHIVE', config({ config: [] })],
  'an os that is a number': ['EARCHIVE', config({ os: 1 })],
  'an architecture that is a list': ['EARCHIVE', config({ architecture: ['amd64'] })],
  'a configuration of another content': [
    'EDIGEST',
    (registry) => {
      serveImage(registry)
      registry.fail(/^GET .*blobs/, { kind: 'body', bytes: Buffer.alloc(10_000) }, 9)
    },
  ],
  'a configuration larger than its descriptor says': ['EDIGEST', ofConfig({ size: 7 })],
  'a configuration smaller than its descriptor says': ['ECONNECTION', ofConfig({ size: 100_000 })],
  'a configuration that would be huge': ['EARCHIVE', ofConfig({ size: 2 ** 40 })],
  'a layer larger than its descriptor says': ['EDIGEST', ofLayer({ size: 7 })],
  'a layer smaller than its descriptor says': ['ECONNECTION', ofLayer({ size: 2 ** 40 })],
  'a layer of no bytes that has some': ['EDIGEST', ofLayer({ size: 0 })],
  'fewer diff IDs than layers': ['EARCHIVE', diffIds(([first]) => [first])],
  'more diff IDs than layers': ['EARCHIVE', diffIds((ids) => [...ids, ids[0]])],
  'diff IDs in another order': ['EDIGEST', diffIds((ids) => [...ids].reverse())],
  'diff IDs that are no list': ['EARCHIVE', diffIds(() => 'sha256')],
  'diff IDs that are numbers': ['EARCHIVE', diffIds(() => [1, 2])],
  'diff IDs that lead out': ['EARCHIVE', diffIds(() => ['sha256:../..', 'sha256:../..'])],
  'diff IDs of sha512': ['EARCHIVE', diffIds((ids) => ids.map((id) => sha512(Buffer.from(id))))],
  'a layer that is a configuration': [
    'EARCHIVE',
    {
      config: (document) => ({ ...document, rootfs: { type: 'layers', diff_ids: [digestOf(Buffer.from('{}'))] } }),
      layers: [Buffer.from('{}')],
    },
  ],
  'a foreign layer that only others have': [
    'ENOTFOUND',
    (registry) => {
      const mediaType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
      const urls = [`${registry.origin}/v2/elsewhere`]
      serveImage(registry, ofLayer({ mediaType, urls, digest: digestOf(Buffer.from('elsewhere')) }))
    },
  ],
  'embedded data that is another blob': ['EARCHIVE', ofConfig({ data: Buffer.from('{}').toString('base64') })],
  'embedded data that is no text': ['EARCHIVE', ofConfig({ data: {} })],
}

const rows = (
  what: (key: string) => string,
  values: Readonly<Record<string, unknown>>,
  rowOf: (value: never) => Row,
): Readonly<Record<string, Row>> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [what(key), rowOf(value as never)]))

const ALL: Readonly<Record<string, Row>> = {
  ...HOSTILE,
  ...rows(
    (key) => `a size of the configuration ${key}`,
    SIZES,
    (size: Json) => ['EARCHIVE', ofConfig(size)],
  ),
  ...rows(
    (key) => `a size of a layer ${key}`,
    SIZES,
    (size: Json) => ['EARCHIVE', ofLayer(size)],
  ),
  ...rows(
    (key) => `a digest of a layer ${key}`,
    DIGESTS,
    (digest: string) => ['EARCHIVE', ofLayer({ digest })],
  ),
  ...rows(
    (key) => `a digest in an index ${key}`,
    DIGESTS,
    (digest: string) => ['EARCHIVE', index((entry) => ({ ...entry, digest }))],
  ),
  ...rows(
    (key) => key,
    WRONG_SETTINGS,
    (given: Json) => ['EARCHIVE', settings(given)],
  ),
}

for (const [what, [expected, prepare, reference]] of Object.entries(ALL))
  test(`${what} is ${expected} and leaves nothing`, async (place) => {
    prepared(place.registry, prepare)
    const error = await pull(place, reference ?? `:${served.TAG}`).then(
      () => undefined,
      (caught: unknown) => caught,
    )
    assert.instance(error, CaissonError, error instanceof Error ? error.stack : 'it was pulled')
    assert.is((error as CaissonError).code, expected, (error as CaissonError).message)
    sweep(place)
    assert.equal(
      filesIn(join(place.root, 'content')).filter((name) => expected !== 'ECONNECTION' || !name.startsWith('ingest/')),
      [],
    )
    assert.equal(readdirSync(place.base), existsSync(place.root) ? ['state'] : [])
    assert.not.ok(place.registry.seen.some(({ path }) => path.includes('..') || path === '/v2/elsewhere'))
  })

const duplicate: Changes = {
  ...diffIds((ids) => [ids[0], ids[0], ids[1], ids[0]]),
  manifest: (document) => {
    const [first, second] = layersOf(document)
    return { ...document, layers: [first, first, second, first] }
  },
}
const NOTHING = archive([])

/** With the image's number of layers. */
const LEGAL: Readonly<Record<string, readonly [layers: number, prepare: Prepare | Changes]>> = {
  'an image as it should be': [2, {}],
  'a layer that comes several times': [4, duplicate],
  'a layer with nothing in it': [
    1,
    {
      config: (document) => ({ ...document, rootfs: { type: 'layers', diff_ids: [digestOf(NOTHING)] } }),
      layers: [gzipSync(NOTHING)],
    },
  ],
  'an image without layers': [0, { layers: [] }],
  'embedded data that is the blob': [
    2,
    (registry) => {
      let embedded = ''
      serveImage(registry, {
        config: (document) => {
          embedded = served.bytesOf(document).toString('base64')
          return document
        },
        manifest: (document) => ({ ...document, config: { ...(document.config as Json), data: embedded } }),
      })
    },
  ],
  'a foreign layer that the registry has': [
    2,
    ofLayer({ mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', urls: ['http://127.0.0.1:1/'] }),
  ],
  'keys that are properties of objects': [
    2,
    (registry) => {
      const evil = '{"layers": [], "config": {"User": "evil"}, "mediaType": "evil"}'
      const document = (inner: Json): Buffer =>
        Buffer.from(JSON.stringify(inner).replace('"@":1', `"__proto__":${evil}`))
      serveImage(registry, {
        config: (inner) => document({ ...inner, '@': 1 }),
        manifest: (inner) => document({ ...inner, '@': 1 }),
      })
    },
  ],
  'labels that are properties of objects': [
    2,
    settings({ Labels: JSON.parse('{"__proto__": "a", "constructor": "b"}') as Json, Env: ['__proto__=1'] }),
  ],
  'five indexes within each other': [2, nested(5)],
  'annotations of odd types': [2, manifest({ annotations: { a: 1, b: null } })],
  'a history of odd types': [2, config({ history: [1, null, { created: 7, created_by: [], empty_layer: 'no' }] })],
  'a time and an author of odd types': [2, config({ created: 7, author: {} })],
  'settings that are null': [2, config({ config: null })],
  'a manifest that says no type': [2, manifest({ mediaType: undefined })],
  'a header with parameters': [2, { mediaType: `${served.MANIFEST}; charset=utf-8` }],
  'digests of sha512': [
    2,
    (registry) => {
      const longer = (descriptor: Json): Json => {
        const blob = registry.blobs.get(`${served.PATH}@${descriptor.digest}`) ?? Buffer.alloc(0)
        registry.blobs.set(`${served.PATH}@${sha512(blob)}`, blob)
        return { ...descriptor, digest: sha512(blob) }
      }
      serveImage(registry, {
        manifest: (document) => ({
          ...document,
          ...{ config: longer(document.config as Json), layers: layersOf(document).map(longer) },
        }),
        index: (entry) => {
          const found = registry.manifests.get(`${served.PATH}@${entry.digest}`)
          if (found === undefined) return {}
          const digest = sha512(found.bytes)
          registry.manifests.set(`${served.PATH}@${digest}`, found)
          return { schemaVersion: 2, mediaType: served.INDEX, manifests: [{ ...entry, digest }] }
        },
      })
      registry.fail(/manifests\/sha512/, { kind: 'headers', headers: { 'docker-content-digest': '' } }, 9)
    },
  ],
}

for (const [what, [count, prepare]] of Object.entries(LEGAL))
  test(`${what} is pulled, and whole`, async (place) => {
    prepared(place.registry, prepare)
    const { image } = await pull(place, `:${served.TAG}`)
    sweep(place)
    assert.is(allRecords(place)[0]?.layers.length, count)
    assert.ok(resolveImage(place, image.id).layers.every(existsSync))
    const [verified] = await verifyImages(place, allRecords(place))
    assert.equal(verified?.damages, [])
    assert.is(inspectImage(place, image.id).Id, image.id)
    assert.ok(imageHistory(place, image.id).length >= count)
    assert.is(summarise(place).length, 2)
    assert.ok(filesToSave(place, [image.reference], 'docker-archive').length > 0)
    assert.ok((await pull(place, `:${served.TAG}`)).isUpToDate)
  })

test.run()
