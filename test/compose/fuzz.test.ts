/**
 * Whatever stands in the files, loading them ends, in bounded memory, and says why there is no project. Runs of one seed;
 * FUZZ_RUNS=10000 for more. What is large runs in a process with a small heap.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MEANINGS } from '../../src/compose/codes.ts'
import { load } from '../../src/compose/load.ts'
import { compileSchema, fixtures } from './cases.ts'
import { HOSTILE } from './hostile.ts'

compileSchema()

const SEED = 4
const RUNS = Number(process.env.FUZZ_RUNS ?? 60)

const texts = readdirSync(fixtures)
  .flatMap((phase) => readdirSync(join(fixtures, phase)).map((name) => join(fixtures, phase, name, 'compose.yaml')))
  .filter((file) => existsSync(file) && !file.includes('bomb'))
  .map((file) => {
    try {
      return readFileSync(file, 'utf8')
    } catch {
      return ''
    }
  })

/** A project, or errors of known codes whose places lie inside their files. */
const check = async (files: readonly string[], dotenv = ''): Promise<void> => {
  const names = files.map((_, index) => `/project/${index}.yaml`)
  const { project, diagnostics, sources } = await load({
    files: names,
    workingDirectory: '/project',
    environment: { HOME: '/home/user', A: 'a' },
    profiles: ['*'],
    readFile: (path) => (path.endsWith('.env') ? dotenv : files[names.indexOf(path)]),
  })
  for (const { code, at } of diagnostics) {
    assert.ok(code in MEANINGS, code)
    assert.ok(!at || (at.start >= 0 && at.start <= at.end && at.end <= Math.max(1, sources.get(at.file)?.length ?? 0)))
  }
  assert.ok(project !== undefined || diagnostics.some(({ severity }) => severity === 'error'))
}

const PIECES = [
  '${',
  '}',
  '$',
  ':',
  ' ',
  '\n',
  '  ',
  '- ',
  '[',
  ']',
  '{',
  '&a ',
  '*a',
  '<<: ',
  '!reset ',
  '!override ',
  '"',
  "'",
]
  .concat([
    '|',
    '>',
    '#',
    '\t',
    '\r',
    '\0',
    '\ufeff',
    '\ud800',
    '~',
    '-1',
    '1e999',
    '99999999999999999999',
    '0x',
    'null',
    '---\n',
  ])
  .concat(['__proto__', 'x-', 'services', '!!binary ', '%', '@', '`', '😀', ',', '/', '..', '='])

interface Change {
  readonly at: number
  readonly remove: number
  readonly piece: string
}

const change = fc.record({ at: fc.nat(2000), remove: fc.nat(12), piece: fc.constantFrom(...PIECES) })

const apply = (text: string, { at, remove, piece }: Change): string => {
  const place = text.length === 0 ? 0 : at % text.length
  return text.slice(0, place) + piece + text.slice(place + remove)
}

const mutated = fc
  .tuple(fc.constantFrom(...texts), fc.array(change, { minLength: 1, maxLength: 5 }))
  .map(([text, changes]) => changes.reduce(apply, text))

test('changed files load, or say why not', async () => {
  await fc.assert(
    fc.asyncProperty(mutated, (text) => check([text])),
    { seed: SEED, numRuns: RUNS },
  )
})

test('changed files merge, or say why not', async () => {
  await fc.assert(
    fc.asyncProperty(mutated, mutated, (one, other) => check([one, other])),
    { seed: SEED, numRuns: RUNS },
  )
})

test('any bytes load as a Compose file and as an env file, or say why not', async () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('utf8'))
  const service = 'services: {web: {image: a, env_file: web.env, label_file: labels.env}}'
  await fc.assert(
    fc.asyncProperty(bytes, fc.string({ unit: 'binary' }), async (text, other) => {
      await check([text])
      await check([service], text)
      await check([service], other)
    }),
    { seed: SEED, numRuns: RUNS },
  )
})

const program = `
  const [loader, hostile] = process.argv.slice(1)
  const { load } = await import(loader)
  const { HOSTILE } = await import(hostile)
  for (const [name, text] of Object.entries(HOSTILE)) {
    const made = text()
    const { project, diagnostics } = await load({
      files: ['/project/compose.yaml'], workingDirectory: '/project', environment: {}, profiles: [],
      readFile: (path) => (path === '/project/compose.yaml' ? made : undefined),
    })
    const codes = project ? ['project'] : [...new Set(diagnostics.map(({ code }) => code))]
    process.stdout.write(name + ': ' + codes.join(' ') + '\\n')
  }
`

test('what is made to exhaust the loader ends in a heap of 400 MB', () => {
  const here = dirname(fileURLToPath(import.meta.url))
  const modules = [join(here, '../../src/compose/load.ts'), join(here, 'hostile.ts')]
  const flags = ['--max-old-space-size=400', '--import', 'tsx', '--input-type=module', '--eval', program]
  const answer = execFileSync(process.execPath, [...flags, ...modules], { encoding: 'utf8', timeout: 50_000 })
  const lines = answer.trimEnd().split('\n')
  assert.equal(
    lines.map((line) => line.split(': ')[0]),
    Object.keys(HOSTILE),
  )
  for (const line of lines) assert.match(line, /: (project|[a-z0-9-]+( [a-z0-9-]+)*)$/)
})

test.run()
