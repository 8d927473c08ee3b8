/**
 * Compiles an OCI seccomp profile to a classic BPF program over struct seccomp_data (linux/seccomp.h):
 * architecture check, then a binary search over ranges of system call numbers, whose leaves are verdicts or chains of
 * argument rules. Loads, jumps, AND and RET are all it uses, so the kernel (5.11) finds the numbers that are always
 * allowed and skips the program for them.
 */
import assert from 'node:assert'
import type { OciSeccomp, OciSyscallArgument, OciSyscallRule, SeccompAction } from '../oci/runtime-spec.ts'
import {
  and,
  CLASSIC,
  type Classic,
  encodeClassic,
  jump,
  load,
  MAX_CLASSIC_INSTRUCTIONS,
  MAX_CLASSIC_JUMP,
  ret,
} from './bpf.ts'
import { AUDIT_ARCH, type Machine, syscallNumbers } from './syscalls.ts'

/** Offsets in struct seccomp_data; each argument is a little-endian u64. */
const DATA = { number: 0, architecture: 4, arguments: 16 } as const
const RETURN: Readonly<Record<SeccompAction, number>> = {
  SCMP_ACT_ALLOW: 0x7fff0000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_KILL: 0x00000000,
  SCMP_ACT_KILL_THREAD: 0x00000000,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
}
/** Actions that carry 16 bits: an errno, or a word for the tracer. */
const CARRIES: ReadonlySet<SeccompAction> = new Set(['SCMP_ACT_ERRNO', 'SCMP_ACT_TRACE'])
const ENOSYS = 38
const EPERM = 1

const verdict = (action: SeccompAction, errno: number): number =>
  CARRIES.has(action) ? RETURN[action] | errno : RETURN[action]

/** The system calls from `first` up to the next range: one verdict for all, or rules that look at arguments. */
interface Range {
  readonly first: number
  readonly verdict: number
  readonly rules: readonly OciSyscallRule[]
}

/** An argument test before its jumps are resolved: `next` falls through, `pass` ends the test, `fail` ends the rule. */
type Target = 'next' | 'pass' | 'fail'
interface Step extends Omit<Classic, 'jt' | 'jf'> {
  readonly jt: Target
  readonly jf: Target
}
const plain = ({ code, k }: Classic): Step => ({ code, k, jt: 'next', jf: 'next' })
const test = (code: number, k: number, jt: Target, jf: Target): Step => ({ code, k, jt, jf })

const low = (value: bigint): number => Number(value & 0xffffffffn)
const high = (value: bigint): number => Number((value >> 32n) & 0xffffffffn)

/** Compares 64 bits as two halves, the high one first. */
const argumentSteps = ({ index, value, valueTwo = 0n, op }: OciSyscallArgument): Step[] => {
  const lowHalf = plain(load(DATA.arguments + 8 * index))
  const highHalf = plain(load(DATA.arguments + 8 * index + 4))
  const [h, l] = [high(value), low(value)]
  const { equal, greater, greaterEqual } = CLASSIC
  switch (op) {
    case 'SCMP_CMP_EQ':
      return [highHalf, test(equal, h, 'next', 'fail'), lowHalf, test(equal, l, 'next', 'fail')]
    case 'SCMP_CMP_NE':
      return [highHalf, test(equal, h, 'next', 'pass'), lowHalf, test(equal, l, 'fail', 'next')]
    case 'SCMP_CMP_GT':
    case 'SCMP_CMP_GE': {
      const code = op === 'SCMP_CMP_GT' ? greater : greaterEqual
      const ofHigh = [test(greater, h, 'pass', 'next'), test(equal, h, 'next', 'fail')]
      return [highHalf, ...ofHigh, lowHalf, test(code, l, 'next', 'fail')]
    }
    case 'SCMP_CMP_LT':
    case 'SCMP_CMP_LE': {
      const code = op === 'SCMP_CMP_LT' ? greaterEqual : greater
      const ofHigh = [test(greater, h, 'fail', 'next'), test(equal, h, 'next', 'pass')]
      return [highHalf, ...ofHigh, lowHalf, test(code, l, 'fail', 'next')]
    }
    case 'SCMP_CMP_MASKED_EQ': {
      const ofHigh = [highHalf, plain(and(h)), test(equal, high(valueTwo), 'next', 'fail')]
      const ofLow = [lowHalf, plain(and(l)), test(equal, low(valueTwo), 'next', 'fail')]
      return h === 0 && high(valueTwo) === 0 ? ofLow : [...ofHigh, ...ofLow]
    }
  }
}

/** One rule: all tests, then its verdict; a failed test goes on behind it. */
const ruleProgram = (rule: OciSyscallRule): Classic[] => {
  const tests = (rule.args ?? []).map(argumentSteps)
  const length = tests.reduce((sum, steps) => sum + steps.length, 0) + 1
  let at = 0
  const program = tests.flatMap((steps) => {
    const end = at + steps.length
    return steps.map((step) => {
      at += 1
      const distance: Readonly<Record<Target, number>> = { next: 0, pass: end - at, fail: length - at }
      return { code: step.code, k: step.k, jt: distance[step.jt], jf: distance[step.jf] }
    })
  })
  return [...program, ret(verdictOf(rule))]
}

const isCertain = (rule: OciSyscallRule): boolean => rule.args === undefined || rule.args.length === 0
const verdictOf = (rule: OciSyscallRule): number => verdict(rule.action, rule.errnoRet ?? EPERM)

const rulesByNumber = (profile: OciSeccomp, numbers: ReadonlyMap<string, number>): Map<number, OciSyscallRule[]> => {
  const rules = new Map<number, OciSyscallRule[]>()
  for (const rule of profile.syscalls) {
    for (const name of rule.names) {
      // A name that this machine has not got is no mistake: profiles list the union.
      const number = numbers.get(name)
      if (number === undefined) continue
      const known = rules.get(number)
      if (known) known.push(rule)
      else rules.set(number, [rule])
    }
  }
  return rules
}

/** The rules of one system call: the first that matches decides, so a certain one ends the list. */
const rangeOf = (first: number, rules: readonly OciSyscallRule[], otherwise: number): Range => {
  const certain = rules.findIndex(isCertain)
  const last = rules[certain]
  return last === undefined
    ? { first, verdict: otherwise, rules }
    : { first, verdict: verdictOf(last), rules: rules.slice(0, certain) }
}

/**
 * All numbers as few ranges. Beyond the newest call that the profile names stands ENOSYS, not its refusal (as in runc): it
 * cannot have meant them, and libraries fall back from a call that the kernel seems not to have. x32 calls (bit 30) lie
 * there too.
 */
const rangesOf = (profile: OciSeccomp, numbers: ReadonlyMap<string, number>): Range[] => {
  const otherwise = verdict(profile.defaultAction, profile.defaultErrnoRet)
  const rules = rulesByNumber(profile, numbers)
  const ranges: Range[] = []
  const append = (range: Range): void => {
    const before = ranges[ranges.length - 1]
    const plain = before?.rules.length === 0 && range.rules.length === 0
    if (!plain || before.verdict !== range.verdict) ranges.push(range)
  }
  let next = 0
  for (const number of Int32Array.from(rules.keys()).sort()) {
    if (number > next) append({ first: next, verdict: otherwise, rules: [] })
    append(rangeOf(number, rules.get(number) ?? [], otherwise))
    next = number + 1
  }
  append({ first: next, verdict: unknownVerdict(profile), rules: [] })
  return ranges
}

/** For what the profile cannot have meant: ENOSYS where it would answer with an errno anyway. */
const unknownVerdict = ({ defaultAction, defaultErrnoRet }: OciSeccomp): number =>
  verdict(defaultAction, defaultAction === 'SCMP_ACT_ERRNO' ? ENOSYS : defaultErrnoRet)

/**
 * Appends a binary search over ranges[from..to). A holds the number. Each leaf ends in RET, so that the right half may
 * simply follow the left one.
 */
const appendSearch = (out: Classic[], ranges: readonly Range[], from: number, to: number): void => {
  const middle = (from + to) >> 1
  const range = ranges[middle]
  assert(range)
  if (to - from === 1) {
    out.push(...range.rules.flatMap(ruleProgram), ret(range.verdict))
    return
  }
  const at = out.length
  appendSearch(out, ranges, from, middle)
  const distance = out.length - at
  const code = CLASSIC.greaterEqual
  if (distance <= MAX_CLASSIC_JUMP) out.splice(at, 0, { code, jt: distance, jf: 0, k: range.first })
  else out.splice(at, 0, { code, jt: 0, jf: 1, k: range.first }, jump(distance))
  appendSearch(out, ranges, middle, to)
}

const assemble = (profile: OciSeccomp, machine: Machine): readonly Classic[] => {
  const program: Classic[] = [
    load(DATA.architecture),
    { code: CLASSIC.equal, jt: 1, jf: 0, k: AUDIT_ARCH[machine] },
    ret(unknownVerdict(profile)),
    load(DATA.number),
  ]
  const ranges = rangesOf(profile, syscallNumbers(machine))
  appendSearch(program, ranges, 0, ranges.length)
  return program
}

const compile = (profile: OciSeccomp, machine: Machine): Uint8Array => encodeClassic(assemble(profile, machine))

/** Whether the kernel takes a filter of this length. */
export const fitsKernel = (profile: OciSeccomp, machine: Machine): boolean =>
  assemble(profile, machine).length <= MAX_CLASSIC_INSTRUCTIONS

const compiled = new WeakMap<OciSeccomp, Map<Machine, Uint8Array>>()

/**
 * The filter as bytes; made once for each profile object. Calls of another architecture (i386 by int 0x80 on x86_64,
 * 32-bit ARM on aarch64) get ENOSYS: their socketcall(2) hides the address family from every filter, and would let AF_ALG
 * and AF_VSOCK through.
 */
export const compileSeccomp = (profile: OciSeccomp, machine: Machine): Uint8Array => {
  const known = compiled.get(profile) ?? new Map<Machine, Uint8Array>()
  const bytes = known.get(machine) ?? compile(profile, machine)
  compiled.set(profile, known.set(machine, bytes))
  return bytes
}
