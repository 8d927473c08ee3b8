/**
 * First code of the process. Runs the bundle beside it (cli/main.js) with V8's code cache: compiling it anew would cost
 * more than most commands take. The cache holds what the same command compiled last time, in a directory that only this
 * user can write, because it is code. Everything here may fail without harm: then there is no cache.
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Script } from 'node:vm'

/** Hash of the bundle, set by scripts/build.mjs: V8 itself compares only the length of the source. */
declare const CAISSON_BUNDLE: string

interface Bundle {
  main(words: readonly string[]): Promise<number>
}

/** Commands with a cache of their own: each loads other modules. */
const VERBS = ['up', 'down', 'ps', 'logs', 'exec', 'port', 'ls', 'config', 'version', 'stop', 'start', 'kill', 'image']
const verb = process.argv.find((word, index) => index > 1 && VERBS.includes(word)) ?? 'other'

/** Directory of the cache, made if need be; undefined if another user could write there. */
const privateDirectory = (path: string): string | undefined => {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const { uid, mode } = lstatSync(path)
  return uid === process.getuid?.() && (mode & 0o077) === 0 ? path : undefined
}

const cacheDirectory = (): string | undefined => {
  const { XDG_CACHE_HOME, HOME } = process.env
  const base = XDG_CACHE_HOME || (HOME ? join(HOME, '.cache') : undefined)
  return base === undefined ? undefined : privateDirectory(join(base, 'caisson'))
}

const attempt = <T>(action: () => T): T | undefined => {
  try {
    return action()
  } catch {
    return undefined
  }
}

const generation = `code-${CAISSON_BUNDLE}-${process.versions.v8}`

const saveCache = (directory: string, script: Script): void => {
  for (const name of readdirSync(directory)) {
    if (name.startsWith('code-') && name !== generation) rmSync(join(directory, name), { recursive: true, force: true })
  }
  const folder = join(directory, generation)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const temporary = join(folder, `${verb}.${process.pid}`)
  writeFileSync(temporary, script.createCachedData(), { mode: 0o600 })
  renameSync(temporary, join(folder, verb))
}

const loadBundle = (): Bundle => {
  const file = join(__dirname, 'cli', 'main.js')
  const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'utf8')}\n})`
  const directory = attempt(cacheDirectory)
  const cachedData =
    directory === undefined ? undefined : attempt(() => readFileSync(join(directory, generation, verb)))
  const script = new Script(source, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) })
  if (directory !== undefined && (cachedData === undefined || script.cachedDataRejected)) {
    process.once('exit', () => attempt(() => saveCache(directory, script)))
  }
  const module = { exports: {} as Bundle }
  script.runInThisContext()(module.exports, require, module, file, dirname(file))
  return module.exports
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
loadBundle()
  .main(process.argv.slice(2))
  .then((code) => {
    process.exitCode = code
  })
