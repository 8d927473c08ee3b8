/** Tables as docker prints them: upper-case headers, columns three spaces apart, no trailing blanks. */

// Terminal escape sequences (colours, links) take no room.
const ESCAPES = /\x1b(?:\[[0-9;]*m|\]8;;[^\x1b]*\x1b\\)/g

const widthOf = (text: string): number => [...text.replace(ESCAPES, '')].length

export interface Spacing {
  /** Blanks behind the widest cell of a column. */
  readonly gap: number
  /** A column takes at least this, gap included. */
  readonly least: number
}

const LIST: Spacing = { gap: 3, least: 10 }
/** `compose ls` and `compose images`. */
export const WIDE: Spacing = { gap: 3, least: 20 }
/** `compose top`. */
export const NARROW: Spacing = { gap: 2, least: 4 }

export const formatTable = (
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  { gap, least }: Spacing = LIST,
): string => {
  const lines = [headers, ...rows]
  const widths = headers.map((_, column) =>
    Math.max(least, gap + Math.max(...lines.map((line) => widthOf(line[column] ?? '')))),
  )
  const pad = (cell: string, column: number): string => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell))
  return lines.map((line) => `${line.map(pad).join('').trimEnd()}\n`).join('')
}
