/**
 * The package as a user gets it: packed, installed globally into a scratch prefix, run on a small project, removed.
 * `node --import tsx test/package.ts SCRATCH_DIRECTORY`. Throws where anything is not as it should be.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { repository } from './helpers/imports.ts'
import { compareSnapshots, settledSnapshot, takeSnapshot } from './helpers/leaks.ts'
import { inNamespaces } from './helpers/namespaces.ts'

const scratch = resolve(process.argv[2] ?? '')
const prefix = join(scratch, 'prefix')
const project = join(scratch, 'project')
const caisson = join(prefix, 'bin', 'caisson')
const NAME = 'package-check'
/** Second argument of the run in namespaces of its own. */
const INSIDE = 'inside'

process.env.CAISSON_ROOT = join(scratch, 'root')
process.env.CAISSON_RUN = join(scratch, 'run')
process.env.CAISSON_TEST_PREFIX = NAME

const npm = (...args: string[]): string =>
  execFileSync('npm', [...args, '--loglevel=error'], { cwd: repository, encoding: 'utf8' })

/** Output of a command that has to succeed. */
const run = (...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync(caisson, args, { cwd: project, encoding: 'utf8' })
  assert.equal(status, 0, `caisson ${args.join(' ')}: exit ${status}\n${stdout}${stderr}`)
  return stdout
}

const install = (): void => {
  const packed = npm('pack', '--silent', '--pack-destination', scratch).trim().split('\n').at(-1) ?? ''
  npm('install', '--global', '--no-audit', '--no-fund', `--prefix=${prefix}`, join(scratch, packed))
}

const writeProject = (): void => {
  mkdirSync(project)
  const text = `name: ${NAME}\nservices:\n  hello:\n    image: caisson/host\n    command: sh -c 'echo hello from the package; exec sleep 60'\n    stop_grace_period: 0s\n`
  writeFileSync(join(project, 'compose.yaml'), text)
}

const tryProject = (): void => {
  run('up', '-d')
  try {
    assert.equal(run('ps', '--services'), 'hello\n')
    assert.match(run('logs', '--no-log-prefix'), /hello from the package/)
    assert.equal(run('exec', '-T', 'hello', 'echo', 'inside'), 'inside\n')
  } finally {
    run('down', '-v')
  }
}

const checkAlone = async (): Promise<void> => {
  const before = takeSnapshot()
  assert.match(run('version'), /^Caisson version v\d/)
  tryProject()
  assert.deepEqual(compareSnapshots(before, await settledSnapshot(before)), [])
  console.log('packed, installed, ran a project, left nothing behind')
}

if (process.argv[3] === INSIDE) await checkAlone()
else {
  install()
  writeProject()
  const [file = '', ...args] = [
    ...inNamespaces,
    process.execPath,
    '--import',
    'tsx',
    fileURLToPath(import.meta.url),
    scratch,
    INSIDE,
  ]
  execFileSync(file, args, { cwd: repository, stdio: 'inherit' })
}
