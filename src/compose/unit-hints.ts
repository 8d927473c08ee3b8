/** Numbers with units as they were probably meant. */

const SIZE_UNITS: Readonly<Record<string, string>> = { b: 'b', k: 'k', m: 'm', g: 'g', t: 't', p: 'p' }

/** `512 megabytes` → `512m`, `1,5g` → `1.5g`. */
export const sizeHint = (text: string): string => {
  const [, number, unit] = /^(\d+(?:[.,]\d+)?)\s*([bkmgtp])[a-z]*$/i.exec(text.trim()) ?? []
  const letter = SIZE_UNITS[unit?.toLowerCase() ?? '']
  const isWord = /^(b(ytes?)?|[kmgtp]i?(b|o|bytes?|eg|egs)?|kilo\w*|mega\w*|giga\w*|gigs?|meg\w*|tera\w*)$/i
  const word = text.trim().replace(/^[\d.,\s]+/, '')
  if (number === undefined || letter === undefined || !isWord.test(word))
    return 'write a number with b, k, m or g, such as 512m'
  return `write ${number.replace(',', '.')}${letter}`
}

const DURATION_UNITS: readonly (readonly [RegExp, string])[] = [
  [/^(s|secs?|seconds?)$/i, 's'],
  [/^(m|mins?|minutes?)$/i, 'm'],
  [/^(h|hrs?|hours?)$/i, 'h'],
  [/^(ms|msecs?|millis|milliseconds?)$/i, 'ms'],
  [/^(d|days?)$/i, 'd'],
]

/** `5 minutes` → `5m`, `10` → `10s`. */
export const durationHint = (text: string): string => {
  const [, number, unit = ''] = /^(\d+(?:[.,]\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? []
  const letter = unit === '' ? 's' : DURATION_UNITS.find(([pattern]) => pattern.test(unit))?.[1]
  if (number === undefined || letter === undefined) return 'write numbers with us, ms, s, m or h, such as 1m30s'
  return `write ${number.replace(',', '.')}${letter}`
}

/** `1,5` → `1.5`. */
export const numberHint = (text: string): string | undefined =>
  /^\d+,\d+$/.test(text) ? `write ${text.replace(',', '.')}` : undefined
