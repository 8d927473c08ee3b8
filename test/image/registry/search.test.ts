import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Found, passes, search } from '../../../src/image/registry/search.ts'
import { HUB } from '../../../src/oci/reference.ts'
import { begin, codeOf, end, newWorld, optionsOf, serve, type World } from './world.ts'

const test = suite<World>('registry search', newWorld())
test.before.each(begin)
test.after.each(end)

const DOCUMENT = Buffer.from('{}')
const withNames = async (world: World, names: readonly string[]) => {
  const registry = await serve(world)
  for (const name of names) registry.addManifest(name, '1', DOCUMENT, 'application/json')
  return registry
}

const namesOf = (found: readonly Found[]): readonly string[] => found.map(({ name }) => name)

test('a catalog is looked through page after page, up to the limit', async (world) => {
  const { host } = await withNames(world, ['a/web', 'b', 'c', 'd/web', 'e', 'f/web'])
  const request = { host, term: 'web', limit: 25, filters: [] }
  assert.equal(
    namesOf(await search(optionsOf(world), request)),
    ['a/web', 'd/web', 'f/web'].map((name) => `${host}/${name}`),
  )
  assert.is((await search(optionsOf(world), { ...request, limit: 2 })).length, 2)
  assert.is((await search(optionsOf(world), { ...request, term: '' })).length, 6)
})

test('an answer that is no list is EREGISTRY, and a registry without catalog ENOTFOUND', async (world) => {
  const registry = await withNames(world, ['a'])
  const request = { host: registry.host, term: 'a', limit: 5, filters: [] }
  registry.fail(/_catalog/, { kind: 'status', status: 200, body: '<html>' })
  assert.is(await codeOf(search(optionsOf(world), request)), 'EREGISTRY')
  registry.fail(/_catalog/, { kind: 'status', status: 404 })
  assert.is(await codeOf(search(optionsOf(world), request)), 'ENOTFOUND')
})

test('Docker Hub is not asked for everything', async (world) =>
  assert.is(await codeOf(search(optionsOf(world), { host: HUB, term: '', limit: 5, filters: [] })), 'ESEARCH'))

test('filters hold together', () => {
  const found = { name: 'a', description: '', stars: 10, isOfficial: true }
  assert.ok(
    passes(found, [
      { kind: 'stars', least: 10 },
      { kind: 'official', is: true },
    ]),
  )
  assert.not.ok(passes(found, [{ kind: 'stars', least: 11 }]))
  assert.not.ok(passes(found, [{ kind: 'official', is: false }]))
})

test.run()
