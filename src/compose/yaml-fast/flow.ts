/** `[…]` and `{…}`. */
import type { Node } from '../node.ts'
import { sequence } from '../node.ts'
import { addPair, finishMap, nest, type Pairs, readAlias } from './collections.ts'
import { CODE, giveUp, isBlank, originOf, type Reading, skipSpaces } from './reading.ts'
import { nothingAt, readText, scalarOf } from './scalars.ts'

const isEnd = (code: number): boolean => code === CODE.closeSquare || code === CODE.closeCurly

/** Also over line ends. `column`: of the block around, which only the last bracket may not be deeper than. */
const skipBlank = (reading: Reading, column: number, level: number): void => {
  const { text } = reading
  skipSpaces(reading)
  while (text.charCodeAt(reading.at) === CODE.newline) {
    const start = ++reading.at
    skipSpaces(reading)
    const code = text.charCodeAt(reading.at)
    const indent = reading.at - start
    if (code === CODE.newline || indent > column) continue
    if (indent < column || level > 1 || !isEnd(code)) giveUp()
  }
}

const readKeyed = (reading: Reading, pairs: Pairs, column: number, level: number): void => {
  const { text } = reading
  const key = readText(reading, true)
  if (text.charCodeAt(reading.at) !== CODE.colon || text.charCodeAt(reading.at + 1) !== CODE.space) giveUp()
  reading.at++
  skipSpaces(reading)
  const { at } = reading
  const isNothing = text.charCodeAt(at) === CODE.comma || text.charCodeAt(at) === CODE.closeCurly
  addPair(reading, pairs, key, isNothing ? nothingAt(reading, at) : readValue(reading, column, level))
}

/** Behind a value: a comma, or the end of it all. true: there may be more. */
const goesOn = (reading: Reading, column: number, level: number): boolean => {
  skipBlank(reading, column, level)
  if (reading.text.charCodeAt(reading.at) !== CODE.comma) return false
  reading.at++
  skipBlank(reading, column, level)
  return true
}

/** `read` is called for each member up to `end`. */
const readMembers = (
  reading: Reading,
  { column, level, end }: { readonly column: number; readonly level: number; readonly end: number },
  read: () => void,
): void => {
  reading.at++
  skipBlank(reading, column, level)
  while (reading.text.charCodeAt(reading.at) !== end) {
    read()
    if (!goesOn(reading, column, level)) break
  }
  if (reading.text.charCodeAt(reading.at) !== end) giveUp()
  reading.at++
}

const readSequence = (reading: Reading, column: number, level: number): Node => {
  const { at: start } = reading
  const items: Node[] = []
  readMembers(reading, { column, level, end: CODE.closeSquare }, () => {
    items.push(readValue(reading, column, level))
  })
  return sequence(items, originOf(reading, start, reading.at))
}

const readMap = (reading: Reading, column: number, level: number): Node => {
  const { at: start } = reading
  const pairs: Pairs = { entries: new Map(), merged: undefined }
  readMembers(reading, { column, level, end: CODE.closeCurly }, () => readKeyed(reading, pairs, column, level))
  return finishMap(reading, pairs, start, reading.at)
}

/** A comma, a bracket or a line end has to follow, and no key be made of it. */
const checkEnd = ({ text, at }: Reading): void => {
  const code = text.charCodeAt(at)
  if (code === CODE.colon || Number.isNaN(code) || (isBlank(code) && text.charCodeAt(at + 1) === CODE.hash)) giveUp()
}

const readValue = (reading: Reading, column: number, level: number): Node => {
  const code = reading.text.charCodeAt(reading.at)
  if (code === CODE.openSquare || code === CODE.openCurly) return readFlow(reading, column, level + 1)
  const node = code === CODE.asterisk ? readAlias(reading) : scalarOf(reading, readText(reading, true))
  checkEnd(reading)
  return node
}

/** `column`: of the map or list around; `level`: of brackets, 1 for the outermost. */
export const readFlow = (reading: Reading, column: number, level: number): Node =>
  nest(reading, () =>
    reading.text.charCodeAt(reading.at) === CODE.openSquare
      ? readSequence(reading, column, level)
      : readMap(reading, column, level),
  )
