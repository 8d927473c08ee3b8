// Builds what is stale: the validator of the Compose schema, the bundles in dist/, the native programs in build/.
//   node scripts/build.mjs [--prebuilds] [--no-native]
// --prebuilds: also copies the native programs to prebuilds/<arch>/, where an installed package looks for them.
// Silent when there is nothing to do. Under sudo everything is made as the calling user.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const at = (...parts) => join(root, ...parts)
const flags = new Set(process.argv.slice(2))

/** Root by sudo in a folder of somebody else: files must stay theirs. */
const becomeCaller = () => {
  const { uid, gid } = statSync(root)
  if (process.getuid() !== 0 || uid === 0) return
  process.setgroups([gid])
  process.setgid(gid)
  process.setuid(uid)
}

const newest = (path) => {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return 0
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

const isStale = (target, sources) =>
  !existsSync(target) || sources.some((source) => newest(source) > statSync(target).mtimeMs)

const node = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })

const validator = at('build', 'compose-validator.cjs')
const schemaWords = at('build', 'compose-schema.json')

const buildValidator = () => {
  const compiler = at('scripts', 'compile-schema.ts')
  const sources = [at('schemas', 'compose.schema.json'), compiler]
  if (existsSync(compiler) && [validator, schemaWords].some((target) => isStale(target, sources)))
    node('--import', 'tsx', compiler)
}

// GNU env; `--`: --env-file is our flag, whose file Node 20 looks for wherever it stands. Certificates of NODE_EXTRA_CA_CERTS cost every Node start 65 ms; src/cli/context.ts puts the variable back.
const SHEBANG = '#!/usr/bin/env -S -u NODE_EXTRA_CA_CERTS CAISSON_CA=${NODE_EXTRA_CA_CERTS} node --'

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  legalComments: 'none',
  // vm.Script has no import(); what is not bundled is part of Node, and require loads it.
  supported: { 'dynamic-import': false },
  logLevel: 'warning',
  absWorkingDir: root,
}

// What only some runs need, and what knows nothing of the rest: bundles of their own, each with its own code cache.
const PARTS = { yaml: 'yaml', listr2: 'listr2', 'compose-validator': validator }

/** Leaves PARTS out of a bundle: there they are `require('./yaml.js')`. */
const withoutParts = {
  name: 'parts',
  setup(build) {
    build.onResolve({ filter: /^yaml$|^listr2$|\/compose-validator\.cjs$/ }, ({ path }) => {
      const name = Object.keys(PARTS).find((part) => path.includes(part))
      return { path: `./${name}.js`, external: true }
    })
  },
}

/** Of the schema, what words of mistakes need: the rest of the file is for editors, and large. */
const smallSchema = {
  name: 'small-schema',
  setup(build) {
    build.onResolve({ filter: /\/compose\.schema\.json$/ }, () => ({ path: schemaWords }))
  },
}

// Bundles lie as deep below the package as sources do: src/native/load.ts finds build/ and prebuilds/ from both.
const location = "const caissonUrl = require('node:url').pathToFileURL(__filename).href;"
const define = (version) => ({
  CAISSON_VERSION: JSON.stringify(version),
  'import.meta.url': 'caissonUrl',
  'import.meta.dirname': '__dirname',
  'process.env.NODE_ENV': '"production"',
})

/** A function around the whole, as Node's own loader puts it: src/cli/entry.ts is that loader. */
const asFunction = (banner = '') => ({
  banner: { js: `(function (exports, require, module, __filename, __dirname) {${banner}` },
  footer: { js: '})' },
})

const buildCommandLine = async (esbuild, version) => {
  // Short names make a third less to read and to compile at each start.
  const options = { ...common, outdir: 'dist/cli', minify: true }
  const main = {
    ...options,
    entryPoints: { main: 'src/cli/main.ts' },
    define: define(version),
    plugins: [withoutParts, smallSchema],
    ...asFunction(location),
  }
  await Promise.all([esbuild.build(main), esbuild.build({ ...options, entryPoints: PARTS, ...asFunction() })])
  const hash = createHash('sha256')
  for (const name of readdirSync(at('dist', 'cli')).sort()) hash.update(readFileSync(at('dist', 'cli', name)))
  return hash.digest('hex').slice(0, 16)
}

const buildBundles = async () => {
  const entry = at('dist', 'caisson.js')
  const sources = ['src', 'package.json', 'scripts/build.mjs'].map((path) => at(path))
  if (!isStale(entry, [...sources, validator])) return
  const esbuild = await import('esbuild')
  const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'))
  const hash = await buildCommandLine(esbuild, version)
  await esbuild.build({
    ...common,
    entryPoints: { index: 'src/index.ts' },
    outdir: 'dist/lib',
    define: define(version),
    plugins: [smallSchema],
    banner: { js: location },
  })
  await esbuild.build({
    ...common,
    entryPoints: ['src/cli/entry.ts'],
    outfile: 'dist/caisson.js',
    define: { CAISSON_BUNDLE: JSON.stringify(hash) },
    banner: { js: SHEBANG },
  })
  writeFileSync(at('dist', 'package.json'), '{ "type": "commonjs" }\n')
  chmodSync(entry, 0o755)
}

const NATIVE = ['caisson.node', 'caisson-monitor']

const copyPrebuilds = () => {
  const folder = at('prebuilds', process.arch)
  mkdirSync(folder, { recursive: true })
  for (const name of NATIVE) copyFileSync(at('build', name), join(folder, name))
}

try {
  becomeCaller()
  buildValidator()
  await buildBundles()
  if (!flags.has('--no-native')) node(at('scripts', 'build-native.mjs'))
  if (flags.has('--prebuilds')) copyPrebuilds()
} catch (error) {
  // A program that failed has said why, and so has esbuild.
  if (error.status === undefined && error.errors === undefined) console.error(error.message)
  process.exit(1)
}
