/** Keys of identity, devices, files, sysctls and logs. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { FileSource, ServiceFile } from '../../src/compose/project.ts'
import type { OciDevice } from '../../src/oci/runtime-spec.ts'
import { checkService } from '../../src/spec/check.ts'
import { facts, service, V1 } from './inputs.ts'
import { findingsOf, planOf } from './lowered.ts'

const node = (path: string, major: number, minor: number, type: 'b' | 'c' = 'c'): OciDevice => ({
  ...{ path, type, major, minor, fileMode: 0o660, uid: 0, gid: 5 },
})
const device = (source: string, target = source, permissions = 'rwm') => ({ source, target, permissions })

test('a device is made inside with the host`s owner, and its rule has the given access', () => {
  const plan = planOf({
    service: { devices: [device('/dev/fuse', '/dev/fuse2', 'rw')], deviceCgroupRules: ['c 10:* m', 'b *:3 rwm'] },
    facts: { cgroup: V1 },
    allocation: { hostDevices: { '/dev/fuse': [node('/dev/fuse', 10, 229)] } },
  })
  const made = plan.devices.find(({ path }) => path === '/dev/fuse2')
  assert.equal([made?.major, made?.minor, made?.mode, made?.gid], [10, 229, 0o660, 5])
  assert.equal(
    plan.cgroups[0]?.limits.slice(-3).map(({ path, value }) => `${path} ${value}`),
    ['devices.allow c 10:229 rw', 'devices.allow c 10:* m', 'devices.allow b *:3 rwm'],
  )
})

test('a directory gives every node in it, at the same place below the target', () => {
  const hostDevices = { '/dev/snd': [node('/dev/snd/timer', 116, 33), node('/dev/snd/by-id/a', 116, 2)] }
  const plan = planOf({ service: { devices: [device('/dev/snd', '/dev/sound')] }, allocation: { hostDevices } })
  assert.equal(
    plan.devices.slice(0, 2).map(({ path }) => path),
    ['/dev/sound/timer', '/dev/sound/by-id/a'],
  )
})

test('a device over one of the usual nodes takes its place', () => {
  const hostDevices = { '/dev/zero': [node('/dev/zero', 1, 5)] }
  const { devices } = planOf({ service: { devices: [device('/dev/zero', '/dev/null')] }, allocation: { hostDevices } })
  assert.equal(
    devices.filter(({ path }) => path === '/dev/null').map(({ minor }) => minor),
    [5],
  )
})

test('devices that are not there, or elsewhere than below /dev, are refused, each once', () => {
  const hostDevices = { '/dev/a': [node('/dev/a', 1, 1)], '/dev/empty': [] }
  const found = (...devices: ReturnType<typeof device>[]) =>
    findingsOf({ service: { devices }, allocation: { hostDevices } })
  assert.equal(found(device('/dev/missing')), ['EDEVICE services.web.devices.0'])
  assert.equal(found(device('/dev/empty')), ['EDEVICE services.web.devices.0'])
  assert.equal(found(device('/dev/a'), device('/dev/a', '/dev/../etc/passwd')), ['EDEVICE services.web.devices.1'])
  assert.equal(found(device('/dev/a', '/dev/a', 'rx')), ['EDEVICE services.web.devices.0'])
})

test('device rules that are none are refused', () => {
  const rules = ['c 1:3', 'x 1:3 r', 'c 1:3 rwmx', 'a 1:* rwm', 'c -1:3 r', 'c 1:3 r\na']
  assert.equal(
    findingsOf({ service: { deviceCgroupRules: rules } }),
    rules.map((_, index) => `EDEVICERULE services.web.device_cgroup_rules.${index}`),
  )
  assert.equal(findingsOf({ service: { deviceCgroupRules: ['a *:* rwm', 'c *:* r'] } }), [])
})

test('sysctls of the container`s namespaces are set, by either spelling', () => {
  const sysctls = {
    'net.core.somaxconn': '1024',
    'net/ipv4/conf/eth0.1/forwarding': '1',
    'kernel.shmmax': '1',
    'fs.mqueue.msg_max': '9',
  }
  assert.equal(planOf({ service: { sysctls } }).sysctls, [
    { path: 'net/core/somaxconn', value: '1024' },
    { path: 'net/ipv4/conf/eth0.1/forwarding', value: '1' },
    { path: 'kernel/shmmax', value: '1' },
    { path: 'fs/mqueue/msg_max', value: '9' },
  ])
})

test('sysctls of the machine, and paths that lead elsewhere, are refused', () => {
  const names = [
    ...['kernel.core_pattern', 'vm.swappiness', 'kernel.hostname', 'net/../kernel/core_pattern', 'net..core'],
    ...['kernel/../../etc/passwd', 'net', '/net/core/somaxconn', 'fs.mqueue/../file-max', 'net.core.a\0b'],
  ]
  const found = findingsOf({ service: { sysctls: Object.fromEntries(names.map((name) => [name, '1'])) } })
  assert.is(found.length, names.length)
  assert.equal(findingsOf({ service: { sysctls: { 'net.core.somaxconn': '' } } }).length, 1)
  assert.equal(findingsOf({ service: { networkMode: 'host', sysctls: { 'net.core.somaxconn': '1' } } }).length, 1)
  assert.equal(findingsOf({ service: { ipc: 'host', sysctls: { 'kernel.shmmax': '1' } } }).length, 1)
})

test('group_add takes names of the image and numbers, after the user`s own', () => {
  const accounts = { passwd: 'app:x:5:6::/:/bin/sh\n', group: 'audio:x:29:\nwheel:x:10:app\n' }
  const plan = planOf({ service: { user: 'app', groupAdd: ['audio', '77', '6'] }, allocation: { accounts } })
  assert.equal(plan.process.groups, [6, 10, 29, 77])
  assert.equal(findingsOf({ service: { groupAdd: ['0', 'none', '99999999999'] } }), [
    'EUSER services.web.group_add.1',
    'EUSER services.web.group_add.2',
  ])
})

const file = (source: FileSource, values: Partial<ServiceFile> = {}): ServiceFile => ({
  ...{ kind: 'secret', key: 's', source, target: '/run/secrets/s', uid: undefined, gid: undefined, mode: undefined },
  ...{ path: ['services', 'web', 'secrets', 0] },
  ...values,
})
const content = (values: Partial<ServiceFile> = {}) => file({ type: 'content', content: 'x' }, values)

test('secrets and configs are read-only binds at their place', () => {
  const files = [content(), content({ target: '/app/x' })]
  const { mounts } = planOf({ service: { files, readOnly: true }, allocation: { files: ['/run/c/0', '/run/c/1'] } })
  const [one, other] = mounts.filter(({ source }) => source.startsWith('/run/c/'))
  assert.equal([other?.target, one?.target], ['/run/secrets/s', '/app/x'])
  assert.is(one?.attributes, 0x1n | 0x2n | 0x4n) // ro nosuid nodev
})

test('secrets and configs that cannot be are found before anything starts', () => {
  const found = (given: ServiceFile) =>
    checkService(service({ files: [given] }), { facts: facts(), devices: {} }).map(({ code }) => code)
  assert.equal(found(content()), [])
  assert.equal(found(file({ type: 'environment', variable: 'V', secretValue: '' })), [])
  assert.equal(found(file({ type: 'environment', variable: 'V', secretValue: undefined })), ['EFILE'])
  assert.equal(found(file({ type: 'external' })), ['EFILE'])
  assert.equal(found(content({ uid: 'root' })), ['EFILE'])
  assert.equal(found(content({ gid: '4294967295' })), ['EFILE'])
  assert.equal(found(content({ target: '/run/secrets/../../etc/passwd' })), ['EFILE'])
  assert.equal(found(content({ target: '/proc/sys/kernel/core_pattern' })), ['EMOUNT'])
  assert.equal(found(content({ target: '/' })), ['EMOUNT'])
})

test('logging sets size and number of the segments', () => {
  const log = (driver: string | undefined, options: Record<string, string> = {}) => {
    const { logMaxBytes, logMaxFiles } = planOf({ service: { logging: { driver, options } } })
    return [Number(logMaxBytes), logMaxFiles]
  }
  const usual = [20 * 2 ** 20, 5]
  assert.equal([log(undefined), log('local')], [usual, usual])
  assert.equal(log('json-file', { 'max-size': '10m' }), [10 * 2 ** 20, 1])
  assert.equal(log('json-file', { 'max-size': '1m', 'max-file': '3' }), [2 ** 20, 3])
  assert.equal(log('local', { 'max-size': '1m' }), [2 ** 20, 5])
  assert.equal(log('json-file', { 'max-size': '-1' })[0], 0)
  assert.equal(log('none'), [0, 0])
  const wrong = { driver: undefined, options: { 'max-size': 'big', 'max-file': '0' } }
  assert.equal(findingsOf({ service: { logging: wrong } }), [
    'ELOGGING services.web.logging.options.max-size',
    'ELOGGING services.web.logging.options.max-file',
  ])
})

test('a grace period is not cut to seconds', () => {
  assert.is(planOf({ service: { stopGraceMs: 1500.25 } }).stopGraceMs, 1501)
})

test('a seccomp profile of the user replaces ours', () => {
  const profile = JSON.stringify({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }],
  })
  const plan = planOf({ service: { securityOpt: ['seccomp=p.json'], seccompProfile: profile } })
  assert.ok(plan.process.seccomp.length > 0)
  assert.ok(plan.process.seccomp.length < planOf().process.seccomp.length)
  for (const text of ['{', '[]', '{"defaultAction":"ALLOW"}', ' '.repeat(2 << 20)]) {
    assert.equal(findingsOf({ service: { securityOpt: ['seccomp=p.json'], seccompProfile: text } }), [
      'ESECCOMP services.web.security_opt.0',
    ])
  }
})

test.run()
