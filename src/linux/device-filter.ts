/**
 * Device rules for the device cgroup: lines of v1's devices.allow and devices.deny, or an eBPF program of type
 * BPF_PROG_TYPE_CGROUP_DEVICE (Linux 4.15). In both the last rule that matches decides, and what nothing matches is denied.
 */
import type { OciDeviceRule } from '../oci/runtime-spec.ts'
import { EXTENDED, type Extended, encodeExtended } from './bpf.ts'

const allow = (
  type: 'b' | 'c',
  major: number | undefined,
  minor: number | undefined,
  access: string,
): OciDeviceRule => ({
  allow: true,
  type,
  ...(major === undefined ? {} : { major }),
  ...(minor === undefined ? {} : { minor }),
  access,
})

/** Docker's: any node may be made, few may be opened. */
export const DEFAULT_DEVICE_RULES: readonly OciDeviceRule[] = [
  { allow: false, type: 'a', access: 'rwm' },
  allow('c', undefined, undefined, 'm'),
  allow('b', undefined, undefined, 'm'),
  allow('c', 1, 3, 'rwm'), // null
  allow('c', 1, 5, 'rwm'), // zero
  allow('c', 1, 7, 'rwm'), // full
  allow('c', 1, 8, 'rwm'), // random
  allow('c', 1, 9, 'rwm'), // urandom
  allow('c', 5, 0, 'rwm'), // tty
  allow('c', 5, 1, 'rwm'), // console
  allow('c', 5, 2, 'rwm'), // ptmx
  allow('c', 136, undefined, 'rwm'), // pts/*
  allow('c', 10, 200, 'rwm'), // net/tun
]

export const ALL_DEVICES: readonly OciDeviceRule[] = [{ allow: true, type: 'a', access: 'rwm' }]

/** A rule that every access matches. */
const isTotal = (rule: OciDeviceRule): boolean =>
  rule.type === 'a' && rule.major === undefined && rule.minor === undefined && accessBits(rule.access) === ALL_ACCESS

const number = (value: number | undefined): string => (value === undefined ? '*' : String(value))

/**
 * File (`devices.allow` or `devices.deny`) and line, in the order to be written. A cgroup starts with its parent's rules, so
 * a first rule that allows everything needs no line, and could not get any when the parent has fewer.
 */
export const deviceLines = (rules: readonly OciDeviceRule[]): { readonly file: string; readonly line: string }[] =>
  rules
    .filter((rule, index) => !(index === 0 && rule.allow && isTotal(rule)))
    .map((rule) => ({
      file: rule.allow ? 'devices.allow' : 'devices.deny',
      line: isTotal(rule) ? 'a' : `${rule.type} ${number(rule.major)}:${number(rule.minor)} ${rule.access}`,
    }))

/** struct bpf_cgroup_dev_ctx: u32 access_type (type in the low half, access in the high one), u32 major, u32 minor. */
const CONTEXT = { accessType: 0, major: 4, minor: 8 }
const DEVICE_TYPE = { b: 1, c: 2 } as const
const ACCESS: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 }
const ALL_ACCESS = 7
const R = { result: 0, context: 1, type: 2, access: 3, major: 4, minor: 5, scratch: 6 } as const

const accessBits = (access: string): number => [...access].reduce((bits, letter) => bits | (ACCESS[letter] ?? 0), 0)

const instruction = (code: number, dst: number, rest: Partial<Omit<Extended, 'code' | 'dst'>> = {}): Extended => ({
  code,
  dst,
  src: 0,
  offset: 0,
  immediate: 0,
  ...rest,
})
const loadWord = (dst: number, offset: number): Extended =>
  instruction(EXTENDED.loadWord, dst, { src: R.context, offset })
const answer = (allowed: boolean): Extended[] => [
  instruction(EXTENDED.moveImmediate, R.result, { immediate: allowed ? 1 : 0 }),
  instruction(EXTENDED.exit, 0),
]

/** A test jumps to the next rule when it fails; its offset is filled in once the rule's length is known. */
const differs = (register: number, immediate: number): Extended =>
  instruction(EXTENDED.jumpIfNotEqual, register, { immediate })

/** An allowing rule must cover all that is asked for; a denying one matches with any of it. */
const accessTests = (rule: OciDeviceRule): Extended[] => {
  const bits = accessBits(rule.access)
  if (bits === ALL_ACCESS) return []
  return [
    instruction(EXTENDED.moveRegister, R.scratch, { src: R.access }),
    instruction(EXTENDED.andImmediate, R.scratch, { immediate: rule.allow ? ALL_ACCESS & ~bits : bits }),
    instruction(rule.allow ? EXTENDED.jumpIfNotEqual : EXTENDED.jumpIfEqual, R.scratch),
  ]
}

const isJump = (code: number): boolean => code === EXTENDED.jumpIfEqual || code === EXTENDED.jumpIfNotEqual

const ruleProgram = (rule: OciDeviceRule): Extended[] => {
  const program = [
    ...(rule.type === 'a' ? [] : [differs(R.type, DEVICE_TYPE[rule.type])]),
    ...accessTests(rule),
    ...(rule.major === undefined ? [] : [differs(R.major, rule.major)]),
    ...(rule.minor === undefined ? [] : [differs(R.minor, rule.minor)]),
    ...answer(rule.allow),
  ]
  return program.map((step, index) => (isJump(step.code) ? { ...step, offset: program.length - index - 1 } : step))
}

/** The program as bytes. Empty: everything is allowed and none is needed. */
export const deviceProgram = (rules: readonly OciDeviceRule[]): Uint8Array => {
  // The verifier refuses unreachable code: nothing may stand before a rule that always matches.
  const start = rules.findLastIndex(isTotal)
  const base = rules[start]
  const special = rules.slice(start + 1)
  if (base?.allow && special.length === 0) return new Uint8Array()
  return encodeExtended([
    loadWord(R.type, CONTEXT.accessType),
    instruction(EXTENDED.moveRegister, R.access, { src: R.type }),
    instruction(EXTENDED.andImmediate, R.type, { immediate: 0xffff }),
    instruction(EXTENDED.shiftRight, R.access, { immediate: 16 }),
    loadWord(R.major, CONTEXT.major),
    loadWord(R.minor, CONTEXT.minor),
    ...special.toReversed().flatMap(ruleProgram),
    ...answer(base?.allow ?? false),
  ])
}
