import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { KnownGood } from '../../src/compose/known-good.ts'
import { load } from '../../src/compose/load.ts'
import { Observation } from '../../src/compose/observation.ts'
import { compileSchema } from './cases.ts'

compileSchema()

const COMPOSE = `
include: [part/compose.yaml]
services:
  web:
    image: web:\${TAG:-1}
    environment: [TOKEN]
    env_file: [{path: web.env, required: false}]
`
const FILES = {
  '/project/compose.yaml': COMPOSE,
  '/project/part/compose.yaml': 'services: {db: {image: "db:$DB"}}\n',
  '/project/web.env': 'A=1\n',
}

const createInputs = (files: Record<string, string>, environment: Record<string, string>) => ({
  files: ['/project/compose.yaml'],
  workingDirectory: '/project',
  profiles: [],
  environment,
  readFile: (path: string) => files[path],
})

const createCache = () => {
  const entries = new Map<string, Uint8Array>()
  return {
    entries,
    hash: (text: string) => createHash('sha256').update(text).digest('hex'),
    get: (key: string) => entries.get(key),
    set: (key: string, bytes: Uint8Array) => void entries.set(key, bytes),
  }
}

/** Loads once and remembers; then whether that holds for other inputs. */
const remember = async () => {
  const cache = createCache()
  const inputs = createInputs(FILES, { DB: '2', HOME: '/home/user', OTHER: 'x' })
  const observation = new Observation(inputs)
  const result = await load({ ...inputs, environment: observation.environment, readFile: observation.readFile })
  assert.equal(result.diagnostics, [])
  new KnownGood(cache, 'request', inputs).remember(observation)
  const holds = (files: Record<string, string>, environment: Record<string, string>, request = 'request') =>
    new KnownGood(cache, request, createInputs(files, environment)).holds()
  return { cache, holds }
}

test('what did not change is known', async () => {
  const { holds } = await remember()
  assert.ok(holds(FILES, { DB: '2', HOME: '/home/user', OTHER: 'x' }))
})

test('variables that nothing asks for may change and come', async () => {
  const { holds } = await remember()
  assert.ok(holds(FILES, { DB: '2', HOME: '/home/user', OTHER: 'y', NEW: '1' }))
})

test('a variable that is asked for counts, set, changed or gone', async () => {
  const { holds } = await remember()
  for (const environment of [{ DB: '3' }, {}, { DB: '2', TAG: '2' }, { DB: '2', TOKEN: 'x' }])
    assert.not.ok(holds(FILES, { HOME: '/home/user', ...environment }), JSON.stringify(environment))
})

test('every file that was read counts, included ones and those that are not there', async () => {
  const { holds } = await remember()
  const environment = { DB: '2', HOME: '/home/user' }
  for (const path of [...Object.keys(FILES), '/project/part/.env'])
    assert.not.ok(holds({ ...FILES, [path]: 'services: {}\n' }, environment), path)
  const { '/project/web.env': _, ...others } = FILES
  assert.not.ok(holds(others, environment))
})

test('another request is another load', async () => {
  const { holds } = await remember()
  assert.not.ok(holds(FILES, { DB: '2', HOME: '/home/user' }, 'other'))
})

test('nothing of what files and variables hold is kept', async () => {
  const { cache } = await remember()
  const kept = [...cache.entries.values()].map((bytes) => Buffer.from(bytes).toString('latin1')).join('\n')
  assert.not.match(kept, /image|A=1/)
})

test.run()
