/** Scalars as the numbers of the model: whole ones of 64 bits exactly, fractions as a 32-bit float prints them, bytes. */
import { parseBytes } from '../units/bytes.ts'
import type { ScalarValue } from './node.ts'

export interface IntegerRange {
  readonly least: bigint
  readonly most: bigint
}

export const SIGNED: IntegerRange = { least: -(2n ** 63n), most: 2n ** 63n - 1n }
export const UNSIGNED: IntegerRange = { least: 0n, most: 2n ** 64n - 1n }

/** What a whole number should have been: `which is not …`; undefined: it is within. */
export const outside = (value: bigint, range: IntegerRange): string | undefined => {
  if (value < range.least) return range.least === 0n ? 'a whole number from 0 up' : 'a number of 64 bits'
  return value > range.most ? 'a number of 64 bits' : undefined
}

type Value = Exclude<ScalarValue, null>

/** NaN where the text is no number. */
export const toNumber = (value: Value): number =>
  typeof value === 'string'
    ? /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value)
      ? Number(value)
      : Number.NaN
    : Number(value)

/** undefined where it is no whole number. */
export const toInteger = (value: Value): bigint | undefined => {
  if (typeof value === 'bigint') return value
  if (typeof value === 'string' && /^[-+]?\d+$/.test(value)) return BigInt(value.replace('+', ''))
  const number = toNumber(value)
  return Number.isInteger(number) ? BigInt(number) : undefined
}

/** A number while it is exact. */
export const narrow = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value)

/** The shortest decimal that is the same 32-bit float: 0.1 stays, 0.123456789 becomes 0.12345679. */
export const roundToSingle = (value: number): number => {
  const single = Math.fround(value)
  for (let digits = 1; digits < 10; digits++) {
    const shorter = Number(single.toPrecision(digits))
    if (Math.fround(shorter) === single) return shorter
  }
  return single
}

/** Text may have a unit, and is -1 or not negative; a number has its fraction cut. undefined where it is no size, or none of 63 bits. */
export const toBytes = (value: Value): bigint | undefined => {
  if (typeof value === 'string' && value.startsWith('-') && value !== '-1') return undefined
  const whole = toInteger(value)
  const bytes = whole ?? toFraction(value)
  return bytes === undefined || bytes > SIGNED.most || bytes < SIGNED.least ? undefined : bytes
}

const toFraction = (value: Value): bigint | undefined => {
  const size = typeof value === 'string' ? parseBytes(value) : Number(value)
  return size === undefined || !Number.isFinite(size) ? undefined : BigInt(Math.trunc(size))
}
