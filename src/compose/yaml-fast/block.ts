/** Maps and lists that indentation shows. */
import type { Node } from '../node.ts'
import { sequence } from '../node.ts'
import { readBlockText } from './block-text.ts'
import { addPair, anchor, finishMap, nest, type Pairs, readAlias } from './collections.ts'
import { readFlow } from './flow.ts'
import { CODE, endLine, giveUp, isBlank, nextLine, originOf, type Reading, skipSpaces } from './reading.ts'
import { nothingAt, readName, readText, scalarOf, type Text } from './scalars.ts'

const isColon = ({ text, at }: Reading): boolean =>
  text.charCodeAt(at) === CODE.colon && isBlank(text.charCodeAt(at + 1))

const isItem = ({ text, at }: Reading): boolean => text.charCodeAt(at) === CODE.dash && isBlank(text.charCodeAt(at + 1))

/** What ends here: comments that stand as deep as it belong to it. Its own last line was read. */
const close = (reading: Reading, column: number): void => {
  if (reading.indent > column) giveUp()
  if (column === 0 || reading.comments < column) return
  reading.comments = -1
  reading.end = reading.at
}

/** Up to the next line, behind a value that ends in this one. */
const finishLine = (reading: Reading, node: Node, column: number): Node => {
  endLine(reading)
  nextLine(reading, column)
  return node
}

const readInline = (reading: Reading): Node => {
  const code = reading.text.charCodeAt(reading.at)
  if (code === CODE.asterisk) return readAlias(reading)
  const node = scalarOf(reading, readText(reading, false))
  if (reading.text.charCodeAt(reading.at) === CODE.colon) giveUp()
  return node
}

/** A value that starts in the line that we are in. */
const readStarted = (reading: Reading, column: number): Node => {
  const code = reading.text.charCodeAt(reading.at)
  if (code === CODE.pipe || code === CODE.greater) {
    const node = readBlockText(reading, column)
    nextLine(reading, Number.POSITIVE_INFINITY)
    return node
  }
  const isBracket = code === CODE.openSquare || code === CODE.openCurly
  return finishLine(reading, isBracket ? readFlow(reading, column, 1) : readInline(reading), column)
}

/** Nothing stands behind the key. */
const nothing = (reading: Reading, at: number): Node => {
  const { text } = reading
  // Comments up to the next line belong to it.
  const hasComment = reading.comments >= 0 || text.charCodeAt(at) === CODE.hash
  reading.end = hasComment ? reading.at : at
  reading.comments = -1
  return nothingAt(reading, at)
}

/** A value in the lines below its key; undefined: there is none. A list may be as deep as the key. */
const readBelow = (reading: Reading, column: number): Node | undefined => {
  endLine(reading)
  nextLine(reading, Number.POSITIVE_INFINITY)
  if (reading.indent > column) return isItem(reading) ? readSequence(reading) : readMap(reading)
  return reading.indent === column && isItem(reading) ? readSequence(reading) : undefined
}

/** Behind `&name`: nothing can be an alias with a name of its own. */
const readAnchored = (reading: Reading, column: number): Node =>
  reading.text.charCodeAt(reading.at) === CODE.asterisk ? giveUp() : readStarted(reading, column)

const isLineEnd = ({ text, at }: Reading): boolean => {
  const code = text.charCodeAt(at)
  return code === CODE.newline || code === CODE.hash || Number.isNaN(code)
}

/** Behind the colon. */
const readMember = (reading: Reading, column: number): Node => {
  const { text } = reading
  skipSpaces(reading)
  const { at } = reading
  if (isLineEnd(reading)) return readBelow(reading, column) ?? nothing(reading, at)
  if (text.charCodeAt(at) !== CODE.ampersand) return readStarted(reading, column)
  const name = readName(reading)
  if (!isBlank(text.charCodeAt(reading.at))) giveUp()
  skipSpaces(reading)
  return anchor(reading, name, () =>
    isLineEnd(reading) ? (readBelow(reading, column) ?? giveUp()) : readAnchored(reading, column),
  )
}

const readKey = (reading: Reading): Text => {
  const key = readText(reading, false)
  if (!isColon(reading)) giveUp()
  reading.at++
  return key
}

/** At its first key, whose column is `reading.indent`. */
const readMap = (reading: Reading): Node =>
  nest(reading, () => {
    const { at: start, indent: column } = reading
    const pairs: Pairs = { entries: new Map(), merged: undefined }
    while (reading.indent === column) addPair(reading, pairs, readKey(reading), readMember(reading, column))
    const { end } = reading
    close(reading, column)
    return finishMap(reading, pairs, start, end)
  })

/** `- key: value`: a map as deep as its first key. */
const isMapStart = (reading: Reading): boolean => {
  const { at, text } = reading
  const code = text.charCodeAt(at)
  if (code === CODE.asterisk || code === CODE.openSquare || code === CODE.openCurly) return false
  if (code === CODE.pipe || code === CODE.greater) return false
  readText(reading, false)
  const isKey = isColon(reading)
  reading.at = at
  return isKey
}

const readItem = (reading: Reading, column: number): Node => {
  const { at: start, text } = reading
  reading.at++
  skipSpaces(reading)
  if (isLineEnd(reading)) return giveUp()
  if (text.charCodeAt(reading.at) === CODE.ampersand) {
    const name = readName(reading)
    if (text.charCodeAt(reading.at) !== CODE.space) giveUp()
    skipSpaces(reading)
    if (isLineEnd(reading)) return giveUp()
    return anchor(reading, name, () => readAnchored(reading, column))
  }
  if (!isMapStart(reading)) return readStarted(reading, column)
  reading.indent = column + reading.at - start
  return readMap(reading)
}

const readSequence = (reading: Reading): Node =>
  nest(reading, () => {
    const { at: start, indent: column } = reading
    const items: Node[] = []
    while (reading.indent === column && isItem(reading)) items.push(readItem(reading, column))
    const { end } = reading
    close(reading, column)
    return sequence(items, originOf(reading, start, end))
  })

/** Comments and a mark that a document starts. */
const HEAD = /^(?:#[^\n]*\n|\n)*---\n/

/** The map that the text is. */
export const readRoot = (reading: Reading): Node => {
  reading.at = HEAD.exec(reading.text)?.[0].length ?? 0
  nextLine(reading, Number.POSITIVE_INFINITY)
  if (reading.indent < 0) giveUp()
  const root = readMap(reading)
  if (reading.indent >= 0) giveUp()
  return root
}
