/** What holds for every project, tried on whole ones that are made up. */
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatJson, formatYaml } from '../../src/compose/format.ts'
import { interpolate } from '../../src/compose/interpolate.ts'
import { load } from '../../src/compose/load.ts'
import { parse } from '../../src/compose/parse.ts'
import type { LoadResult } from '../../src/compose/project.ts'
import { Report } from '../../src/compose/report.ts'
import { compileSchema } from './cases.ts'

compileSchema()

const words = fc.constantFrom(
  'x',
  'true',
  '010',
  '1_000',
  'a: b',
  '#c',
  ' lead',
  "it's",
  '"q"',
  '$$x',
  'ünï',
  '22:22',
  '~',
  '',
)
const names = fc.constantFrom('A', 'B_2', 'lower', 'com.example/x')

const keyValues = fc.oneof(
  fc.dictionary(names, fc.oneof(words, fc.integer(), fc.boolean(), fc.constant(null)), { maxKeys: 3 }),
  fc
    .uniqueArray(fc.tuple(names, words), { selector: ([name]) => name, maxLength: 3 })
    .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`)),
)
const commands = fc.oneof(
  fc.constantFrom('run --now', "sh -c 'a b'", ''),
  fc.array(words, { maxLength: 3 }),
  fc.constant(null),
)
const someOf = <Item>(...items: Item[]): fc.Arbitrary<Item[]> => fc.subarray(items)

/** Keys with the lists that a second file replaces or makes unique, in every form. */
const SERVICE = {
  image: fc.constantFrom('nginx', 'registry.example/app:1@sha256:' + 'a'.repeat(64)),
  command: commands,
  entrypoint: commands,
  environment: keyValues,
  labels: keyValues,
  ports: someOf<unknown>(80, '8080:80', '127.0.0.1:9000:80/udp', '3000-3002:3000-3002', {
    target: 81,
    published: '81',
  }),
  expose: someOf<unknown>('90', 91, '92-94/udp'),
  volumes: someOf<unknown>('data:/data', './src:/src:ro', '/anon', {
    type: 'tmpfs',
    target: '/t',
    tmpfs: { size: '1m' },
  }),
  tmpfs: fc.constantFrom('/run', ['/run:size=1m']),
  networks: fc.oneof(someOf('default', 'back'), fc.constant({ back: { aliases: ['one'] }, default: null })),
  cap_add: someOf('NET_ADMIN', 'SYS_TIME'),
  dns: fc.constantFrom('1.1.1.1', ['1.1.1.1', '8.8.8.8']),
  extra_hosts: fc.constantFrom(['one=10.0.0.1', 'two:::1'], { one: '10.0.0.1' }),
  healthcheck: fc.constantFrom({ test: 'curl x', interval: '90s' }, { disable: true }, { test: ['NONE'] }),
  mem_limit: fc.constantFrom('512m', 1024, '1.5gb'),
  cpus: fc.constantFrom(0.5, '1.25', 2),
  ulimits: fc.constantFrom({ nofile: 1024 }, { nproc: { soft: 1, hard: 2 } }),
  stop_grace_period: fc.constantFrom('1m30s', '500ms'),
  init: fc.boolean(),
  scale: fc.constantFrom(1, 2, '3'),
  secrets: fc.constantFrom(['token'], [{ source: 'token', target: 'x', mode: 0o440 }]),
  sysctls: fc.constantFrom({ 'net.core.somaxconn': 1024 }, ['net.core.somaxconn=1']),
  build: fc.constantFrom('.', { context: './dir', args: { A: 1 }, target: 'x' }),
  'x-own': fc.dictionary(names, fc.dictionary(names, words, { maxKeys: 2 }), { maxKeys: 2 }),
}

const services = fc.array(fc.record(SERVICE, { requiredKeys: ['image'] }), { minLength: 1, maxLength: 4 })

/** Each service may depend on those before it. */
const projects = fc.tuple(services, fc.infiniteStream(fc.boolean())).map(([list, coin]) => {
  const depends = (index: number): string[] =>
    Array.from({ length: index }, (_, other) => `s${other}`).filter(() => coin.next().value)
  return {
    services: Object.fromEntries(
      list.map((service, index) => [`s${index}`, { ...service, depends_on: depends(index) }] as const),
    ),
    networks: { back: null },
    volumes: { data: {} },
    secrets: { token: { file: './token' } },
  }
})

const loadFiles = async (...texts: readonly string[]): Promise<LoadResult> => {
  const files = texts.map((_, index) => `/project/${index}.yaml`)
  const result = await load({
    ...{ files, workingDirectory: '/project', environment: { HOME: '/home/user' }, profiles: [] },
    readFile: (path) => texts[files.indexOf(path)],
  })
  assert.equal(
    result.diagnostics.filter(({ severity }) => severity === 'error'),
    [],
    texts[0] ?? '',
  )
  return result
}

const yamlOf = ({ canonical }: LoadResult): string => formatYaml(canonical, { interpolated: true })
const jsonOf = ({ canonical }: LoadResult): string => formatJson(canonical, { interpolated: true })

test('the canonical form of a project is a fixed point', () =>
  fc.assert(
    fc.asyncProperty(projects, async (project) => {
      const first = await loadFiles(JSON.stringify(project))
      const again = await loadFiles(yamlOf(first))
      assert.is(yamlOf(again), yamlOf(first))
      assert.is(jsonOf(again), jsonOf(first))
    }),
    { numRuns: 60, seed: 1 },
  ))

test('a file merged with itself says the same', () =>
  fc.assert(
    fc.asyncProperty(projects, async (project) => {
      const text = JSON.stringify(project)
      assert.is(yamlOf(await loadFiles(text, text)), yamlOf(await loadFiles(text)))
    }),
    { numRuns: 60, seed: 2 },
  ))

test('a list that no rule makes unique has the items of both files', async () => {
  const text = JSON.stringify({ services: { web: { image: 'x' } }, 'x-list': ['a', 'b'] })
  const { canonical } = await loadFiles(text, text)
  assert.equal(canonical['x-list'], ['a', 'b', 'a', 'b'])
})

test('without a dollar sign interpolation returns the very same tree', () =>
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify({ 'x-any': value }).replaceAll('$', '')
      const report = new Report()
      const [tree] = parse('file', text, report).trees
      if (!tree) return
      const sources = new Map([['file', text]])
      assert.is(interpolate(tree, { environment: {}, wrong: new Set(), sources, report, variables: true }), tree)
    }),
    { numRuns: 200, seed: 3 },
  ))

test.run()
