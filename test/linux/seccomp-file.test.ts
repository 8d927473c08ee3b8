import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseSeccompFile } from '../../src/linux/seccomp-file.ts'
import { fitsKernel } from '../../src/linux/seccomp.ts'

const host = { capabilities: 1n << 21n, machine: 'x86_64', kernel: { major: 5, minor: 10 } }
const parse = (profile: unknown) =>
  parseSeccompFile(typeof profile === 'string' ? profile : JSON.stringify(profile), host)
const rulesOf = (...syscalls: unknown[]) => {
  const parsed = parse({ defaultAction: 'SCMP_ACT_ERRNO', syscalls })
  return 'profile' in parsed ? parsed.profile.syscalls.flatMap(({ names }) => names) : parsed.mistake
}
const rule = (name: string, values = {}) => ({ names: [name], action: 'SCMP_ACT_ALLOW', ...values })

test('rules stand under conditions of machine, kernel and capabilities', () => {
  assert.equal(
    rulesOf(
      rule('a', { includes: { arches: ['amd64'] } }),
      rule('b', { includes: { arches: ['arm64'] } }),
      rule('c', { includes: { caps: ['CAP_SYS_ADMIN'] } }),
      rule('d', { includes: { caps: ['CAP_SYS_TIME'] } }),
      rule('e', { excludes: { caps: ['CAP_SYS_ADMIN'] } }),
      rule('f', { includes: { minKernel: '4.8' } }),
      rule('g', { includes: { minKernel: '5.11' } }),
      rule('h', { excludes: { minKernel: '4.8' } }),
      { name: 'old', action: 'SCMP_ACT_LOG' },
    ),
    ['a', 'c', 'f', 'old'],
  )
})

test('numbers of 64 bits keep their value', () => {
  const text = `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["x"],"action":"SCMP_ACT_ERRNO","comment":"12345678901234567890",
    "args":[{"index":0,"value":18446744073709551615,"op":"SCMP_CMP_EQ"}]}]}`
  const parsed = parse(text)
  assert.ok('profile' in parsed)
  assert.is(parsed.profile.syscalls[0]?.args?.[0]?.value, 2n ** 64n - 1n)
})

test('what is no profile is told in a sentence, whatever it is', () => {
  const wrong: unknown[] = [
    ...['', 'null', '[]', '{"defaultAction":', '{"defaultAction":"SCMP_ACT_NOTIFY"}', '{}'],
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: {} },
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [7] },
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule('a', { action: 'allow' })] },
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule('a', { args: [{ index: 6, op: 'SCMP_CMP_EQ' }] })] },
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule('a', { args: [{ index: 0, value: -1, op: 'SCMP_CMP_EQ' }] })] },
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule('a', { args: [{ index: 0, value: 1.5, op: 'SCMP_CMP_EQ' }] })] },
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule('a', { errnoRet: 1e9 })] },
    { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/run/x' },
    `{"defaultAction":"SCMP_ACT_ALLOW","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    ' '.repeat(3 << 20),
  ]
  for (const profile of wrong.slice(0, -2)) assert.ok('mistake' in parse(profile), JSON.stringify(profile))
  assert.ok('mistake' in parse(wrong.at(-1)))
})

test('more rules than a filter of the kernel holds are noticed', () => {
  const args = [0, 1, 2, 3].map((index) => ({ index, value: 1, op: 'SCMP_CMP_GE' }))
  const syscalls = Array.from({ length: 2000 }, () => rule('socket', { args }))
  const parsed = parse({ defaultAction: 'SCMP_ACT_ERRNO', syscalls })
  assert.ok('profile' in parsed)
  assert.not(fitsKernel(parsed.profile, 'x86_64'))
})

test.run()
