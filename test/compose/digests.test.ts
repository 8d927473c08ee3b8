import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lockOf, pinImages, withPinned } from '../../src/compose/digests.ts'
import { fullName, parseReference } from '../../src/oci/reference.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`

test('a tag that several services have is asked for once, by its whole name', async () => {
  const asked: string[] = []
  const services = { a: { image: 'redis' }, b: { image: 'redis:latest' }, c: { image: 'docker.io/library/redis' } }
  const { pinned } = await pinImages({ services }, async (reference) => {
    asked.push(reference)
    return DIGEST
  })
  assert.equal(asked, ['docker.io/library/redis:latest'])
  assert.equal(new Set(pinned.values()), new Set([`docker.io/library/redis:latest@${DIGEST}`]))
  assert.is(pinned.size, 3)
})

test('what has a digest, or no image, asks for nothing', async () => {
  const services = { a: { image: `redis:7@${DIGEST}` }, b: { build: {} }, c: null }
  const { pinned } = await pinImages({ services }, () => Promise.reject(new Error('asked')))
  assert.equal([...pinned], [['a', `docker.io/library/redis@${DIGEST}`]])
})

test('only failures of a registry are findings: a mistake of ours is none', async () => {
  let caught: unknown
  try {
    await pinImages({ services: { a: { image: 'redis' } } }, () => Promise.reject(new TypeError('ours')))
  } catch (error) {
    caught = error
  }
  assert.instance(caught, TypeError)
})

test('a model without services stays what it is', async () => {
  const { pinned } = await pinImages({ name: 'a' }, async () => DIGEST)
  assert.equal(withPinned({ name: 'a' }, pinned), { name: 'a' })
  assert.equal(lockOf(pinned), { services: {} })
})

for (const [short, full] of [
  ['redis', 'docker.io/library/redis'],
  ['me/app:1', 'docker.io/me/app'],
  ['index.docker.io/me/app', 'docker.io/me/app'],
  ['localhost/app', 'localhost/app'],
  ['ghcr.io/me/app', 'ghcr.io/me/app'],
  ['[::1]:5000/app', '[::1]:5000/app'],
] as const)
  test(`the whole name of ${short} is ${full}`, () => assert.is(fullName(parseReference(short)), full))

test.run()
