// `npm test [-- part of a file name …]`: installs, builds, and runs the tests.
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { prepare, root } from './prepare.mjs'

prepare()
const native = spawnSync(process.execPath, [join(root, 'scripts', 'build-native.mjs'), '--sanitize'], {
  cwd: root,
  stdio: 'inherit',
})
if (native.status !== 0) process.exit(native.status ?? 1)
const args = ['--import', 'tsx', join(root, 'test', 'run.ts'), ...process.argv.slice(2)]
const tests = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => tests.kill(signal))
tests.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
