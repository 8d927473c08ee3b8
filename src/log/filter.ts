/** Lines that a pattern is found in. */
const NEWLINE = 10

export interface Grep {
  /** With the flag g where matches are highlighted. */
  readonly pattern: RegExp
  /** How a match is shown; undefined: as it is. */
  readonly highlight: ((match: string) => string) | undefined
}

export const matches = ({ pattern }: Grep, content: Buffer): boolean => {
  pattern.lastIndex = 0
  return pattern.test(content.toString('utf8'))
}

/**
 * The lines of `output` whose content matches, with `prefix` in front. The first `headLength` bytes of a line are no
 * content (its time). Lines are given out byte for byte, unless a match in them is highlighted.
 */
export const filterLines = (output: Buffer, grep: Grep, prefix: string, headLength: number): Buffer => {
  const head = Buffer.from(prefix)
  const parts: Buffer[] = []
  for (let start = 0; start < output.length; ) {
    const end = output.indexOf(NEWLINE, start) + 1 || output.length + 1
    const content = output.subarray(start + headLength, end - 1)
    if (matches(grep, content)) {
      const { highlight } = grep
      const shown = highlight === undefined ? content : content.toString('utf8').replace(grep.pattern, highlight)
      parts.push(head, output.subarray(start, start + headLength), Buffer.from(shown), output.subarray(end - 1, end))
    }
    start = end
  }
  return Buffer.concat(parts)
}
