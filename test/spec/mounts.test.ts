import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ServiceMount } from '../../src/compose/project.ts'
import type { Diagnostic } from '../../src/errors.ts'
import { checkMounts } from '../../src/spec/mounts.ts'
import { reportTo } from '../../src/spec/report.ts'
import { service } from '../plan/models.ts'
import { V1 } from './inputs.ts'
import { findingsOf, planOf, specOf } from './lowered.ts'

const bind = (source: string, target: string, change: Partial<ServiceMount & { type: 'bind' }> = {}): ServiceMount => ({
  type: 'bind',
  source,
  target,
  readOnly: false,
  createHostPath: true,
  propagation: undefined,
  recursive: undefined,
  path: ['services', 'web', 'volumes', 0],
  ...change,
})
const volume = (target: string, change: Partial<ServiceMount & { type: 'volume' }> = {}): ServiceMount => ({
  type: 'volume',
  source: 'data',
  target,
  readOnly: false,
  nocopy: false,
  subpath: undefined,
  path: ['services', 'web', 'volumes', 0],
  ...change,
})
const tmpfs = (target: string, change: Partial<ServiceMount & { type: 'tmpfs' }> = {}): ServiceMount => ({
  type: 'tmpfs',
  target,
  readOnly: false,
  sizeBytes: undefined,
  mode: undefined,
  options: [],
  path: ['services', 'web', 'tmpfs', 0],
  ...change,
})
const mountsAt = (target: string, ...volumes: ServiceMount[]) =>
  specOf({ service: { volumes } }).mounts.filter(({ destination }) => destination === target)
const data = { '/data': { source: '/state/volumes/shop_data/data', fromImage: false } }

test('parents come before what is inside them', () => {
  const volumes = [tmpfs('/a/b/c'), tmpfs('/a'), tmpfs('/a/b')]
  const targets = specOf({ service: { volumes } }).mounts.map(({ destination }) => destination)
  for (const [index, target] of targets.entries()) {
    assert.not(
      targets.slice(index + 1).some((later) => target.startsWith(`${later}/`)),
      `${target} in ${targets.join(' ')}`,
    )
  }
})

test('a bind takes its subtree along and stays private', () => {
  assert.equal(mountsAt('/srv', bind('/host', '/srv'))[0]?.options, ['rbind', 'rprivate'])
})

test('a bind can be read-only, shallow and shared', () => {
  const [mount] = mountsAt(
    '/srv',
    bind('/host', '/srv/', { readOnly: true, recursive: 'disabled', propagation: 'rshared' }),
  )
  assert.equal(mount?.options, ['bind', 'ro', 'rshared'])
})

test('propagation and read-only reach the plan as flags', () => {
  const volumes = [bind('/host', '/srv', { readOnly: true, propagation: 'rslave' })]
  const mount = planOf({ service: { volumes } }).mounts.find(({ target }) => target === '/srv')
  assert.equal([mount?.kind, mount?.attributes, mount?.propagation, mount?.recursive], ['bind', 1n, 1n << 19n, true])
})

test('a volume is filled from the image unless it says nocopy', () => {
  const kindOf = (mount: ServiceMount) =>
    planOf({ service: { volumes: [mount] }, allocation: { volumes: data } }).mounts.find(
      ({ target }) => target === '/data',
    )?.kind
  assert.is(kindOf(volume('/data/')), 'volume')
  assert.is(kindOf(volume('/data', { nocopy: true })), 'bind')
})

test('volumes that the image declares are mounted, unless the service mounts something there', () => {
  const volumes = { '/var/lib/db': { source: '/state/volumes/anonymous/data', fromImage: true } }
  const at = (own: ServiceMount[]) =>
    specOf({ service: { volumes: own }, allocation: { volumes } }).mounts.filter(
      ({ destination }) => destination === '/var/lib/db',
    )
  assert.equal(at([])[0]?.source, '/state/volumes/anonymous/data')
  assert.equal(
    at([bind('/host', '/var/lib/db')]).map(({ source }) => source),
    ['/host'],
  )
})

test('a tmpfs is closed to programs and devices unless its options open it', () => {
  assert.equal(mountsAt('/cache', tmpfs('/cache'))[0]?.options, ['nosuid', 'nodev', 'noexec'])
  const volumes = [tmpfs('/cache', { sizeBytes: 1024, mode: 0o1770, options: ['exec', 'uid=7'] })]
  const plan = planOf({ service: { volumes } }).mounts.find(({ target }) => target === '/cache')
  assert.equal(plan?.options, ['size=1024', 'mode=1770', 'uid=7'])
  assert.is(plan?.attributes, 0x2n | 0x4n)
})

test('shm_size sizes /dev/shm', () => {
  const options = (shmSizeBytes: number | undefined) =>
    specOf({ service: { shmSizeBytes } }).mounts.find(({ destination }) => destination === '/dev/shm')?.options
  assert.ok(options(undefined)?.includes('size=67108864'))
  assert.ok(options(1 << 30)?.includes('size=1073741824'))
})

test('a mount of the service takes the place of ours', () => {
  assert.equal(mountsAt('/dev/shm', tmpfs('/dev/shm')).length, 1)
  assert.equal(
    mountsAt('/etc/hosts', bind('/my/hosts', '/etc/hosts')).map(({ source }) => source),
    ['/my/hosts'],
  )
})

test('nothing is made in a /dev that is not ours', () => {
  const spec = specOf({ service: { volumes: [bind('/dev', '/dev')] } })
  assert.equal([spec.linux.devices, spec.caisson.symlinks], [[], []])
  assert.not(spec.mounts.some(({ destination }) => destination.startsWith('/dev/')))
})

test('the root and procfs cannot be mounted over', () => {
  for (const target of ['/', '//', '/a/..', '/proc', '/proc/self/attr', 'relative']) {
    assert.equal(findingsOf({ service: { volumes: [tmpfs(target)] } }), ['EMOUNT services.web.tmpfs.0'], target)
  }
  assert.equal(findingsOf({ service: { volumes: [bind('/x', '/proc/cpuinfo')] } }), [])
})

test('an image cannot declare a volume in procfs', () => {
  const volumes = { '/proc': { source: '/x', fromImage: true } }
  assert.equal(findingsOf({ allocation: { volumes } }), ['EMOUNT services.web.image'])
})

test('binds of the image are read-only', () => {
  const spec = specOf({ allocation: { imageBinds: [{ source: '/usr', target: '/usr' }] } })
  assert.ok(spec.mounts.find(({ destination }) => destination === '/usr')?.options.includes('ro'))
})

test('co-mounted v1 controllers are found under each name', () => {
  const plan = planOf({ facts: { cgroup: V1 } })
  const links = plan.symlinks.filter(({ path }) => path.startsWith('/sys/fs/cgroup/'))
  assert.equal(links, [
    { path: '/sys/fs/cgroup/cpu', target: 'cpu,cpuacct' },
    { path: '/sys/fs/cgroup/cpuacct', target: 'cpu,cpuacct' },
  ])
  assert.ok(plan.readonlyPaths.includes('/sys/fs/cgroup'))
})

test('a privileged container may write to /sys and its cgroups', () => {
  for (const cgroup of [undefined, V1]) {
    const plan = planOf({ service: { privileged: true }, facts: cgroup ? { cgroup } : {} })
    for (const mount of plan.mounts.filter(({ target }) => target.startsWith('/sys')))
      assert.is(mount.attributes & 1n, 0n)
    assert.equal([plan.maskedPaths, plan.readonlyPaths], [[], []])
  }
})

test('a part of a volume, and an image, whole or in part', () => {
  const image: ServiceMount = { type: 'image', source: 'a:1', target: '/i', readOnly: true, subpath: 'x', path: [] }
  const imageMounts = { '/i': { layers: ['/layers/2', '/layers/1'], empty: '/run/empty' } }
  const service = { volumes: [volume('/data', { subpath: 'a/b' }), image] }
  const { mounts } = planOf({ service, allocation: { volumes: data, imageMounts } })
  const [part, whole] = ['/data', '/i'].map((target) => mounts.find((mount) => mount.target === target))
  assert.equal([part?.kind, part?.subpath, part?.layers], ['volume', 'a/b', []])
  assert.equal(
    [whole?.kind, whole?.source, whole?.subpath, whole?.layers],
    ['image', '/run/empty', 'x', ['/layers/2', '/layers/1']],
  )
  assert.equal([whole?.fsType, whole?.options, (whole?.attributes ?? 0n) & 1n], ['', [], 1n])
})

test('a subpath has to be below by its own words', () => {
  const findings = (subpath: string): Diagnostic[] => {
    const found: Diagnostic[] = []
    checkMounts(service('web', { volumes: [volume('/data', { subpath })] }), reportTo(found))
    return found
  }
  for (const subpath of ['a', 'a/../b', '.', 'a/', '..a']) assert.equal(findings(subpath), [], subpath)
  for (const subpath of ['/a', '..', 'a/../..', '../a', 'a\0']) {
    const [finding] = findings(subpath)
    assert.equal([finding?.code, finding?.path.slice(-2)], ['EMOUNT', ['volume', 'subpath']], subpath)
  }
})

test.run()
