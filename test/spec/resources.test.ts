import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Resources } from '../../src/compose/project.ts'
import { facts, service, V1, V2 } from './inputs.ts'
import { checkHost } from '../../src/spec/host-checks.ts'
import type { CgroupFacts } from '../../src/native/host-facts.ts'
import { findingsOf, planOf } from './lowered.ts'

const disk = { path: '/dev/sda', type: 'b', major: 8, minor: 0, fileMode: 0o660, uid: 0, gid: 6 } as const
const NO_RATES = { deviceWeights: [], readBytes: [], writeBytes: [], readOperations: [], writeOperations: [] }

/** `directory/file=value` without the device rules, below the container's groups. */
const limits = (resources: Resources, cgroup: CgroupFacts, memLimitBytes?: number): string[] =>
  planOf({
    service: { resources, memLimitBytes },
    facts: { cgroup },
    allocation: { hostDevices: { '/dev/sda': [disk] } },
  }).cgroups.flatMap(({ limits }) =>
    limits.filter(({ path }) => !path.startsWith('devices.')).map(({ path, value }) => `${path}=${value}`),
  )

const everything: Resources = {
  cpuShares: 512,
  cpuQuotaUs: 20_000,
  cpuPeriodUs: 50_000,
  cpuset: '0,1',
  memReservationBytes: 32 << 20,
  memswapLimitBytes: 96 << 20,
  memSwappiness: 10,
  oomKillDisable: true,
  blkio: {
    weight: 300,
    deviceWeights: [{ device: '/dev/sda', weight: 1000 }],
    readBytes: [{ device: '/dev/sda', rate: 1024 }],
    writeBytes: [{ device: '/dev/sda', rate: 2048 }],
    readOperations: [{ device: '/dev/sda', rate: 10 }],
    writeOperations: [{ device: '/dev/sda', rate: 20 }],
  },
}

test('every limit on v1', () => {
  assert.equal(limits(everything, V1, 64 << 20), [
    'memory.limit_in_bytes=67108864',
    'memory.memsw.limit_in_bytes=100663296',
    'memory.soft_limit_in_bytes=33554432',
    'memory.swappiness=10',
    'memory.oom_control=1',
    'cpu.shares=512',
    'cpu.cfs_period_us=50000',
    'cpu.cfs_quota_us=20000',
    'blkio.bfq.weight=300',
    'blkio.bfq.weight_device=8:0 1000',
    'blkio.throttle.read_bps_device=8:0 1024',
    'blkio.throttle.write_bps_device=8:0 2048',
    'blkio.throttle.read_iops_device=8:0 10',
    'blkio.throttle.write_iops_device=8:0 20',
    'cpuset.cpus=0,1',
  ])
})

test('every limit on v2', () => {
  assert.equal(limits(everything, V2, 64 << 20), [
    'memory.max=67108864',
    'memory.swap.max=33554432',
    'memory.low=33554432',
    'cpu.weight=59',
    'cpu.max=20000 50000',
    'cpuset.cpus=0,1',
    'io.weight=2930',
    'io.weight=8:0 10000',
    'io.max=8:0 rbps=1024',
    'io.max=8:0 wbps=2048',
    'io.max=8:0 riops=10',
    'io.max=8:0 wiops=20',
  ])
})

test('shares become a weight that keeps the usual value and both ends', () => {
  const weight = (cpuShares: number) => limits({ cpuShares }, V2)
  assert.equal([2, 1024, 262_144].map(weight), [['cpu.weight=1'], ['cpu.weight=100'], ['cpu.weight=10000']])
})

test('a reservation of CPUs is a share of them, which cpu_shares overrules', () => {
  assert.equal(limits({ reservedCpus: 0.5 }, V1), ['cpu.shares=512'])
  assert.equal(limits({ reservedCpus: 0.5, cpuShares: 100 }, V1), ['cpu.shares=100'])
})

test('no limit: -1 for swap, for a quota; a period by itself', () => {
  assert.equal(limits({ memswapLimitBytes: -1 }, V2, 64 << 20), ['memory.max=67108864', 'memory.swap.max=max'])
  assert.equal(limits({ memswapLimitBytes: -1 }, V1, 64 << 20).at(-1), 'memory.memsw.limit_in_bytes=-1')
  assert.equal(limits({ cpuQuotaUs: -1 }, V2), ['cpu.max=max 100000'])
  assert.equal(limits({ cpuPeriodUs: 50_000 }, V2), ['cpu.max=max 50000'])
})

test('a cpuset is a group of its own where it is asked for, and only there', () => {
  const groups = (resources: Resources, cgroup: CgroupFacts) => planOf({ service: { resources }, facts: { cgroup } })
  const own = groups({ cpuset: '1' }, V1).cgroups.at(-1)
  assert.equal([own?.path, own?.inheritCpuset], ['/sys/fs/cgroup/cpuset/caisson/shop/0123456789ab', true])
  assert.not(groups({}, V1).cgroups.some(({ path }) => path.includes('cpuset')))
  assert.match(groups({ cpuset: '1' }, V2).cgroups[0]?.prepare[0]?.value ?? '', /\+cpuset/)
  assert.ok(groups({ cpuset: '1' }, V1).mounts.some(({ target }) => target === '/sys/fs/cgroup/cpuset'))
})

test('realtime is given to the groups above first', () => {
  const cgroup = planOf({
    service: { resources: { cpuRealtimeRuntimeUs: 95_000, cpuRealtimePeriodUs: 1_000_000 } },
    facts: { cgroup: V1 },
  }).cgroups.find(({ path }) => path.includes('/cpu,'))
  assert.equal(
    cgroup?.prepare.map(({ path, value }) => `${path.slice('/sys/fs/cgroup/cpu,cpuacct/'.length)}=${value}`),
    ['caisson', 'caisson/shop'].flatMap((level) => [
      `${level}/cpu.rt_period_us=1000000`,
      `${level}/cpu.rt_runtime_us=950000`,
    ]),
  )
  assert.equal(
    cgroup?.limits.map(({ path, value }) => `${path}=${value}`),
    ['cpu.rt_period_us=1000000', 'cpu.rt_runtime_us=95000'],
  )
})

test('the OOM score is part of the process', () => {
  assert.equal(planOf({ service: { resources: { oomScoreAdj: -500 } } }).process.oomScoreAdj, -500)
  assert.not(planOf().process.setOomScoreAdj)
})

test('values that contradict each other, or are out of range, are refused with their place', () => {
  const found = (resources: Resources, memLimitBytes?: number) =>
    findingsOf({ service: { resources, memLimitBytes, ...(resources.cpuQuotaUs ? { cpus: 1 } : {}) } })
  assert.equal(found({ cpuQuotaUs: 20_000 }), ['ECPUS services.web.cpu_quota'])
  assert.equal(found({ cpuPeriodUs: 10 }), ['ECPUS services.web.cpu_period'])
  assert.equal(found({ cpuset: '3-1' }), ['ECPUS services.web.cpuset'])
  assert.equal(found({ cpuset: '0/../../x' }), ['ECPUS services.web.cpuset'])
  assert.equal(found({}, 1024), ['EMEMORY services.web.mem_limit'])
  assert.equal(found({ memReservationBytes: 128 << 20 }, 64 << 20), ['EMEMORY services.web.mem_reservation'])
  assert.equal(found({ memswapLimitBytes: 1 << 30 }), ['EMEMORY services.web.memswap_limit'])
  assert.equal(found({ memswapLimitBytes: 32 << 20 }, 64 << 20), ['EMEMORY services.web.memswap_limit'])
  assert.equal(found({ memSwappiness: 101 }), ['EMEMORY services.web.mem_swappiness'])
  assert.equal(found({ blkio: { ...NO_RATES, weight: 5 } }), ['EBLKIO services.web.blkio_config'])
  assert.equal(found({ blkio: { ...NO_RATES, readBytes: [{ device: '/dev/none', rate: 1 }] } }), [
    'EDEVICE services.web.blkio_config.device_read_bps.0.path',
  ])
})

test('what the machine lacks is told: warnings where the rest works, errors where it does not', () => {
  const told = (resources: Resources, cgroup: CgroupFacts) =>
    checkHost(service({ resources }), facts({ cgroup })).map(({ severity, path }) => `${severity} ${path.at(-1)}`)
  assert.equal(told({ memswapLimitBytes: -1 }, { ...V1, swap: false }), ['warning memswap_limit'])
  assert.equal(told({ memSwappiness: 5, oomKillDisable: true }, V2), [
    'warning mem_swappiness',
    'warning oom_kill_disable',
  ])
  assert.equal(told({ cpuRealtimeRuntimeUs: 1 }, V2), ['error cpu_rt_runtime'])
  assert.equal(told({ cpuRealtimeRuntimeUs: 1 }, V1), [])
  assert.equal(told({ cpuset: '1-2' }, V1), ['error cpuset'])
  const { ioWeight: _, ...weightless } = V2
  assert.equal(told({ blkio: { ...NO_RATES, weight: 100 } }, weightless), ['warning blkio_config'])
  assert.equal(told({ cpuShares: 100 }, { ...V2, v2Controllers: ['memory'] }), ['warning cpu_shares'])
})

test('a platform of another machine is an error, that of this one is fine', () => {
  const told = (platform: string, machine = 'x86_64') => checkHost(service({ platform }), facts({ machine })).length
  assert.equal(
    ['linux/amd64', 'linux', 'linux/x86_64'].map((name) => told(name)),
    [0, 0, 0],
  )
  assert.is(told('linux/arm64/v8', 'aarch64'), 0)
  assert.equal(
    ['linux/arm64', 'windows/amd64', 'wasi/wasm'].map((name) => told(name)),
    [1, 1, 1],
  )
})

test.run()
