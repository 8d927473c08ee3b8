// What `npm start` and `npm test` need before anything else runs: tools, packages, a build. Node's own modules only.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const LEAST_NODE = [20, 19]

/** Exit code 4: this machine cannot run it. */
export const refuse = (message) => {
  console.error(message)
  process.exit(4)
}

const checkNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])) return
  refuse(`Node ${LEAST_NODE.join('.')} or newer is needed; this is ${process.versions.node}.`)
}

const compiler = process.env.CXX ?? 'g++'

/** The compiler answers with a bare name where it has no such file. */
const hasLibrary = (name) =>
  isAbsolute(spawnSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout?.trim() ?? '')

const checkCompiler = () => {
  if (spawnSync(compiler, ['--version']).status !== 0) {
    refuse(
      `A C++ compiler is needed (${compiler} does not run).\n  Debian, Ubuntu: sudo apt-get install g++\n  Fedora: sudo dnf install gcc-c++ libstdc++-static glibc-static`,
    )
  }
  const missing = ['libc.a', 'libstdc++.a'].filter((name) => !hasLibrary(name))
  if (missing.length === 0) return
  refuse(
    `The monitor is linked statically: ${missing.join(' and ')} missing.\n  Debian, Ubuntu: sudo apt-get install g++ libc6-dev\n  Fedora: sudo dnf install libstdc++-static glibc-static`,
  )
}

const homeOf = (uid) =>
  readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => Number(fields[2]) === uid)?.[5]

/** Who the files here belong to: under sudo nothing may become root's. */
const caller = () => {
  const { uid, gid } = statSync(root)
  if (process.getuid() !== 0 || uid === 0) return {}
  return { uid, gid, env: { ...process.env, HOME: homeOf(uid) ?? '/' } }
}

const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...caller() })
  if (status !== 0) process.exit(status ?? 1)
}

const isInstalled = () => {
  const installed = join(root, 'node_modules', '.package-lock.json')
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs
}

/** Packages need no install scripts: esbuild and biome find their programs without. */
const install = () => {
  if (isInstalled()) return
  console.error('installing packages …')
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])
}

/** Checks, installs and builds what is missing or stale; silent when nothing is. Ends the process where it cannot. */
export const prepare = () => {
  checkNode()
  checkCompiler()
  install()
  run(process.execPath, [join(root, 'scripts', 'build.mjs')])
}
