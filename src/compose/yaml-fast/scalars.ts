/** Texts that stand on one line: plain, in quotes, and names of anchors. */
import type { Node } from '../node.ts'
import { scalar } from '../node.ts'
import { isDate, resolvePlain } from '../scalar.ts'
import { CODE, giveUp, isBlank, originOf, type Reading } from './reading.ts'

/** A text that was read, from `start` up to where the reading is. */
export interface Text {
  readonly value: string
  readonly start: number
  readonly end: number
  readonly plain: boolean
}

/** What `\` and a character stand for. Of the others, some are mistakes. */
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\', '/': '/' }

const withoutEscapes = (written: string): string =>
  written.replaceAll(/\\(.)/g, (_, character: string) => ESCAPES[character] ?? giveUp())

const readDouble = (reading: Reading): Text => {
  const { text, at: start } = reading
  let escaped = false
  let at = start + 1
  for (let code = text.charCodeAt(at); code !== CODE.quote; code = text.charCodeAt(++at)) {
    if (code === CODE.newline || Number.isNaN(code)) giveUp()
    if (code !== CODE.backslash) continue
    escaped = true
    at++
  }
  const written = text.slice(start + 1, at)
  reading.at = at + 1
  return { value: escaped ? withoutEscapes(written) : written, start, end: reading.at, plain: false }
}

const readSingle = (reading: Reading): Text => {
  const { text, at: start } = reading
  let end = text.indexOf("'", start + 1)
  while (end >= 0 && text.charCodeAt(end + 1) === CODE.apostrophe) end = text.indexOf("'", end + 2)
  const written = text.slice(start + 1, end)
  if (end < 0 || written.includes('\n')) giveUp()
  reading.at = end + 1
  return { value: written.includes("'") ? written.replaceAll("''", "'") : written, start, end: end + 1, plain: false }
}

/** Characters that mean something at the start of a text, or are refused there. */
const INDICATORS = new Set([...'-?:,[]{}#&*!|>\'"%@`\n '].map((character) => character.charCodeAt(0)))

const FLOW = new Set([...',[]{}'].map((character) => character.charCodeAt(0)))
export const isFlow = (code: number): boolean => FLOW.has(code)

const startsPlain = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at)
  if (code !== CODE.dash) return !INDICATORS.has(code)
  const next = text.charCodeAt(at + 1)
  return !isBlank(next) && !isFlow(next)
}

/** Behind the last character of a plain text: before `: `, ` #`, the end of the line and, in brackets, what parts values. */
const endOfPlain = (text: string, start: number, inFlow: boolean): number => {
  let end = start
  for (let at = start; ; at++) {
    const code = text.charCodeAt(at)
    if (code === CODE.space) {
      if (text.charCodeAt(at + 1) === CODE.hash) return end
      continue
    }
    if (code === CODE.newline || Number.isNaN(code) || (inFlow && isFlow(code))) return end
    if (code === CODE.colon) {
      const next = text.charCodeAt(at + 1)
      if (isBlank(next) || (inFlow && isFlow(next))) return end
    }
    end = at + 1
  }
}

const readPlain = (reading: Reading, inFlow: boolean): Text => {
  const { text, at: start } = reading
  if (!startsPlain(text, start)) giveUp()
  const end = endOfPlain(text, start, inFlow)
  reading.at = end
  return { value: text.slice(start, end), start, end, plain: true }
}

export const readText = (reading: Reading, inFlow: boolean): Text => {
  const code = reading.text.charCodeAt(reading.at)
  if (code === CODE.quote) return readDouble(reading)
  return code === CODE.apostrophe ? readSingle(reading) : readPlain(reading, inFlow)
}

export const scalarOf = (reading: Reading, { value, start, end, plain }: Text): Node => {
  const origin = originOf(reading, start, end)
  reading.size++
  if (!plain) return scalar(value, origin)
  const resolved = resolvePlain(value)
  return typeof resolved === 'string' && isDate(resolved)
    ? { ...scalar(resolved, origin), date: true }
    : scalar(resolved, origin)
}

/** Where a value is left out. */
export const nothingAt = (reading: Reading, at: number): Node => {
  reading.size++
  return scalar(null, originOf(reading, at, at))
}

/** Behind `&` or `*`. A colon in a name is a mistake somewhere. */
export const readName = (reading: Reading): string => {
  const { text } = reading
  const start = reading.at + 1
  let at = start
  for (let code = text.charCodeAt(at); !isBlank(code) && !isFlow(code); code = text.charCodeAt(++at))
    if (code === CODE.colon) giveUp()
  if (at === start) giveUp()
  reading.at = at
  return text.slice(start, at)
}
