/** Offsets of files → lines and columns, by one index for each file. */

export interface Position {
  /** From 1. */
  readonly line: number
  /** From 1, in characters as an editor counts them. */
  readonly column: number
}

const lineStartsOf = (text: string): readonly number[] => {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** Index of the last line that starts at or before `offset`. */
const lineIndex = (starts: readonly number[], offset: number): number => {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low
}

export class Positions {
  readonly #sources: ReadonlyMap<string, string>
  readonly #starts = new Map<string, readonly number[]>()

  constructor(sources: ReadonlyMap<string, string>) {
    this.#sources = sources
  }

  /** `offset` in UTF-16 units. A file that was not read has one empty line. */
  at(file: string, offset: number): Position {
    const text = this.#sources.get(file) ?? ''
    const starts = this.#starts.get(file) ?? lineStartsOf(text)
    this.#starts.set(file, starts)
    const index = lineIndex(starts, offset)
    return { line: index + 1, column: [...text.slice(starts[index], offset)].length + 1 }
  }
}
