/**
 * First code of the process: loads the bundles beside it (cli/*.js) with V8's code cache. Compiling them anew would cost
 * more than most commands take. The cache holds what the same command compiled last time, in a directory that only this
 * user can write, because it is code. Everything about it may fail without harm: then there is no cache.
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Script } from 'node:vm'
import { Tuning } from './tuning.ts'

/** Hash of the bundles, set by scripts/build.mjs: V8 itself compares only the length of the source. */
declare const CAISSON_BUNDLE: string

interface Main {
  main(words: readonly string[], noteText: (text: string) => void): Promise<number>
}

/** Commands with a cache of their own: each runs other parts of the main bundle. */
const VERBS = ['up', 'down', 'ps', 'logs', 'exec', 'port', 'ls', 'config', 'version', 'stop', 'start', 'kill', 'image']
const verb = process.argv.find((word, index) => index > 1 && VERBS.includes(word)) ?? 'other'

const bundles = join(__dirname, 'cli')
const generation = `code-${CAISSON_BUNDLE}-${process.versions.v8}`

const attempt = <T>(action: () => T): T | undefined => {
  try {
    return action()
  } catch {
    return undefined
  }
}

/** Directory of the caches, made if need be; undefined if another user could write there. */
const cacheDirectory = (): string | undefined => {
  const { XDG_CACHE_HOME, HOME } = process.env
  const base = XDG_CACHE_HOME || (HOME ? join(HOME, '.cache') : undefined)
  if (base === undefined) return undefined
  const path = join(base, 'caisson')
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const { uid, mode } = lstatSync(path)
  return uid === process.getuid?.() && (mode & 0o077) === 0 ? path : undefined
}

const directory = attempt(cacheDirectory)
const tuning = new Tuning()

const saveCache = (name: string, script: Script): void => {
  if (directory === undefined || !tuning.isUsual) return
  for (const other of readdirSync(directory)) {
    if (other.startsWith('code-') && other !== generation)
      rmSync(join(directory, other), { recursive: true, force: true })
  }
  const folder = join(directory, generation)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const temporary = join(folder, `${name}.${process.pid}`)
  writeFileSync(temporary, script.createCachedData(), { mode: 0o600 })
  renameSync(temporary, join(folder, name))
}

/** At the end of the process, when the functions that this command needs are compiled. */
const saveAtExit = (name: string, script: Script): void => {
  process.once('exit', () => attempt(() => tuning.asUsual(() => saveCache(name, script))))
}

const loaded = new Map<string, { exports: unknown }>()

const loadBundle = (file: string, cache: string): unknown => {
  const known = loaded.get(file)
  if (known !== undefined) return known.exports
  const filename = join(bundles, file)
  const cachedData =
    directory === undefined ? undefined : attempt(() => readFileSync(join(directory, generation, cache)))
  // esbuild writes ASCII, which is read fastest this way.
  const source = readFileSync(filename, 'latin1')
  const script = tuning.asUsual(
    () => new Script(source, { filename, ...(cachedData === undefined ? {} : { cachedData }) }),
  )
  if (cachedData === undefined || script.cachedDataRejected) saveAtExit(cache, script)
  const module = { exports: {} as unknown }
  loaded.set(file, module)
  script.runInThisContext()(module.exports, requireFromBundle, module, filename, bundles)
  return module.exports
}

/** `./yaml.js` is another bundle; everything else is part of Node. */
const requireFromBundle = (name: string): unknown =>
  name.startsWith('./') ? loadBundle(basename(name), basename(name)) : require(name)

/** Commands that hold something listen themselves, and end in their own way. */
const guard = (stdout: NodeJS.WriteStream): void => {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (stdout.listenerCount('error') === 1) process.exit(error.code === 'EPIPE' ? 0 : 1)
  })
}

/** Node makes the stream at the first look, which takes 7 ms: what writes nothing shall not pay for it. */
const guardAtFirstLook = (): void => {
  const { get } = Object.getOwnPropertyDescriptor(process, 'stdout') ?? {}
  if (get === undefined) {
    guard(process.stdout)
    return
  }
  const define = (getter: () => unknown): void => {
    Object.defineProperty(process, 'stdout', { configurable: true, enumerable: true, get: getter })
  }
  define(() => {
    define(get)
    guard(process.stdout)
    return process.stdout
  })
}

guardAtFirstLook()
const { main } = loadBundle('main.js', verb) as Main
main(process.argv.slice(2), tuning.expect).then((code) => {
  process.exitCode = code
})
