/** Tables as docker prints them: upper-case headers, columns three spaces apart, no trailing blanks. */

// Terminal escape sequences (colours, links) take no room.
const ESCAPES = /\x1b(?:\[[0-9;]*m|\]8;;[^\x1b]*\x1b\\)/g
const GAP = 3

const widthOf = (text: string): number => [...text.replace(ESCAPES, '')].length

export const formatTable = (headers: readonly string[], rows: readonly (readonly string[])[]): string => {
  const lines = [headers, ...rows]
  const widths = headers.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))))
  const pad = (cell: string, column: number): string => cell + ' '.repeat((widths[column] ?? 0) + GAP - widthOf(cell))
  return lines.map((line) => `${line.map(pad).join('').trimEnd()}\n`).join('')
}
