import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { CgroupFacts } from '../../src/native/host-facts.ts'
import type { CgroupPlan } from '../../src/native/launch-plan.ts'
import { groupPath } from '../../src/spec/cgroup-path.ts'
import { HYBRID, V1, V2 } from './inputs.ts'
import { findingsOf, planOf, specOf } from './lowered.ts'

const limited = { memLimitBytes: 64 << 20, cpus: 1.5, pidsLimit: 50 }
const plan = (cgroup: CgroupFacts) => planOf({ service: limited, facts: { cgroup } })
const limits = (cgroups: readonly CgroupPlan[]) =>
  cgroups.flatMap((cgroup) =>
    cgroup.limits
      .filter(({ path }) => !path.startsWith('devices.'))
      .map(({ path, value }) => `${cgroup.path}/${path}=${value}`),
  )

test('limits on v2', () => {
  const at = '/sys/fs/cgroup/caisson/shop/0123456789ab'
  assert.equal(limits(plan(V2).cgroups), [
    `${at}/memory.max=67108864`,
    `${at}/memory.swap.max=67108864`,
    `${at}/cpu.max=150000 100000`,
    `${at}/pids.max=50`,
  ])
})

test('limits on v1, and the same on hybrid', () => {
  const at = (controllers: string) => `/sys/fs/cgroup/${controllers}/caisson/shop/0123456789ab`
  const expected = [
    `${at('memory')}/memory.limit_in_bytes=67108864`,
    `${at('memory')}/memory.memsw.limit_in_bytes=134217728`,
    `${at('cpu,cpuacct')}/cpu.cfs_period_us=100000`,
    `${at('cpu,cpuacct')}/cpu.cfs_quota_us=150000`,
    `${at('pids')}/pids.max=50`,
  ]
  assert.equal(limits(plan(V1).cgroups), expected)
  assert.equal(limits(plan(HYBRID).cgroups), expected)
})

test('no swap limit is set where swap is not counted', () => {
  for (const cgroup of [V1, V2]) {
    const text = limits(plan({ ...cgroup, swap: false }).cgroups).join()
    assert.not.match(text, /swap|memsw/)
  }
})

test('v2 switches controllers on from the root down', () => {
  const [cgroup] = plan(V2).cgroups
  assert.equal(
    cgroup?.prepare.map(({ path }) => path),
    ['', '/caisson', '/caisson/shop'].map((level) => `/sys/fs/cgroup${level}/cgroup.subtree_control`),
  )
  assert.is(cgroup?.prepare[0]?.value, '+cpu +memory +pids +io')
})

test('the device filter is bytes on v2 and lines on v1 and hybrid', () => {
  assert.ok(plan(V2).deviceFilter.length > 0)
  for (const cgroup of [V1, HYBRID]) {
    assert.is(plan(cgroup).deviceFilter.length, 0)
    assert.is(plan(cgroup).cgroups[0]?.limits[0]?.path, 'devices.deny')
  }
})

test('co-mounted controllers share one group', () => {
  const paths = plan(V1).cgroups.map(({ path }) => path)
  assert.is(new Set(paths).size, paths.length)
})

test('a monitor leaves every group but the root', () => {
  assert.equal(
    plan(V1).monitorCgroups.map(({ path }) => path),
    ['/sys/fs/cgroup/memory/caisson/shop/monitors'],
  )
  assert.equal(
    plan(V2).monitorCgroups.map(({ path }) => path),
    ['/sys/fs/cgroup/caisson/shop/monitors'],
  )
})

test('OOM kills are watched where memory is limited', () => {
  assert.equal(plan(V2).memoryEvents, { kind: 'v2', path: '/sys/fs/cgroup/caisson/shop/0123456789ab' })
  assert.equal(plan(HYBRID).memoryEvents.kind, 'v1')
  assert.equal(plan({ ...V2, v2Controllers: ['cpu'] }).memoryEvents.kind, 'none')
})

test('a host without cgroups gets a plan without them', () => {
  const none = planOf({ facts: { cgroup: { mode: 'none', v1: {}, v2: undefined, v2Controllers: [], own: {} } } })
  assert.equal([none.cgroups, none.monitorCgroups, none.deviceFilter.length], [[], [], 0])
})

test('0 and -1 are no limits', () => {
  const resources = specOf({ service: { memLimitBytes: 0, cpus: 0, pidsLimit: -1 } }).linux.resources
  assert.equal(Object.keys(resources), ['devices'])
})

test('fewer CPUs than the kernel can give are refused', () => {
  assert.equal(findingsOf({ service: { cpus: 0.009 } }), ['ECPUS services.web.cpus'])
  assert.equal(findingsOf({ service: { cpus: 0.01 } }), [])
})

test('cgroup_parent is a level of our own in every hierarchy, and its controllers are switched on', () => {
  const plan = planOf({ service: { cgroupParent: '/m/executor' }, facts: { cgroup: V2 } })
  const [group] = plan.cgroups
  assert.match(group?.path ?? '', /\/caisson\/@\/m\/executor\/[^/]+@[^/]+$/)
  const switched = (group?.prepare ?? []).map(({ path }) =>
    path.replace(/\/cgroup\.subtree_control$/, '').replace(/^.*?(\/caisson|$)/, '$1'),
  )
  assert.equal(switched.slice(1), ['/caisson', '/caisson/@', '/caisson/@/m', '/caisson/@/m/executor'])
  assert.not.match(plan.monitorCgroups[0]?.path ?? '', /@/)
})

test('a parent that is no name is never part of a path', () => {
  for (const cgroupParent of ['..', '.', 'a/../b', 'a@b', 'a b', '', '/']) {
    const owner = { project: 'shop', id: '0123456789ab' }
    assert.is(groupPath('caisson', owner, { cgroupParent }), 'caisson/shop/0123456789ab', cgroupParent)
  }
  assert.is(groupPath('caisson', { project: 'shop', id: '1' }, { cgroupParent: 'x' }), 'caisson/@/x/shop@1')
})

test.run()
