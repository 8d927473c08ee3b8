import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findingsOf, planOf, specOf } from './lowered.ts'

test('a plain service is filtered, masked and may gain privileges, as in Docker', () => {
  const plan = planOf()
  assert.ok(plan.process.seccomp.length > 0)
  assert.ok(plan.maskedPaths.includes('/proc/kcore'))
  assert.ok(plan.maskedPaths.includes('/sys/devices/system/cpu/cpu1/thermal_throttle'))
  assert.ok(plan.readonlyPaths.includes('/proc/sys'))
  assert.not(plan.process.noNewPrivileges)
})

test('security_opt is read with = and with :', () => {
  for (const text of ['no-new-privileges', 'no-new-privileges:true', 'no-new-privileges=true']) {
    assert.ok(specOf({ service: { securityOpt: [text] } }).process.noNewPrivileges, text)
  }
  assert.not(
    specOf({ service: { securityOpt: ['no-new-privileges', 'no-new-privileges:false'] } }).process.noNewPrivileges,
  )
})

test('seccomp and system paths can be given up one by one', () => {
  const unfiltered = planOf({ service: { securityOpt: ['seccomp:unconfined'] } })
  assert.is(unfiltered.process.seccomp.length, 0)
  assert.ok(unfiltered.maskedPaths.length > 0)
  const unmasked = planOf({ service: { securityOpt: ['systempaths=unconfined'] } })
  assert.equal([unmasked.maskedPaths, unmasked.readonlyPaths], [[], []])
  assert.ok(unmasked.process.seccomp.length > 0)
})

test('an option that is not known is refused, not ignored', () => {
  assert.equal(findingsOf({ service: { securityOpt: ['seccomp=profile.json', 'apparmor=unconfined', 'toString'] } }), [
    'ESECCOMP services.web.security_opt.0',
    'ESECURITYOPT services.web.security_opt.2',
  ])
})

test('privileged means no filter, no mask, no device rule', () => {
  const plan = planOf({ service: { privileged: true } })
  assert.is(plan.process.seccomp.length + plan.deviceFilter.length + plan.maskedPaths.length, 0)
})

test('a privileged container has the host`s devices beside its own', () => {
  const node = (path: string, major: number, minor: number) =>
    ({ path, type: 'b', major, minor, fileMode: 0o660, uid: 0, gid: 6 }) as const
  const hostDevices = [node('/dev/sda', 8, 0), node('/dev/null', 9, 9)]
  const { devices } = planOf({ service: { privileged: true }, allocation: { hostDevices: { '/dev': hostDevices } } })
  assert.is(devices.filter(({ path }) => path === '/dev/null').length, 1)
  assert.is(devices.at(-1)?.path, '/dev/sda')
})

test('a machine without a table is an error, not a container without a filter', () => {
  assert.throws(
    () => planOf({ facts: { machine: 'riscv64' } }),
    (error: unknown) => error instanceof Error && 'code' in error && error.code === 'EMACHINE',
  )
})

test.run()
