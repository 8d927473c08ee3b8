import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ALL_DEVICES, DEFAULT_DEVICE_RULES, deviceLines, deviceProgram } from '../../src/linux/device-filter.ts'
import type { OciDeviceRule } from '../../src/oci/runtime-spec.ts'
import { NO_ROOT, skipTest } from '../helpers/root.ts'
import { type DeviceAccess, runDeviceFilter } from './bpf-machines.ts'
import { lacksPython } from './python.ts'

const allows = (
  rules: readonly OciDeviceRule[],
  type: 'b' | 'c',
  major: number,
  minor: number,
  access: string,
): boolean => runDeviceFilter(deviceProgram(rules), { type, major, minor, access })

/** The last rule that matches decides, said without a program. */
const meaning = (rules: readonly OciDeviceRule[], request: DeviceAccess): boolean => {
  const matches = (rule: OciDeviceRule): boolean => {
    const letters = [...request.access]
    const access = rule.allow
      ? letters.every((letter) => rule.access.includes(letter))
      : letters.some((letter) => rule.access.includes(letter))
    return (
      access &&
      (rule.type === 'a' || rule.type === request.type) &&
      (rule.major === undefined || rule.major === request.major) &&
      (rule.minor === undefined || rule.minor === request.minor)
    )
  }
  return rules.findLast(matches)?.allow ?? false
}

test('the default rules open the usual nodes and let others only be made', () => {
  assert.ok(allows(DEFAULT_DEVICE_RULES, 'c', 1, 3, 'rw'))
  assert.ok(allows(DEFAULT_DEVICE_RULES, 'c', 136, 77, 'rwm'))
  assert.ok(allows(DEFAULT_DEVICE_RULES, 'b', 8, 0, 'm'))
  assert.not(allows(DEFAULT_DEVICE_RULES, 'b', 8, 0, 'r'))
  assert.not(allows(DEFAULT_DEVICE_RULES, 'c', 1, 1, 'r'), '/dev/mem')
  assert.not(allows(DEFAULT_DEVICE_RULES, 'c', 10, 229, 'rw'), '/dev/fuse')
  assert.not(allows(DEFAULT_DEVICE_RULES, 'b', 1, 3, 'rw'), 'a block device with the numbers of null')
})

test('programs agree with the rules for every access', () => {
  const rules: OciDeviceRule[] = [
    { allow: false, type: 'a', access: 'rwm' },
    { allow: true, type: 'c', access: 'rw' },
    { allow: false, type: 'c', major: 1, access: 'w' },
    { allow: true, type: 'b', major: 8, minor: 1, access: 'r' },
    { allow: true, type: 'a', major: 7, access: 'rwm' },
    { allow: false, type: 'a', major: 7, minor: 7, access: 'rwm' },
  ]
  for (const set of [rules, DEFAULT_DEVICE_RULES, [...ALL_DEVICES, ...rules.slice(2)]]) {
    for (const type of ['b', 'c'] as const) {
      for (const access of ['r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm']) {
        for (const [major, minor] of [
          [1, 3],
          [1, 1],
          [8, 1],
          [8, 2],
          [7, 7],
          [7, 1],
          [136, 4],
          [10, 200],
        ] as const) {
          const request = { type, access, major, minor }
          assert.is(runDeviceFilter(deviceProgram(set), request), meaning(set, request), JSON.stringify(request))
        }
      }
    }
  }
})

test('allowing everything needs no program and no line', () => {
  assert.is(deviceProgram(ALL_DEVICES).length, 0)
  assert.equal(deviceLines(ALL_DEVICES), [])
})

test('no rules allow nothing', () => {
  assert.not(allows([], 'c', 1, 3, 'r'))
})

test('v1 lines deny all first, then allow one by one', () => {
  const text = deviceLines(DEFAULT_DEVICE_RULES).map(({ file, line }) => `${file}: ${line}`)
  assert.equal(text.slice(0, 4), [
    'devices.deny: a',
    'devices.allow: c *:* m',
    'devices.allow: b *:* m',
    'devices.allow: c 1:3 rwm',
  ])
  assert.ok(text.includes('devices.allow: c 136:* rwm'))
})

const verified = 'the verifier takes the programs'
const reason = process.getuid?.() === 0 ? lacksPython() : NO_ROOT
if (reason !== undefined) skipTest(test, verified, reason)
else
  test(verified, () => {
    const script = fileURLToPath(new URL('bpf-load.py', import.meta.url))
    for (const rules of [DEFAULT_DEVICE_RULES, [], [...ALL_DEVICES, ...DEFAULT_DEVICE_RULES.slice(1)]]) {
      const load = spawnSync('python3', [script], { input: deviceProgram(rules), encoding: 'utf8' })
      assert.is(load.stdout, 'loaded\n', load.stdout + load.stderr)
    }
  })

test.run()
