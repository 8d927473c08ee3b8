/** `|` and `>`: texts of several lines. */
import type { Node } from '../node.ts'
import { scalar } from '../node.ts'
import { CODE, giveUp, isBlank, originOf, type Reading, skipLine, skipSpaces } from './reading.ts'

interface Lines {
  /** Without what indents them; empty ones at the end left out. */
  readonly lines: readonly string[]
  /** Behind the last of them. */
  readonly end: number
}

/** Column of the first line that says something; wider empty lines before it are a mistake. */
const indentOf = (text: string, from: number): number => {
  let widest = 0
  for (let start = from; ; ) {
    let at = start
    while (text.charCodeAt(at) === CODE.space) at++
    if (Number.isNaN(text.charCodeAt(at))) giveUp()
    if (text.charCodeAt(at) !== CODE.newline) return at - start < widest ? giveUp() : at - start
    widest = Math.max(widest, at - start)
    start = at + 1
  }
}

/** Up to a line that is less indented. */
const readLines = (reading: Reading, indent: number, column: number): Lines => {
  const { text } = reading
  const lines: string[] = []
  let kept = 0
  let { at: end } = reading
  for (let start = end; start < text.length; start = reading.at) {
    skipSpaces(reading)
    const width = reading.at - start
    const isEmpty = isBlank(text.charCodeAt(reading.at))
    // The others are indented too little for this text and too much for what is around it, or say something by their width.
    if (isEmpty ? width > indent : width < indent && width > column) giveUp()
    if (!isEmpty && width < indent) break
    skipLine(reading)
    const isWhole = text.charCodeAt(reading.at - 1) === CODE.newline
    if (isEmpty && !isWhole) giveUp()
    lines.push(isEmpty ? '' : text.slice(start + indent, isWhole ? reading.at - 1 : reading.at))
    if (isEmpty) continue
    kept = lines.length
    end = reading.at
  }
  return { lines: lines.slice(0, kept), end }
}

/** One line end is a space, of several one is left out. */
const fold = (lines: readonly string[]): string => {
  let folded = ''
  let separator = ''
  for (const line of lines) {
    if (line.startsWith(' ')) giveUp()
    if (line !== '') {
      folded += separator + line
      separator = ' '
    } else if (separator === '\n') {
      folded += '\n'
    } else {
      separator = '\n'
    }
  }
  return folded
}

/** `column`: of the map or list around it. */
export const readBlockText = (reading: Reading, column: number): Node => {
  const { text, at: start } = reading
  const isFolded = text.charCodeAt(start) === CODE.greater
  reading.at++
  const isStripped = text.charCodeAt(reading.at) === CODE.dash
  if (isStripped) reading.at++
  if (!isBlank(text.charCodeAt(reading.at))) giveUp()
  skipSpaces(reading)
  if (text.charCodeAt(reading.at) !== CODE.newline) giveUp()
  reading.at++
  const indent = indentOf(text, reading.at)
  if (indent <= column) giveUp()
  const { lines, end } = readLines(reading, indent, column)
  reading.at = end
  reading.size++
  const value = isFolded ? fold(lines) : lines.join('\n')
  return scalar(isStripped ? value : `${value}\n`, originOf(reading, start, end))
}
