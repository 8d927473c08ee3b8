/** `config --resolve-image-digests` asks a registry, here one on loopback. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askDigest } from '../../src/cli/ask-registry.ts'
import type { Context } from '../../src/cli/context.ts'
import { CaissonError } from '../../src/errors.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, layers: [] }))
const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`

const asked: string[] = []
const server = createServer(({ method, url = '' }, response) => {
  asked.push(`${method} ${url}`)
  if (url.includes('/missing/')) response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
  else if (url.includes('/terse/') && method === 'HEAD') response.writeHead(405).end()
  else response.writeHead(200, { 'content-type': MANIFEST, 'docker-content-digest': digest }).end(body)
})

const directory = mkdtempSync(join(tmpdir(), 'ask-registry-'))
const env = { HOME: directory, CAISSON_ROOT: join(directory, 'root'), CAISSON_RUN: join(directory, 'run') }
const context = { env } as unknown as Context
let host = ''

const test = suite('ask-registry')

test.before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  host = `localhost:${(server.address() as AddressInfo).port}`
})

test.before.each(() => {
  asked.length = 0
})

test.after(() => {
  server.closeAllConnections()
  server.close()
  rmSync(directory, { recursive: true, force: true })
})

test('the digest of a tag is asked for without its manifest', async () => {
  assert.is(await askDigest(context, `${host}/web:1`), digest)
  assert.ok(asked.includes('HEAD /v2/web/manifests/1'))
  assert.not.ok(asked.some((each) => each.startsWith('GET /v2/web')))
})

test('where a registry does not say it, the manifest is what has the digest', async () => {
  assert.is(await askDigest(context, `${host}/terse/web:1`), digest)
  assert.ok(asked.includes('GET /v2/terse/web/manifests/1'))
})

test('an image that is not there is a failure that a user can read', async () => {
  let caught: unknown
  try {
    await askDigest(context, `${host}/missing/web:1`)
  } catch (error) {
    caught = error
  }
  assert.instance(caught, CaissonError)
  assert.is((caught as CaissonError).code, 'ENOTFOUND')
})

test('nobody is asked for what is built in', async () => {
  assert.is(await askDigest(context, 'docker.io/caisson/host:latest'), undefined)
  assert.equal(asked, [])
})

test.run()
