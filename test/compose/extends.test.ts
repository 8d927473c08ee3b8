import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { testPhase } from './cases.ts'
import { errorsOf, loadTexts, writtenAt } from './memory.ts'

testPhase('extends')

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

/** Service `s0` extends `s1`, that one `s2` … */
const chain = (count: number, line: (index: number) => string): string =>
  ['services:', ...numbers(count).map((index) => `  s${index}: {extends: s${index + 1}${line(index)}}`)].join('\n')

const web = { 'compose.yaml': 'services: {web: {extends: {file: chain.yaml, service: s0}}}' }

test('a chain of 10,000 services is followed to its end', async () => {
  const text = `${chain(10_000, () => '')}\n  s10000: {image: last}\n`
  const result = await loadTexts({ ...web, 'chain.yaml': text })
  assert.equal(errorsOf(result), [])
  assert.is(result.project?.services.web?.image, 'last')
})

test('a chain that grows with every service is refused once, at its place', async () => {
  const text = `${chain(1_500, (index) => `, environment: {V${index}: "1"}`)}\n  s1500: {image: last}\n`
  const result = await loadTexts({ 'compose.yaml': text })
  assert.equal(errorsOf(result), ['expansion-limit'])
  assert.is(result.diagnostics[0]?.at?.file, '/project/compose.yaml')
})

test('a circle of 10,000 services is one mistake, and no page of names', async () => {
  const result = await loadTexts({ ...web, 'chain.yaml': `${chain(10_000, () => '')}\n  s10000: {extends: s0}\n` })
  assert.equal(errorsOf(result), ['cycle'])
  assert.match(result.diagnostics[0]?.message ?? '', 's3 → s4 → … → s9997 → s9998 → s9999 → s10000 → s0')
})

test('what comes from another file has its place there, and names what it replaced', async () => {
  const result = await loadTexts({
    'compose.yaml': 'services: {web: {extends: {file: sub/base.yaml, service: base}, user: own}}',
    'sub/base.yaml': 'services: {base: {image: inner, user: other, volumes: ["./data:/data"], labels: [a=1]}}',
  })
  assert.is(writtenAt(result, '/services/web/image'), 'sub/base.yaml: inner')
  assert.is(writtenAt(result, '/services/web/volumes/0/source'), 'sub/base.yaml: "./data:/data"')
  assert.is(writtenAt(result, '/services/web/labels/a'), 'sub/base.yaml: a=1')
  assert.is(writtenAt(result, '/services/web/user'), 'compose.yaml: own')
  assert.is(result.origins.get('/services/web/user')?.value.replaced?.file, '/project/sub/base.yaml')
})

test('a file is read and parsed once, however many services extend from it', async () => {
  const read: string[] = []
  const texts = {
    'compose.yaml': chain(50, () => '').replaceAll(/extends: s\d+/g, 'extends: {file: base.yaml, service: base}'),
    'base.yaml': 'services: {base: {image: a}}',
  }
  const readFile = (path: string): string | undefined => {
    read.push(path)
    return path === '/project/compose.yaml' ? texts['compose.yaml'] : texts['base.yaml']
  }
  const trees = new Map<string, Uint8Array>()
  const cache = {
    hash: (text: string): string => text,
    get: (key: string): Uint8Array | undefined => trees.get(key),
    set: (key: string, bytes: Uint8Array): void => void trees.set(key, bytes),
  }
  assert.equal(errorsOf(await loadTexts(texts, { readFile, cache })), [])
  assert.equal(read, ['/project/compose.yaml', '/project/base.yaml'])
  assert.ok(trees.has(texts['base.yaml']))
  const again = await loadTexts(texts, { cache })
  assert.is(writtenAt(again, '/services/s7/image'), 'base.yaml: a')
})

test.run()
