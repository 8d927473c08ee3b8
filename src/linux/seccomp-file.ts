/**
 * A seccomp profile of the user in Docker's JSON: names, argument rules, and conditions on architecture, kernel and
 * capabilities. It comes from a file and is bounded; system calls that nobody knows are skipped, as runc does.
 */
import type {
  OciSeccomp,
  OciSyscallArgument,
  OciSyscallRule,
  SeccompAction,
  SeccompOperator,
} from '../oci/runtime-spec.ts'
import { capabilitySet } from './capabilities.ts'

const MAX_TEXT = 1 << 20

/** What conditions of a rule are about. */
export interface SeccompHost {
  /** Bit n = capability n is in the bounding set. */
  readonly capabilities: bigint
  /** As uname(2) names it. */
  readonly machine: string
  readonly kernel: { readonly major: number; readonly minor: number }
}

const ACTIONS: readonly SeccompAction[] = [
  ...([
    'SCMP_ACT_ALLOW',
    'SCMP_ACT_LOG',
    'SCMP_ACT_TRACE',
    'SCMP_ACT_ERRNO',
    'SCMP_ACT_TRAP',
    'SCMP_ACT_KILL',
  ] as const),
  ...(['SCMP_ACT_KILL_THREAD', 'SCMP_ACT_KILL_PROCESS'] as const),
]
const OPERATORS: readonly SeccompOperator[] = [
  ...(['SCMP_CMP_NE', 'SCMP_CMP_LT', 'SCMP_CMP_LE', 'SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT'] as const),
  'SCMP_CMP_MASKED_EQ',
]
/** Go's names of machines, which conditions use. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' }
const EPERM = 1

class Mistake extends Error {}

const fail = (message: string): never => {
  throw new Mistake(message)
}

type Json = { readonly [key: string]: unknown }

const object = (value: unknown, what: string): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : fail(`${what} is not an object`)

const list = (value: unknown, what: string): readonly unknown[] => {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : fail(`${what} is not a list`)
}

const words = (value: unknown, what: string): readonly string[] =>
  list(value, what).map((item) => (typeof item === 'string' ? item : fail(`${what} has ${JSON.stringify(item)}`)))

const oneOf = <T extends string>(value: unknown, known: readonly T[], what: string): T =>
  known.find((each) => each === value) ?? fail(`there is no ${what} ${JSON.stringify(value) ?? 'at all'}`)

const errno = (value: unknown): number | undefined => {
  if (value === undefined || value === null) return undefined
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff
    ? Number(value)
    : fail(`errnoRet ${JSON.stringify(value)} is not a number of 16 bits`)
}

const UINT64 = 2n ** 64n

/** Numbers of more than 53 bits came as text (see `parseExactly`). */
const unsigned = (value: unknown): bigint => {
  if (value === undefined || value === null) return 0n
  const isNumber = typeof value === 'number' ? Number.isSafeInteger(value) : /^\d{1,20}$/.test(String(value))
  const number = isNumber ? BigInt(String(value)) : -1n
  return number >= 0n && number < UINT64 ? number : fail(`argument value ${String(value)} is not a number of 64 bits`)
}

const argument = (value: unknown): OciSyscallArgument => {
  const { index, value: one, valueTwo, op } = object(value, 'an argument')
  if (!Number.isInteger(index) || Number(index) < 0 || Number(index) > 5) {
    return fail(`argument index ${JSON.stringify(index)} is not in the range 0-5`)
  }
  const operator = oneOf(op, OPERATORS, 'operator')
  return { index: Number(index), value: unsigned(one), valueTwo: unsigned(valueTwo), op: operator }
}

const isAtLeast = (kernel: SeccompHost['kernel'], minimum: unknown): boolean => {
  const [, major, minor = '0'] = /^(\d+)(?:\.(\d+))?/.exec(String(minimum)) ?? []
  if (major === undefined) return fail(`minKernel ${JSON.stringify(minimum)} is no version`)
  return kernel.major > Number(major) || (kernel.major === Number(major) && kernel.minor >= Number(minor))
}

const holds = (capability: string, host: SeccompHost): boolean => {
  const set = capabilitySet([capability])
  return set !== 0n && (host.capabilities & set) === set
}

const applies = (rule: Json, host: SeccompHost): boolean => {
  const includes = object(rule.includes ?? {}, 'includes')
  const excludes = object(rule.excludes ?? {}, 'excludes')
  const isHere = (architecture: string) => architecture === (ARCHITECTURES[host.machine] ?? host.machine)
  const only = words(includes.arches, 'includes.arches')
  const kernel = (value: unknown) => value !== undefined && value !== null && value !== ''
  return !(
    words(excludes.arches, 'excludes.arches').some(isHere) ||
    words(excludes.caps, 'excludes.caps').some((name) => holds(name, host)) ||
    (kernel(excludes.minKernel) && isAtLeast(host.kernel, excludes.minKernel)) ||
    (only.length > 0 && !only.some(isHere)) ||
    !words(includes.caps, 'includes.caps').every((name) => holds(name, host)) ||
    (kernel(includes.minKernel) && !isAtLeast(host.kernel, includes.minKernel))
  )
}

const syscallRule = (value: unknown, host: SeccompHost): OciSyscallRule[] => {
  const rule = object(value, 'a rule of syscalls')
  const names = rule.name === undefined ? words(rule.names, 'names') : words([rule.name], 'name')
  const action = oneOf(rule.action, ACTIONS, 'action')
  const errnoRet = errno(rule.errnoRet)
  const args = list(rule.args, 'args').map(argument)
  if (!applies(rule, host)) return []
  return [{ names, action, ...(errnoRet === undefined ? {} : { errnoRet }), ...(args.length > 0 ? { args } : {}) }]
}

/** JSON.parse rounds integers beyond 2^53: those are read as text. */
const parseExactly = (text: string): unknown =>
  JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|\b\d{16,}\b/g, (token) => (token.startsWith('"') ? token : `"${token}"`)))

const parse = (text: string, host: SeccompHost): OciSeccomp => {
  if (text.length > MAX_TEXT) return fail(`it is longer than ${MAX_TEXT} characters`)
  const profile = object(parseExactly(text), 'the profile')
  if (profile.listenerPath !== undefined && profile.listenerPath !== '') return fail('listenerPath is not supported')
  return {
    defaultAction: oneOf(profile.defaultAction, ACTIONS, 'defaultAction'),
    defaultErrnoRet: errno(profile.defaultErrnoRet) ?? EPERM,
    architectures: words(profile.architectures, 'architectures'),
    syscalls: list(profile.syscalls, 'syscalls').flatMap((rule) => syscallRule(rule, host)),
  }
}

/** The profile, or why the text is none. */
export const parseSeccompFile = (
  text: string,
  host: SeccompHost,
): { readonly profile: OciSeccomp } | { readonly mistake: string } => {
  try {
    return { profile: parse(text, host) }
  } catch (error) {
    if (error instanceof Mistake) return { mistake: error.message }
    if (error instanceof SyntaxError) return { mistake: `it is not JSON: ${error.message.split('\n')[0]}` }
    throw error
  }
}
