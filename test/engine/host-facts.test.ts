import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cgroupFacts, fileSystemOf, parseMounts } from '../../src/engine/host-facts.ts'

const HYBRID = `30 23 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
32 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
33 30 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/lib/agent,name=systemd
34 30 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`
const OWN = `3:name=systemd:/user.slice
2:memory:/user.slice/a:b
1:cpu,cpuacct:/
0::/user.slice/session
`

test('a hybrid machine has its v1 hierarchies by controller, and the v2 one', () => {
  assert.equal(cgroupFacts(HYBRID, OWN, 'hugetlb\n'), {
    mode: 'hybrid',
    v1: {
      cpu: '/sys/fs/cgroup/cpu,cpuacct',
      cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
      memory: '/sys/fs/cgroup/memory',
      'name=systemd': '/sys/fs/cgroup/systemd',
    },
    v2: '/sys/fs/cgroup/unified',
    v2Controllers: ['hugetlb'],
    own: {
      '/sys/fs/cgroup/cpu,cpuacct': '/',
      '/sys/fs/cgroup/memory': '/user.slice/a:b',
      '/sys/fs/cgroup/systemd': '/user.slice',
      '/sys/fs/cgroup/unified': '/user.slice/session',
    },
  })
})

test('v2 alone, v1 alone, and none', () => {
  const v2 = cgroupFacts(
    '24 22 0:21 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n',
    '0::/\n',
    'cpu io memory pids',
  )
  assert.equal([v2.mode, v2.v2, v2.v2Controllers], ['v2', '/sys/fs/cgroup', ['cpu', 'io', 'memory', 'pids']])
  assert.is(cgroupFacts('32 30 0:29 / /cg rw - cgroup cgroup rw,pids\n', '', '').mode, 'v1')
  assert.is(cgroupFacts('', '', '').mode, 'none')
})

test('the file system of a path is that of the longest mount point above it', () => {
  const mounts = parseMounts(`1 0 0:1 / / rw - overlay overlay rw
2 1 0:2 / /var/lib rw - ext4 /dev/a rw
3 1 0:3 / /var/lib/with\\040blank rw - tmpfs tmpfs rw
4 1 0:4 / /var/lib rw - xfs /dev/b rw
`)
  assert.is(fileSystemOf(mounts, '/var/lib/caisson'), 'xfs')
  assert.is(fileSystemOf(mounts, '/var/library'), 'overlay')
  assert.is(fileSystemOf(mounts, '/var/lib/with blank/x'), 'tmpfs')
})

test.run()
