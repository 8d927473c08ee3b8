import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ALL_CAPABILITIES, capabilitySet, DEFAULT_CAPABILITIES } from '../../src/linux/capabilities.ts'
import { netdFilter } from '../../src/linux/netd-filter.ts'
import { compileSeccomp } from '../../src/linux/seccomp.ts'
import { defaultProfile } from '../../src/linux/seccomp-profile.ts'
import { AUDIT_ARCH, type Machine, syscallNumbers } from '../../src/linux/syscalls.ts'
import type { OciSeccomp, OciSyscallArgument, SeccompOperator } from '../../src/oci/runtime-spec.ts'
import { skipTest } from '../helpers/root.ts'
import { runClassic } from './bpf-machines.ts'
import { lacksPython } from './python.ts'

const MACHINES: readonly Machine[] = ['x86_64', 'aarch64']
const ALLOW = 0x7fff0000
const EPERM = 0x00050001
const ENOSYS = 0x00050026
const KILL = 0x80000000

const numberOf = (machine: Machine, name: string): number =>
  syscallNumbers(machine).get(name) ?? assert.unreachable(name) ?? 0
const call = (filter: Uint8Array, machine: Machine, name: string, ...args: bigint[]): number =>
  runClassic(filter, { number: numberOf(machine, name), architecture: AUDIT_ARCH[machine], args })
const filterOf = (machine: Machine, capabilities = DEFAULT_CAPABILITIES) =>
  compileSeccomp(defaultProfile(capabilities), machine)

/** What the profile means, said a second time and without any program. */
const holds = ({ value, valueTwo = 0n, op }: OciSyscallArgument, actual: bigint): boolean => {
  const meaning: Readonly<Record<SeccompOperator, boolean>> = {
    SCMP_CMP_NE: actual !== value,
    SCMP_CMP_LT: actual < value,
    SCMP_CMP_LE: actual <= value,
    SCMP_CMP_EQ: actual === value,
    SCMP_CMP_GE: actual >= value,
    SCMP_CMP_GT: actual > value,
    SCMP_CMP_MASKED_EQ: (actual & value) === valueTwo,
  }
  return meaning[op]
}
const meaningOf = (profile: OciSeccomp, name: string | undefined, args: readonly bigint[]): string => {
  const rule = profile.syscalls.find(
    ({ names, args: tests = [] }) =>
      name !== undefined && names.includes(name) && tests.every((test) => holds(test, args[test.index] ?? 0n)),
  )
  return rule ? `${rule.action} ${rule.errnoRet ?? 1}` : `${profile.defaultAction} ${profile.defaultErrnoRet}`
}
const VERDICT: Readonly<Record<string, number>> = {
  'SCMP_ACT_ALLOW 1': ALLOW,
  'SCMP_ACT_ERRNO 1': EPERM,
  'SCMP_ACT_ERRNO 38': ENOSYS,
}

const EDGES = [
  0n,
  1n,
  8n,
  11n,
  12n,
  38n,
  40n,
  45n,
  46n,
  0x5412n,
  0x20008n,
  0x7e020000n,
  0xffffffffn,
  1n << 32n,
  (1n << 32n) | 0x5412n,
  (1n << 64n) - 1n,
]

for (const machine of MACHINES) {
  test(`every system call number gets what the profile says on ${machine}`, () => {
    const names = new Map([...syscallNumbers(machine)].map(([name, number]) => [number, name]))
    const last = Math.max(...names.keys())
    for (const capabilities of [0n, DEFAULT_CAPABILITIES, ALL_CAPABILITIES]) {
      const profile = defaultProfile(capabilities)
      const filter = compileSeccomp(profile, machine)
      const newest = Math.max(
        ...profile.syscalls.flatMap((rule) => rule.names.map((name) => syscallNumbers(machine).get(name) ?? 0)),
      )
      for (let number = 0; number <= last; number++) {
        for (const value of EDGES) {
          const args = [value, value, value, value, value, value]
          const verdict = runClassic(filter, { number, architecture: AUDIT_ARCH[machine], args })
          const expected = number > newest ? ENOSYS : VERDICT[meaningOf(profile, names.get(number), args)]
          assert.is(verdict, expected, `${number} ${names.get(number)} ${value}`)
        }
      }
    }
  })

  test(`a call that is newer than the profile looks like one the kernel lacks on ${machine}`, () => {
    const filter = filterOf(machine)
    for (const number of [
      numberOf(machine, 'removexattrat') + 1,
      1000,
      0x3fffffff,
      0x40000000,
      0x40000027,
      0x7fffffff,
      -1,
    ]) {
      assert.is(runClassic(filter, { number, architecture: AUDIT_ARCH[machine] }), ENOSYS)
    }
  })
}

test('calls of another architecture are not there', () => {
  for (const architecture of [0x40000003, 0x40000028, 0xc00000b7, 0]) {
    assert.is(runClassic(filterOf('x86_64'), { number: 1, architecture }), ENOSYS)
  }
})

test('sockets of AF_ALG and AF_VSOCK are refused, whatever stands in the upper half', () => {
  const filter = filterOf('x86_64')
  for (const family of [1n, 2n, 10n, 16n, 17n, 45n]) assert.is(call(filter, 'x86_64', 'socket', family), ALLOW)
  for (const family of [38n, 40n, 46n, (1n << 32n) | 38n, (1n << 32n) | 2n]) {
    assert.is(call(filter, 'x86_64', 'socket', family), EPERM)
  }
})

test('TIOCSTI is refused with any upper half, other ioctls pass', () => {
  const filter = filterOf('aarch64')
  assert.is(call(filter, 'aarch64', 'ioctl', 0n, 0x5413n), ALLOW)
  for (const command of [0x5412n, (7n << 32n) | 0x5412n, 0x541cn])
    assert.is(call(filter, 'aarch64', 'ioctl', 0n, command), EPERM)
})

test('namespaces need CAP_SYS_ADMIN', () => {
  const plain = filterOf('x86_64')
  const admin = filterOf('x86_64', capabilitySet(['SYS_ADMIN']))
  const NEWUSER = 0x10000000n
  assert.is(call(plain, 'x86_64', 'clone', 0x1200011n), ALLOW)
  assert.is(call(plain, 'x86_64', 'clone', NEWUSER | 17n), EPERM)
  assert.is(call(plain, 'x86_64', 'clone3'), ENOSYS)
  assert.is(call(plain, 'x86_64', 'unshare'), EPERM)
  for (const name of ['clone', 'clone3', 'unshare', 'mount', 'setns', 'bpf']) {
    assert.is(call(admin, 'x86_64', name, NEWUSER), ALLOW)
  }
})

test('what the kernel does not isolate is refused', () => {
  const filter = filterOf('x86_64')
  const refused =
    'keyctl add_key request_key userfaultfd io_uring_setup kexec_load bpf perf_event_open init_module swapon fsopen open_by_handle_at'
  for (const name of refused.split(' ')) assert.is(call(filter, 'x86_64', name), EPERM, name)
})

const header = '/usr/include/x86_64-linux-gnu/asm/unistd_64.h'
const agrees = 'the table agrees with the kernel headers'
if (!existsSync(header)) skipTest(test, agrees, `needs ${header}`)
else
  test(agrees, () => {
    const defined = [...readFileSync(header, 'utf8').matchAll(/^#define __NR_(\w+) (\d+)$/gm)]
    assert.ok(defined.length > 300)
    for (const [, name = '', number] of defined) assert.is(syscallNumbers('x86_64').get(name), Number(number), name)
  })

test('every name of the profile is a system call of some machine', () => {
  const known = new Set(MACHINES.flatMap((machine) => [...syscallNumbers(machine).keys()]))
  for (const name of defaultProfile(ALL_CAPABILITIES).syscalls.flatMap(({ names }) => names))
    assert.ok(known.has(name), name)
})

test('the search tree stays correct where halves are further apart than a byte', () => {
  const names = [...syscallNumbers('x86_64').keys()]
  const wide: OciSeccomp = {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: [],
    syscalls: names.map((name, index) => ({
      names: [name],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 3, value: BigInt(index), op: 'SCMP_CMP_GT' }],
    })),
  }
  const filter = compileSeccomp(wide, 'x86_64')
  assert.ok(filter.length / 8 > 1500)
  for (const [index, name] of names.entries()) {
    assert.is(call(filter, 'x86_64', name, 0n, 0n, 0n, BigInt(index) + 1n), ALLOW)
    assert.is(call(filter, 'x86_64', name, 0n, 0n, 0n, BigInt(index)), EPERM)
  }
})

test('any profile compiles to what it means', () => {
  const names = ['read', 'write', 'socket', 'clone', 'ioctl', 'openat2', 'no_such_call']
  const value = fc.oneof(fc.constantFrom(...EDGES), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }))
  const operators: readonly SeccompOperator[] = [
    ...(['SCMP_CMP_NE', 'SCMP_CMP_LT', 'SCMP_CMP_LE', 'SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT'] as const),
    'SCMP_CMP_MASKED_EQ',
  ]
  const argument = fc.record({ index: fc.nat(5), value, valueTwo: value, op: fc.constantFrom(...operators) })
  const rule = fc.record({
    names: fc.subarray(names, { minLength: 1 }),
    action: fc.constantFrom('SCMP_ACT_ALLOW' as const, 'SCMP_ACT_ERRNO' as const),
    args: fc.array(argument, { maxLength: 3 }),
  })
  const profiles = fc.record({
    defaultAction: fc.constant('SCMP_ACT_ERRNO' as const),
    defaultErrnoRet: fc.constant(1),
    architectures: fc.constant([]),
    syscalls: fc.array(rule, { minLength: 1, maxLength: 8 }),
  })
  fc.assert(
    fc.property(profiles, fc.array(value, { minLength: 6, maxLength: 6 }), (profile, args) => {
      const filter = compileSeccomp(profile, 'x86_64')
      for (const name of new Set(profile.syscalls.flatMap((one) => one.names))) {
        if (name === 'no_such_call') continue
        assert.is(call(filter, 'x86_64', name, ...args), VERDICT[meaningOf(profile, name, args)])
      }
    }),
    { numRuns: 500 },
  )
})

test('netd may answer, and neither connect nor make sockets', () => {
  const filter = netdFilter('x86_64')
  for (const name of [
    'read',
    'recvmsg',
    'accept4',
    'splice',
    'epoll_pwait',
    'openat2',
    'exit_group',
    'sendto',
    'mmap',
  ]) {
    assert.is(call(filter, 'x86_64', name), ALLOW, name)
  }
  for (const name of ['socket', 'connect', 'bind', 'openat', 'execve', 'clone', 'ptrace', 'unshare', 'prctl', 'dup2']) {
    assert.is(call(filter, 'x86_64', name), KILL, name)
  }
  assert.is(runClassic(filter, { number: 1, architecture: 0x40000003 }), KILL)
})

test('netd names an address on its own UDP socket alone, and never maps code', () => {
  const filter = netdFilter('x86_64')
  assert.is(call(filter, 'x86_64', 'sendmsg', 3n), ALLOW)
  assert.is(call(filter, 'x86_64', 'sendmsg', 9n), KILL)
  assert.is(call(filter, 'x86_64', 'close', 3n), KILL, 'the number of its socket is never free')
  assert.is(call(filter, 'x86_64', 'sendto', 9n, 1n, 1n, 0n, 0x7fff0000n), KILL)
  assert.is(call(filter, 'x86_64', 'mprotect', 0n, 4096n, 5n), KILL)
})

const taken = 'the kernel takes the filter and does what it says'
const reason = lacksPython()
if (reason !== undefined) skipTest(test, taken, reason)
else
  test(taken, () => {
    const script = fileURLToPath(new URL('seccomp-probe.py', import.meta.url))
    const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
    const probe = spawnSync('python3', [script], { input: filterOf(machine), encoding: 'utf8' })
    assert.equal(JSON.parse(probe.stdout || JSON.stringify(probe.stderr)), {
      seccomp: 2,
      unix: 0,
      alg: 1,
      vsock: 1,
      tiocsti: 1,
      unshare: 1,
      clone3: 38,
      future: 38,
    })
  })

test.run()
