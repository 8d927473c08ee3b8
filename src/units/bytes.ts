/** Sizes as Compose writes them: `50m`, `1.5 GiB`, `1024`. Units are powers of 1024 whatever their spelling. */

const POWERS: Readonly<Record<string, number>> = { b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 }
const SIZE = /^\+?((?:\d*\.?\d+|\d+\.)(?:e[-+]?\d+)?)\s?(?:([bkmgtp])|([kmgtp])i?b)?$/i
const MAXIMUM = 2 ** 63

/** Bytes, or undefined where the text is no size. Negative sizes are only understood as `-1` (no limit). */
export const parseBytes = (text: string): number | undefined => {
  if (text === '-1') return -1
  const match = SIZE.exec(text.replaceAll(/(?<=\d)_(?=\d)/g, ''))
  if (match?.[1] === undefined) return undefined
  const unit = (match[2] ?? match[3] ?? 'b').toLowerCase()
  const size = Math.trunc(Number(match[1]) * 1024 ** (POWERS[unit] ?? 0))
  return size < MAXIMUM ? size : undefined
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `1.5MiB`: for people, at most four digits. */
export const formatBytes = (bytes: number): string => {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${Number(value.toPrecision(value >= 1000 ? 4 : 3))}${UNITS[power] ?? 'B'}`
}
