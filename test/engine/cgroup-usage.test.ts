import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readCgroup, readPids } from '../../src/engine/cgroup-usage.ts'
import { parseNetworkDevices } from '../../src/engine/usage.ts'
import type { CgroupFacts } from '../../src/native/host-facts.ts'

const GROUP = 'caisson/shop/0123456789ab'

const world = (files: Readonly<Record<string, string>>): string => {
  const top = mkdtempSync(join(tmpdir(), 'cgroups-'))
  for (const [path, text] of Object.entries(files)) {
    const file = join(top, path.replace('GROUP', GROUP))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return top
}

const facts = (values: Partial<CgroupFacts>): CgroupFacts => ({
  ...{ mode: 'v2', v1: {}, v2: undefined, v2Controllers: [], own: {} },
  ...values,
})

const V1 = {
  'cpuacct/GROUP/cpuacct.usage': '5000000000\n',
  'memory/GROUP/memory.usage_in_bytes': '1000000\n',
  'memory/GROUP/memory.limit_in_bytes': '268435456\n',
  'memory/GROUP/memory.stat': 'cache 5\ninactive_file 1\ntotal_cache 7\ntotal_inactive_file 400000\n',
  'blkio/GROUP/blkio.throttle.io_service_bytes_recursive':
    '8:0 Read 4096\n8:0 Write 100\n8:16 Read 4\n8:16 Write 1\n8:0 Total 4196\nTotal 4201\n',
  'pids/GROUP/pids.current': '7\n',
  'pids/GROUP/cgroup.procs': '12\n4\n',
  'pids/GROUP/below/cgroup.procs': '99\n0\n',
}
const mounts = (top: string) =>
  Object.fromEntries(['cpuacct', 'memory', 'blkio', 'pids'].map((name) => [name, `${top}/${name}`]))

const V1_USAGE = {
  ...{ cpuNs: 5e9, memoryBytes: 600_000, memoryLimitBytes: 268_435_456 },
  ...{ readBytes: 4100, writtenBytes: 101, processes: 7 },
}

test('v1 counts by controller, without the cache that would be given back', () => {
  assert.equal(readCgroup(facts({ mode: 'v1', v1: mounts(world(V1)) }), GROUP), V1_USAGE)
})

test('hybrid reads v1: the unified hierarchy has no controllers', () => {
  const top = world({ ...V1, 'unified/GROUP/cgroup.procs': '12\n', 'unified/GROUP/cpu.stat': 'usage_usec 1\n' })
  assert.equal(readCgroup(facts({ mode: 'hybrid', v1: mounts(top), v2: `${top}/unified` }), GROUP), V1_USAGE)
})

test('the largest number of v1 is no limit', () => {
  const top = world({ ...V1, 'memory/GROUP/memory.limit_in_bytes': '9223372036854771712\n' })
  assert.is(readCgroup(facts({ mode: 'v1', v1: mounts(top) }), GROUP).memoryLimitBytes, Number.POSITIVE_INFINITY)
})

const V2 = {
  'GROUP/cpu.stat': 'usage_usec 2500\nuser_usec 2000\n',
  'GROUP/memory.current': '1000000\n',
  'GROUP/memory.max': 'max\n',
  'GROUP/memory.stat': 'anon 3\nfile 4\ninactive_file 250000\n',
  'GROUP/io.stat': '8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=2\n',
  'GROUP/pids.current': '3\n',
  'GROUP/cgroup.procs': '5\n',
}

test('v2 has all in one directory', () => {
  assert.equal(readCgroup(facts({ v2: world(V2) }), GROUP), {
    ...{ cpuNs: 2_500_000, memoryBytes: 750_000, memoryLimitBytes: Number.POSITIVE_INFINITY },
    ...{ readBytes: 11, writtenBytes: 22, processes: 3 },
  })
})

test('a group that is gone counts as nothing', () => {
  const usage = readCgroup(facts({ v2: world({}) }), GROUP)
  assert.equal([usage.cpuNs, usage.memoryBytes, usage.processes], [0, 0, 0])
})

test('processes are those of the group and of the groups below, but none that another pid namespace hides', () => {
  assert.equal(readPids(facts({ mode: 'v1', v1: mounts(world(V1)) }), GROUP), [4, 12, 99])
  assert.equal(readPids(facts({ v2: world(V2) }), GROUP), [5])
})

test('traffic is that of all devices but the loopback', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 9999 1 0 0 0 0 0 0 9999 1 0 0 0 0 0 0
  eth0:     974      11    0    0    0     0          0         0      126       3    0    0    0     0       0          0
  eth1:26 1 0 0 0 0 0 0 74 1 0 0 0 0 0 0
`
  assert.equal(parseNetworkDevices(text), { receivedBytes: 1000, sentBytes: 200 })
})

test.run()
