// Builds native/ with plain g++: no make, no python, no node-gyp, no headers from the network.
//   node scripts/build-native.mjs [--sanitize] [--out=DIR] [TARGET …]
// Without flags: caisson-monitor and caisson.node. --sanitize: the test programs core-test and fuzz-* (ASan, UBSan) and
// launch-test and network-test (as released). Objects newer than what they are made of are kept; prints nothing when all is fresh.
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const args = process.argv.slice(2)
const wanted = args.filter((arg) => !arg.startsWith('--'))
const out = args.find((arg) => arg.startsWith('--out='))?.slice('--out='.length) ?? join(root, 'build')
const compiler = process.env.CXX ?? 'g++'
const jobs = 2

const common = [
  '-std=c++20',
  '-fPIC',
  '-fno-exceptions',
  '-fno-rtti',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
  '-Werror',
]
const variants = {
  release: [
    ...common,
    '-O2',
    '-fstack-protector-strong',
    '-D_FORTIFY_SOURCE=2',
    '-ffunction-sections',
    '-fdata-sections',
  ],
  sanitize: [
    ...common,
    '-O1',
    // Lines for a report; a third less to compile than with everything.
    '-g1',
    '-fno-omit-frame-pointer',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=all',
  ],
}
const napi = [
  `-I${join(root, 'node_modules/node-api-headers/include')}`,
  `-I${join(root, 'node_modules/node-addon-api')}`,
  '-DNAPI_VERSION=8',
  '-DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
]

const sources = (folder, keep = () => true) => {
  const path = join(root, 'native', folder)
  if (!existsSync(path)) return []
  return readdirSync(path)
    .filter((name) => /\.cc?$/.test(name) && keep(name))
    .sort()
    .map((name) => join(path, name))
}

const core = [...sources('core'), ...sources('network')]
const zstd = ['common', 'decompress'].flatMap((folder) => sources(`third_party/zstd/lib/${folder}`))
const archive = [...sources('archive'), ...sources('monitor', (name) => name === 'remove_tree.cc')]
const daemon = [
  ...core,
  ...['exec', 'netd', 'probe', 'archive', 'copy'].flatMap((folder) => sources(folder)),
  ...sources('monitor', (name) => name !== 'main.cc'),
]
const testSupport = sources('test', (name) => !/^(fuzz_.*|.*_test|launch|network)\.cc$/.test(name))
const gcSections = ['-Wl,--gc-sections', '-Wl,-z,relro,-z,now']
const sanitizers = ['-fsanitize=address,undefined']

/** Output file to its sources, the variant of their objects, and the flags of its link. */
const releaseTargets = [
  {
    name: 'caisson-monitor',
    variant: 'release',
    sources: [...daemon, ...sources('monitor', (name) => name === 'main.cc')],
    link: ['-static-pie', '-s', ...gcSections],
  },
  {
    name: 'caisson.node',
    variant: 'release',
    sources: [...core, ...archive, ...zstd, ...sources('ingest'), ...sources('addon')],
    link: ['-shared', '-s', '-static-libstdc++', '-static-libgcc', ...gcSections],
  },
]
// Of `library` only what a program refers to is linked.
const testTargets = [
  {
    name: 'core-test',
    variant: 'sanitize',
    sources: sources('test', (name) => name.endsWith('_test.cc')),
    library: [...daemon, ...testSupport],
    link: sanitizers,
  },
  {
    name: 'launch-test',
    variant: 'release',
    sources: sources('test', (name) => name === 'launch.cc'),
    library: [...core, ...sources('exec')],
    link: ['-static-pie', ...gcSections],
  },
  {
    name: 'network-test',
    variant: 'release',
    sources: sources('test', (name) => name === 'network.cc'),
    library: [...core, ...sources('netd')],
    link: ['-static-pie', ...gcSections],
  },
  ...sources('test', (name) => name.startsWith('fuzz_')).map((file) => ({
    name: basename(file, '.cc').replaceAll('_', '-'),
    variant: 'sanitize',
    sources: [file],
    library: [...daemon, ...testSupport],
    link: sanitizers,
  })),
]

const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0)
const shown = (path) => relative(root, path)

const fail = (message) => {
  console.error(message)
  process.exit(1)
}

/** Says which package is missing, instead of letting the linker say it in its own words. */
const checkTools = () => {
  try {
    execFileSync(compiler, ['--version'], { stdio: 'ignore' })
  } catch {
    fail(`A C++20 compiler is needed to build Caisson: '${compiler}' does not run. Debian, Ubuntu: apt install g++`)
  }
  for (const [archive, name] of [
    ['libstdc++.a', 'libstdc++-12-dev (or the version of your g++)'],
    ['libc.a', 'libc6-dev'],
  ]) {
    const path = execFileSync(compiler, [`-print-file-name=${archive}`], { encoding: 'utf8' }).trim()
    if (!path.startsWith('/')) fail(`${archive} is needed for a static binary. Debian, Ubuntu: apt install ${name}`)
  }
  if (!existsSync(join(root, 'node_modules/node-api-headers'))) fail('node_modules is missing: run npm ci')
}

/** The files that a .d file names, without the object itself. */
const dependencies = (path) =>
  existsSync(path)
    ? readFileSync(path, 'utf8').replaceAll('\\\n', ' ').split(':').slice(1).join(':').split(/\s+/).filter(Boolean)
    : []

const digest = (values) => createHash('sha256').update(values.join('\0')).digest('hex').slice(0, 16)

/** Code of others is C, and its warnings are theirs. */
const foreign = [
  '-x',
  'c',
  '-std=gnu11',
  '-fPIC',
  '-O2',
  '-w',
  '-fvisibility=hidden',
  '-DZSTD_DISABLE_ASM',
  '-DZSTD_LEGACY_SUPPORT=0',
]

const flagsOf = (source, variant) => {
  if (source.includes('/third_party/')) return foreign
  return [...variants[variant], ...(source.includes('/native/addon/') ? napi : [])]
}

/** One object file, or what has to be run to get it. */
const planObject = (source, variant) => {
  const flags = flagsOf(source, variant)
  const object = join(
    out,
    'obj',
    `${variant}-${digest([compiler, ...flags])}`,
    `${relative(join(root, 'native'), source)}.o`,
  )
  const needs = dependencies(object.replace(/\.o$/, '.d'))
  const built = modified(object)
  const fresh = built > 0 && needs.length > 0 && needs.every((path) => existsSync(path) && modified(path) < built)
  return { source, object, flags, fresh }
}

// Written under another name and renamed, so that two builds of one tree do not read each other's halves.
const compile = async ({ source, object, flags }) => {
  mkdirSync(dirname(object), { recursive: true })
  const draft = `${object}.${process.pid}`
  const deps = object.replace(/\.o$/, '.d')
  await run(compiler, [...flags, '-MMD', '-MF', `${draft}.d`, '-c', source, '-o', draft], { maxBuffer: 1 << 24 })
  renameSync(`${draft}.d`, deps)
  renameSync(draft, object)
}

const link = async (target, objects, library) => {
  const path = join(out, target.name)
  const draft = `${path}.${process.pid}`
  const archive = library.length === 0 ? [] : [`${draft}.a`]
  if (library.length > 0) await run('ar', ['qcs', `${draft}.a`, ...library])
  await run(compiler, [...target.link, '-o', draft, ...objects, ...archive], { maxBuffer: 1 << 24 })
  renameSync(draft, path)
  for (const file of archive) rmSync(file)
}

/** Runs `work` on each item, `jobs` at a time; returns the items whose work failed. */
const inParallel = async (items, work) => {
  const failed = new Set()
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await work(item)
      } catch (error) {
        failed.add(item)
        console.error(error.stderr || error.message)
      }
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  return failed
}

const isStale = (target, objects) => {
  const path = join(out, target.name)
  const stamp = `${path}.link`
  const recipe = digest([compiler, ...target.link, ...objects])
  if (
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === recipe &&
    objects.every((object) => modified(object) <= modified(path))
  )
    return false
  return { stamp, recipe }
}

/** Compiles and links what is stale. Returns how many steps failed; one target's failure does not stop the others. */
const build = async (targets) => {
  mkdirSync(out, { recursive: true })
  const objects = new Map()
  const objectOf = (target) => (source) => {
    const key = `${target.variant} ${source}`
    if (!objects.has(key)) objects.set(key, planObject(source, target.variant))
    return objects.get(key)
  }
  const plans = targets.map((target) => ({
    target,
    own: target.sources.map(objectOf(target)),
    library: (target.library ?? []).map(objectOf(target)),
  }))
  const stale = [...objects.values()].filter((object) => !object.fresh)
  if (stale.length > 0) checkTools()
  if (stale.length > 0) console.error(`compiling ${stale.length} C++ files`)
  const broken = await inParallel(stale, compile)
  const linkable = plans.filter(({ own, library }) => ![...own, ...library].some((object) => broken.has(object)))
  const failed = await inParallel(linkable, async ({ target, own, library }) => {
    const files = (items) => items.map((item) => item.object)
    const state = isStale(target, [...files(own), ...files(library)])
    if (!state) return
    await link(target, files(own), files(library))
    writeFileSync(state.stamp, state.recipe)
    console.error(`built ${shown(join(out, target.name))}`)
  })
  return broken.size + failed.size
}

const all = args.includes('--sanitize') ? testTargets : releaseTargets
const targets =
  wanted.length > 0 ? [...releaseTargets, ...testTargets].filter((target) => wanted.includes(target.name)) : all
if ((await build(targets)) > 0) process.exit(1)
