/** The order in which the reference's YAML library prints the keys of a map: `web2` before `web10`, letters behind the rest. */

const isDigit = (character: string | undefined): boolean => character !== undefined && /^\p{Nd}$/u.test(character)
const isLetter = (character: string | undefined): boolean => character !== undefined && /^\p{L}$/u.test(character)

const LOWER_CASE = /^[a-z]*$/

/** The digits of `text` from `offset` on, with `zeros` standing for a digit before them that leading zeros count behind. */
const runAt = (text: readonly string[], offset: number): string => {
  let end = offset
  while (isDigit(text[end])) end++
  return text.slice(offset, end).join('')
}

/** Whether a number has begun before `offset` with another digit than 0: zeros are then significant. */
const hasBegun = (text: readonly string[], offset: number): boolean => {
  for (let index = offset - 1; isDigit(text[index]); index--) if (text[index] !== '0') return true
  return false
}

const compareNonLetters = (one: readonly string[], other: readonly string[], offset: number): number => {
  const [left, right] = [runAt(one, offset), runAt(other, offset)]
  const zero = one[offset] === '0' || other[offset] === '0'
  const lead = zero && hasBegun(one, offset) ? '1' : ''
  const difference = BigInt(`0${lead}${left}`) - BigInt(`0${lead}${right}`)
  if (difference !== 0n) return difference < 0n ? -1 : 1
  if (left.length !== right.length) return left.length - right.length
  return (one[offset] ?? '') < (other[offset] ?? '') ? -1 : 1
}

export const compareNaturally = (left: string, right: string): number => {
  if (left === right) return 0
  // Most names: nothing but letters.
  if (LOWER_CASE.test(left) && LOWER_CASE.test(right)) return left < right ? -1 : 1
  const [one, other] = [[...left], [...right]]
  const length = Math.min(one.length, other.length)
  let offset = 0
  while (offset < length && one[offset] === other[offset]) offset++
  if (offset === length) return one.length - other.length
  const letters = [isLetter(one[offset]), isLetter(other[offset])]
  if (letters[0] && letters[1]) return (one[offset] ?? '') < (other[offset] ?? '') ? -1 : 1
  if (letters[0] || letters[1]) return letters[0] === isDigit(one[offset - 1]) ? -1 : 1
  return compareNonLetters(one, other, offset)
}
