/**
 * What a plain (unquoted) scalar means. The reference implementation reads files with a YAML 1.2 library for Go that keeps
 * some of 1.1: octal `0440`, `0b11`, `1_000`; but `yes`, `no`, `on`, `off` and `22:22` are text. Source text decides.
 */
import type { ScalarValue } from './node.ts'

const CONSTANTS: ReadonlyMap<string, ScalarValue> = new Map<string, ScalarValue>([
  ...['', '~', 'null', 'Null', 'NULL'].map((text) => [text, null] as const),
  ...['true', 'True', 'TRUE'].map((text) => [text, true] as const),
  ...['false', 'False', 'FALSE'].map((text) => [text, false] as const),
  ...['.nan', '.NaN', '.NAN'].map((text) => [text, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((text) => [text, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((text) => [text, Number.NEGATIVE_INFINITY] as const),
])

const INTEGER = /^([-+]?)(?:(0[xX][0-9a-fA-F]+)|(0[bB][01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/
const DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt]| +)\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d*)?(?:Z|[-+]\d\d:\d\d)?)?$/
/** Beyond 64 bits the reference falls back to a float. */
const MAXIMUM = 2n ** 64n - 1n
const MINIMUM = -(2n ** 63n)

const narrow = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value

const resolveInteger = (text: string): number | bigint | undefined => {
  const match = INTEGER.exec(text)
  if (match === null) return undefined
  const [, sign, hex, binary, octal, decimal] = match
  const digits = hex ?? binary ?? (octal === undefined ? decimal : `0o${octal}`)
  const magnitude = BigInt(digits ?? 0)
  const value = sign === '-' ? -magnitude : magnitude
  return value > MAXIMUM || value < MINIMUM ? undefined : narrow(value)
}

/** Only what starts like a number can be one: anything else costs a single look. */
const startsNumber = (text: string): boolean => {
  const first = text.charCodeAt(0)
  return (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46
}

export const resolvePlain = (text: string): ScalarValue => {
  const constant = CONSTANTS.get(text)
  if (constant !== undefined) return constant
  if (!startsNumber(text)) return text
  const digits = text.includes('_') ? text.replaceAll('_', '') : text
  const integer = resolveInteger(digits)
  if (integer !== undefined) return integer
  const value = FLOAT.test(digits) ? Number(digits) : Number.NaN
  return Number.isFinite(value) ? value : text
}

/** An unquoted date is a date, not text, to the reference: it refuses it wherever text is wanted. */
export const isDate = (text: string): boolean => {
  if (!startsNumber(text)) return false
  const [, year, month, day] = DATE.exec(text) ?? []
  if (year === undefined) return false
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const decodeBinary = (text: string): string | undefined => {
  const digits = text.replaceAll(/[\r\n]/g, '')
  return BASE64.test(digits) ? Buffer.from(digits, 'base64').toString('utf8') : undefined
}

/** What a text with a tag of YAML's own (`!!int`, without the marks) is; undefined: it is not that. Unknown tags: text. */
export const resolveTagged = (tag: string, text: string): ScalarValue | undefined => {
  const value = resolvePlain(text)
  switch (tag) {
    case 'binary':
      return decodeBinary(text)
    case 'bool':
      return typeof value === 'boolean' ? value : undefined
    case 'float':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined
    case 'int':
      return typeof value === 'bigint' || (Number.isInteger(value) && !/^[-+]?[\d_]*\./.test(text)) ? value : undefined
    case 'null':
      return value === null ? null : undefined
    case 'timestamp':
      return isDate(text) ? text : undefined
    default:
      return text
  }
}
