/** State of one read of a text by the short way, and how it moves from line to line. */
import type { Node } from '../node.ts'
import { createOrigin } from '../node.ts'
import type { Origin } from '../project.ts'

/** What an alias repeats. */
export interface Anchored {
  readonly node: Node
  /** Nodes in it, its own included. */
  readonly size: number
  /** Levels of maps and lists in it, its own included. */
  readonly depth: number
}

export interface Reading {
  readonly file: string
  readonly text: string
  at: number
  /** Column of the line that `at` is at the start of; -1 at the end of the text. */
  indent: number
  /** Of the comments above it that belong to no value yet, the largest column; -1: there are none. */
  comments: number
  /** Where what was read last ends, with the rest of its line. The YAML package counts maps and lists up to there. */
  end: number
  /** Nodes so far, aliases counted as often as they are used; and those of aliases alone. */
  size: number
  repeated: number
  /** Levels that are open here, and the most that were. */
  depth: number
  deepest: number
  readonly anchors: Map<string, Anchored>
}

/** Thrown: this text needs the YAML package. An exception, because any line may turn out to be beyond us. */
export const BEYOND: unique symbol = Symbol('beyond the short way')

export const giveUp = (): never => {
  throw BEYOND
}

export const CODE = {
  newline: 10,
  space: 32,
  quote: 34,
  hash: 35,
  ampersand: 38,
  apostrophe: 39,
  asterisk: 42,
  comma: 44,
  dash: 45,
  colon: 58,
  greater: 62,
  openSquare: 91,
  backslash: 92,
  closeSquare: 93,
  openCurly: 123,
  pipe: 124,
  closeCurly: 125,
} as const

export const startReading = (file: string, text: string): Reading => ({
  ...{ file, text, at: 0, indent: 0, comments: -1, end: 0 },
  ...{ size: 0, repeated: 0, depth: 0, deepest: 0, anchors: new Map() },
})

export const originOf = ({ file }: Reading, start: number, end: number): Origin => createOrigin(file, start, end)

/** A space, the end of a line or of the text: what has to follow `-`, `:` and names of anchors. */
export const isBlank = (code: number): boolean => code === CODE.space || code === CODE.newline || Number.isNaN(code)

export const skipSpaces = (reading: Reading): void => {
  const { text } = reading
  let { at } = reading
  while (text.charCodeAt(at) === CODE.space) at++
  reading.at = at
}

/** Behind the end of the line. */
export const skipLine = (reading: Reading): void => {
  const newline = reading.text.indexOf('\n', reading.at)
  reading.at = newline < 0 ? reading.text.length : newline + 1
}

/** Behind a value nothing but a comment may stand. */
export const endLine = (reading: Reading): void => {
  const { text } = reading
  skipSpaces(reading)
  const code = text.charCodeAt(reading.at)
  const isComment = code === CODE.hash && text.charCodeAt(reading.at - 1) === CODE.space
  if (!isComment && code !== CODE.newline && !Number.isNaN(code)) giveUp()
  skipLine(reading)
}

/** `---` and `...` end documents. */
const isMark = ({ text, at }: Reading): boolean =>
  (text.startsWith('---', at) || text.startsWith('...', at)) && isBlank(text.charCodeAt(at + 3))

/**
 * To the next line that says something. Comments right below a value that stand deeper than the map or list around it
 * (`column`) belong to the value: it ends behind them. Infinity: no comment belongs to what was before.
 */
export const nextLine = (reading: Reading, column: number): void => {
  const { text } = reading
  reading.end = reading.at
  reading.comments = -1
  for (;;) {
    const start = reading.at
    skipSpaces(reading)
    const indent = reading.at - start
    const code = text.charCodeAt(reading.at)
    if (code === CODE.newline) {
      reading.at++
    } else if (code === CODE.hash) {
      skipLine(reading)
      if (indent > column && reading.comments < 0) reading.end = reading.at
      else reading.comments = Math.max(reading.comments, indent)
    } else {
      reading.indent = Number.isNaN(code) ? -1 : indent
      if (indent === 0 && isMark(reading)) giveUp()
      return
    }
  }
}
