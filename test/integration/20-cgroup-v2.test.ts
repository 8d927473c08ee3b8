// deadline: 600 s
// takes: 160 s
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import * as esbuild from 'esbuild'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { skipFile } from '../helpers/root.ts'

/** The scenarios that depend on the cgroup version, on a stock kernel with cgroup v2 in an emulated machine. */
const runner = process.env.CAISSON_TEST_VM
const named = ['01-one-service', '07-limits', '28-lives', '40-keys']
const top = resolve(import.meta.dirname, '../..')

const vm = runner ?? skipFile('cgroup v2 in an emulated machine: CAISSON_TEST_VM names no runner')
const bundles = mkdtempSync(join(tmpdir(), 'caisson-cgroup-v2-'))
test.after(() => rmSync(bundles, { recursive: true, force: true }))

/** In there tsx takes six seconds for each file. */
const bundle = (): void => {
  esbuild.buildSync({
    entryPoints: named.map((name) => join(import.meta.dirname, `${name}.test.ts`)),
    outdir: bundles,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    define: { 'import.meta.dirname': JSON.stringify(import.meta.dirname) },
  })
}

// Emulated code is translated anew for each address that it is run at: with the same ones in every process, a command
// takes a third.
const command = `
echo 0 > /proc/sys/kernel/randomize_va_space
mkdir -p /scratch/t && cd ${top} || exit 9
export CAISSON_ROOT=/scratch/t/root CAISSON_RUN=/scratch/t/run XDG_CACHE_HOME=/scratch/t/cache TMPDIR=/scratch/t
failed=0
for name in ${named.join(' ')}; do ${process.execPath} ${bundles}/$name.test.mjs || failed=1; done
exit $failed`

test(`${named.join(', ')} pass with cgroup v2`, () => {
  bundle()
  const result = spawnSync(vm, ['-t', '560', '--', 'bash', '-c', command], {
    encoding: 'utf8',
    timeout: 580_000,
    env: { ...process.env, CI: '' },
  })
  assert.is(result.status, 0, `${result.stdout}${result.stderr}`.slice(-6000))
})

test.run()
