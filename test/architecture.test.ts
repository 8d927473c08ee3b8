/** The rules of ARCHITECTURE.md that a machine can check. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { allImports, filesIn, type Import, importsOf, loadedWith, readSource, repository } from './helpers/imports.ts'

const L0 = ['errors', 'oci', 'units', 'linux']
const EFFECTS = ['image', 'network', 'volume', 'log', 'state']

interface Rule {
  /** Folders whose functions it may call. */
  readonly values: readonly string[]
  /** Folders of which it may know types, beside those. */
  readonly types: readonly string[]
  /** What it may use of Node and of packages; undefined: anything. */
  readonly modules: readonly string[] | undefined
}

const pure = ['node:assert', 'node:crypto']
const effect: Rule = {
  values: [...L0, 'native', 'monitor'],
  types: ['compose', 'plan', 'spec', 'state'],
  modules: undefined,
}

const RULES: Readonly<Record<string, Rule>> = {
  errors: { values: L0, types: [], modules: ['node:assert'] },
  oci: { values: L0, types: [], modules: ['node:assert'] },
  units: { values: L0, types: [], modules: ['node:assert'] },
  linux: { values: L0, types: [], modules: ['node:assert'] },
  compose: {
    values: L0,
    types: [],
    modules: [...pure, 'yaml', 'build/compose-validator.cjs', 'schemas/compose.schema.json'],
  },
  native: { values: L0, types: [], modules: undefined },
  monitor: { values: [...L0, 'native'], types: [], modules: undefined },
  plan: { values: L0, types: ['compose', 'native'], modules: pure },
  spec: { values: [...L0, 'native'], types: ['compose', 'native'], modules: pure },
  image: effect,
  network: effect,
  volume: effect,
  log: effect,
  state: effect,
  engine: {
    values: [...L0, 'compose', 'native', 'monitor', 'plan', 'spec', ...EFFECTS],
    types: [],
    modules: undefined,
  },
  index: { values: ['engine', 'plan', 'log', 'state'], types: ['native', ...L0], modules: undefined },
  cli: { values: ['index', 'compose', ...L0], types: [], modules: undefined },
}

/** What the command line may use of compose: reading a project, short forms as arguments, printing what was read. */
const COMPOSE_FOR_CLI = [
  'known-good',
  ...['load', 'discover', 'format', 'frame', 'positions', 'project', 'provenance', 'arguments'],
  ...['secret-variables', 'variables', 'digests'],
]

const folderOf = (path: string): string => path.split('/')[1]?.replace(/\.ts$/, '') ?? ''
const isOurs = (path: string): boolean => path.startsWith('src/')

const breach = (each: Import): string | undefined => {
  const from = folderOf(each.from)
  const rule = RULES[from]
  if (rule === undefined) return `the folder ${from} is in no layer`
  if (!isOurs(each.to))
    return each.type || rule.modules === undefined || rule.modules.includes(each.to)
      ? undefined
      : `${from} may not load ${each.to}`
  const to = folderOf(each.to)
  if (to === from || rule.values.includes(to) || (each.type && rule.types.includes(to))) return undefined
  return `${from} may not import ${each.type ? 'types of ' : ''}${to}`
}

const placed = (each: Import, message: string): string => `${each.from}:${each.line}: ${message} (${each.to})`

const imports = allImports()

test('every import goes down the layers', () => {
  const breaches = imports.flatMap((each) => {
    const message = breach(each)
    return message === undefined ? [] : [placed(each, message)]
  })
  assert.equal(breaches, [])
})

test('the command line reads projects and nothing else of compose', () => {
  const others = imports.filter(
    ({ from, to }) =>
      folderOf(from) === 'cli' &&
      folderOf(to) === 'compose' &&
      isOurs(to) &&
      !COMPOSE_FOR_CLI.some((name) => to === `src/compose/${name}.ts`),
  )
  assert.equal(
    others.map((each) => placed(each, 'not for the command line')),
    [],
  )
})

/** Words in the code of a folder, comments apart. */
const uses = (folder: string, pattern: RegExp): string[] =>
  filesIn(`src/${folder}`, '.ts').flatMap((file) =>
    readSource(file)
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line.replace(/^\s*(?:\/?\*|\/\/).*/, '')) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
      ),
  )

/** `process` is also a noun of the runtime specification. */
const CLOCK_CHANCE_PROCESS =
  /\bprocess\.(?:env\.[A-Z]|argv|cwd\(|exit|std|getuid|platform|arch\b|hrtime)|\bDate\.now|new Date\(\)|Math\.random|\bperformance\./

for (const folder of ['compose', 'plan', 'spec', 'units', 'linux', 'oci']) {
  test(`${folder} is pure: no process, clock or chance`, () => assert.equal(uses(folder, CLOCK_CHANCE_PROCESS), []))
}

test('the engine neither prints nor ends the process', () =>
  assert.equal(uses('engine', /\bconsole\.|process\.exit/), []))

test('only native/load.ts loads the addon', () => {
  const others = filesIn('src', '.ts').filter((file) => /dlopen\(|caisson\.node['"]/.test(readSource(file)))
  assert.equal(others, ['src/native/load.ts'])
})

test('there is no cycle between folders', () => {
  const edges = new Map<string, Set<string>>()
  for (const { from, to, type } of imports) {
    if (type || !isOurs(to) || folderOf(from) === folderOf(to)) continue
    edges.set(folderOf(from), (edges.get(folderOf(from)) ?? new Set()).add(folderOf(to)))
  }
  const reaches = (start: string): Set<string> => {
    const seen = new Set<string>()
    const pending = [...(edges.get(start) ?? [])]
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      if (seen.has(folder)) continue
      seen.add(folder)
      pending.push(...(edges.get(folder) ?? []))
    }
    return seen
  }
  assert.equal(
    [...edges.keys()].filter((folder) => reaches(folder).has(folder)),
    [],
  )
})

test('src/index.ts is the only file that only re-exports', () => {
  const barrels = filesIn('src', '.ts').filter((file) => {
    const code = readSource(file)
      .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
      .replaceAll(/export\s+(type\s+)?(\*|\{[^}]*\})\s+from\s+'[^']*'/g, '')
    return code.trim() === ''
  })
  assert.equal(barrels, ['src/index.ts'])
  assert.not.ok(existsSync(join(repository, 'src/utils')))
})

test('commands that only look load neither the reader of Compose files nor the drawing of lists', () => {
  for (const verb of [
    'ps',
    'ls',
    'logs',
    'port',
    'top',
    'stats',
    'images',
    'volumes',
    'events',
    'inspect',
    'exec',
    'version',
    'doctor',
    'image',
    'registry',
  ]) {
    const loaded = [...loadedWith('src/cli/main.ts'), ...loadedWith(`src/cli/commands/${verb}.ts`)]
    const heavy = loaded.filter((file) =>
      ['yaml', 'listr2', 'src/compose/load.ts', 'src/compose/parse.ts', 'src/native/load.ts'].includes(file),
    )
    assert.equal([verb, ...heavy], [verb])
  }
})

test('the entry and the list of commands load only what is small', () => {
  const own = [...loadedWith('src/cli/main.ts')].filter(
    (file) => file.startsWith('src/') && !file.startsWith('src/cli/'),
  )
  assert.equal(own.sort(), ['src/errors.ts', 'src/units/suggest.ts'])
})

test('files keep to 400 lines', () => {
  const long = [...filesIn('src', '.ts'), ...filesIn('native', '.cc', '.h')]
    .filter((file) => !file.startsWith('native/third_party/'))
    .map((file) => ({ file, lines: readSource(file).split('\n').length }))
    .filter(({ file, lines }) => lines > 400 && !/generated/i.test(readSource(file).slice(0, 400)))
    .map(({ file, lines }) => `${file}: ${lines}`)
  assert.equal(long, [])
})

test('every test file ends by running its tests', () => {
  const silent = filesIn('test', '.test.ts').filter((file) => !/\n\w+\.run\(\)\n*$/.test(readSource(file)))
  assert.equal(silent, [])
})

const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g

test('links between documents lead somewhere', () => {
  const documents = filesIn('.', '.md').filter((file) => !/^(?:node_modules|dist|build)\//.test(file))
  const broken = documents.flatMap((file) =>
    [...readSource(file).matchAll(LINK)]
      .map((match) => (match[1] ?? '').replace(/#.*/, ''))
      .filter((link) => link !== '' && !/^[a-z]+:/.test(link))
      .filter((link) => !existsSync(join(repository, dirname(file), link)))
      .map((link) => `${file}: ${link}`),
  )
  assert.equal(broken, [])
})

test('dependencies are for development alone: what runs is bundled', () => {
  const manifest = JSON.parse(readSource('package.json')) as { dependencies?: object; scripts: Record<string, string> }
  assert.is(manifest.dependencies, undefined)
  assert.equal(
    Object.keys(manifest.scripts).filter((name) => /^(?:pre|post)?install$/.test(name)),
    [],
  )
})

test('the importer finds what it looks for', () => {
  const found = importsOf('src/cli/registry.ts')
  assert.ok(found.some(({ to, lazy }) => to === 'src/cli/commands/up.ts' && lazy))
  assert.ok(found.some(({ to, type }) => to === 'src/cli/command.ts' && type))
})

test.run()
