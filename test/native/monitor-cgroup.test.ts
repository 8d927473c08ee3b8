import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { CgroupPlan } from '../../src/native/launch-plan.ts'
import { createSandbox } from '../helpers/launch.ts'
import { eventually, isAlive, parentOf, runToEnd, startMonitor } from '../helpers/monitor.ts'
import { needsRoot } from '../helpers/root.ts'

needsRoot(test)

const prefix = process.env.CAISSON_TEST_PREFIX ?? 'test-monitor'
const v1 = existsSync('/sys/fs/cgroup/memory/memory.oom_control')
const parent = `/sys/fs/cgroup${v1 ? '/memory' : ''}/caisson/${prefix}-monitor`
const sandbox = createSandbox()
test.after(() => sandbox.remove())

const cgroup = (name: string, limits: CgroupPlan['limits'] = []): CgroupPlan => ({
  path: `${parent}/${name}`,
  prepare: v1
    ? []
    : ['/sys/fs/cgroup', '/sys/fs/cgroup/caisson', parent].map((path) => ({
        path: `${path}/cgroup.subtree_control`,
        value: '+memory',
      })),
  limits,
  join: true,
  inheritCpuset: false,
  unified: !v1,
})

const limited = (script: string, name: string) =>
  sandbox.plan(['sh', '-c', script], {
    cgroups: [cgroup(name, [{ path: v1 ? 'memory.limit_in_bytes' : 'memory.max', value: '33554432' }])],
    memoryEvents: { kind: v1 ? 'v1' : 'v2', path: `${parent}/${name}` },
    stopGraceMs: 0,
  })

test.before(() => {
  mkdirSync(parent, { recursive: true })
})
test.after(() => {
  for (const path of [`${parent}/monitors`, parent]) {
    if (existsSync(path)) rmdirSync(path)
  }
  try {
    rmdirSync(dirname(parent))
  } catch {
    // Projects of other tests are in it, or it went with the last of them.
  }
})

test('a process that the kernel kills for want of memory is told apart from one that was killed', async () => {
  const journal = `${sandbox.root}/events`
  const [exit] = await runToEnd(sandbox, { ...limited('exec tail /dev/zero', 'oom'), journal })
  assert.equal(exit, { code: 137, signal: 9, oomKilled: true })
  assert.match(readFileSync(journal, 'utf8'), /"action":"oom"/)
  const [killed] = await runToEnd(sandbox, limited('kill -9 $$; exec sleep 0', 'killed'))
  assert.is(killed.oomKilled, false)
})

test('the cgroups of a run go with it', async () => {
  const plan = limited('sleep 100', 'gone')
  const started = startMonitor(sandbox, plan)
  started.client.commit()
  const pid = await started.client.go()
  assert.match(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), new RegExp(`${prefix}-monitor/gone`))
  await started.client.stop()
  assert.is(existsSync(`${parent}/gone`), false)
})

test('the monitor lives in a cgroup of its own, away from its caller', async () => {
  const plan = { ...limited('sleep 100', 'own'), monitorCgroups: [cgroup('monitors')] }
  const started = startMonitor(sandbox, plan)
  const pid = await started.client.created
  const monitor = parentOf(pid)
  assert.match(readFileSync(`/proc/${monitor}/cgroup`, 'utf8'), new RegExp(`${prefix}-monitor/monitors`))
  started.client.close()
  await eventually(() => !isAlive(monitor))
  assert.is(existsSync(`${parent}/own`), false)
})

test.run()
