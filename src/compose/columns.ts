/** Columns of a terminal that text takes: two for most of East Asia and emoji, none for marks. Built at the first text that needs it. */

const ASCII = /^[\x20-\x7e]*$/
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u
const NOTHING = /^[\p{Mn}\p{Me}\p{Cf}]*$/u

let segmenter: Intl.Segmenter | undefined

/** Characters as a reader sees them: a flag, a family, a letter and its accents. */
const clusters = (text: string): Iterable<string> => {
  if (ASCII.test(text)) return text
  segmenter ??= new Intl.Segmenter()
  return Array.from(segmenter.segment(text), ({ segment }) => segment)
}

const widthOf = (cluster: string): number => {
  if (ASCII.test(cluster)) return 1
  if (WIDE.test(cluster)) return 2
  return NOTHING.test(cluster) ? 0 : 1
}

export const columnsOf = (text: string): number => {
  if (ASCII.test(text)) return text.length
  let columns = 0
  for (const cluster of clusters(text)) columns += widthOf(cluster)
  return columns
}

/** The start of a text that fits into `columns`. */
export const fitColumns = (text: string, columns: number): string => {
  let left = columns
  let end = 0
  for (const cluster of clusters(text)) {
    left -= widthOf(cluster)
    if (left < 0) break
    end += cluster.length
  }
  return text.slice(0, end)
}
