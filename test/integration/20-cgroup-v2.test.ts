// deadline: 600 s
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { skipFile } from '../helpers/root.ts'

/** The scenarios that depend on the cgroup version, on a stock kernel with cgroup v2 in an emulated machine. */
const runner = process.env.CAISSON_TEST_VM
const named = ['01-one-service', '07-limits', '28-lives', '40-keys']
const top = resolve(import.meta.dirname, '../..')

const vm = runner ?? skipFile('cgroup v2 in an emulated machine: CAISSON_TEST_VM names no runner')

test(`${named.join(', ')} pass with cgroup v2`, () => {
  const script = `mkdir -p /scratch/t && export CAISSON_ROOT=/scratch/t/root CAISSON_RUN=/scratch/t/run XDG_CACHE_HOME=/scratch/t/cache TMPDIR=/scratch/t; cd ${top} || exit 9; failed=0; for f in ${named.join(' ')}; do ${process.execPath} --import tsx test/integration/$f.test.ts || failed=1; done; exit $failed`
  const result = spawnSync(vm, ['-t', '560', '--', 'bash', '-c', script], {
    encoding: 'utf8',
    timeout: 580_000,
    env: { ...process.env, CI: '' },
  })
  assert.is(result.status, 0, `${result.stdout}${result.stderr}`.slice(-6000))
})

test.run()
