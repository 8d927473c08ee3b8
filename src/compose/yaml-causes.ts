/**
 * Where a YAML parser stumbles is seldom where the mistake is. These look at the lines around for what people get wrong, one
 * function for each; the first that finds something is right.
 */
import type { Code } from './codes.ts'
import { PROJECT, SERVICE } from './shape.ts'

export interface Cause {
  readonly code: Code
  readonly message: string
  readonly hint?: string
  /** Offsets into the text. */
  readonly start: number
  readonly end: number
}

interface Line {
  readonly text: string
  readonly start: number
}

interface Stumble {
  /** Of the yaml package. */
  readonly code: string
  readonly start: number
  /** The line of the place, the last one above it that has something in it, and the one below. */
  readonly line: Line
  readonly above: Line | undefined
  readonly below: Line | undefined
}

type Look = (stumble: Stumble) => Cause | undefined

const KEYS = new Set([...Object.keys(SERVICE.fields), ...Object.keys(PROJECT.fields), 'version', 'include'])
const SPACES = /^ *([\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff]+)/

const lineAt = (text: string, offset: number): Line => {
  const start = offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1
  const end = text.indexOf('\n', start)
  return { text: text.slice(start, end < 0 ? text.length : end).replace(/\r$/, ''), start }
}

const lineAbove = (text: string, { start }: Line): Line | undefined => {
  for (let end = start; end > 0; ) {
    const line = lineAt(text, end - 1)
    if (line.text.trim() !== '') return line
    end = line.start
  }
  return undefined
}

const lineBelow = (text: string, { start }: Line): Line | undefined => {
  const next = text.indexOf('\n', start) + 1
  return next > 0 && next < text.length ? lineAt(text, next) : undefined
}

/** At a part of a line. */
const cause = ({ start, text }: Line, part: string, words: { code: Code; message: string; hint?: string }): Cause => {
  const found = start + Math.max(0, text.indexOf(part))
  return { ...words, start: found, end: found + part.length }
}

const linesOf = ({ line, above, below }: Stumble): readonly Line[] =>
  [line, above, below].filter((each) => each !== undefined)

const firstOf = (stumble: Stumble, look: (line: Line) => Cause | undefined): Cause | undefined => {
  for (const line of linesOf(stumble)) {
    const found = look(line)
    if (found) return found
  }
  return undefined
}

const foreignFile: Look = ({ line }) => {
  const hint = 'a Compose file starts with services:'
  if (/^(```|~~~)/.test(line.text))
    return cause(line, line.text, {
      code: 'yaml-syntax',
      message: 'This line belongs to a text around the file',
      hint: 'delete it',
    })
  if (/^\s*<(!doctype|html|\?xml)/i.test(line.text))
    return cause(line, line.text, {
      code: 'yaml-syntax',
      message: 'This is a page of the web, not a Compose file',
      hint,
    })
  return undefined
}

const tab: Look = (stumble) =>
  firstOf(stumble, (line) => {
    const blank = /^ *\t\s*/.exec(line.text)?.[0]
    if (blank === undefined) return undefined
    return cause(line, blank, { code: 'yaml-tab', message: 'A tab cannot be used for indentation', hint: 'use spaces' })
  })

const otherSpace: Look = (stumble) =>
  firstOf(stumble, (line) => {
    const spaces = SPACES.exec(line.text)?.[1]
    if (spaces === undefined) return undefined
    const message = 'This looks like a space and is none'
    return cause(line, spaces, {
      code: 'yaml-character',
      message,
      hint: 'write plain spaces; a web page may have changed them',
    })
  })

const spaceAfterDash: Look = (stumble) =>
  firstOf(stumble, (line) => {
    const [, item] = /^\s*(-[^\s-].*)$/.exec(line.text) ?? []
    if (item === undefined) return undefined
    return cause(line, item, {
      code: 'yaml-syntax',
      message: 'A space is missing after the dash',
      hint: `write - ${item.slice(1)}`,
    })
  })

const spaceAfterColon: Look = (stumble) =>
  firstOf(stumble, (line) => {
    const [, pair = '', key = '', value = ''] = /^\s*(?:- )?(([\w-]+):([^\s/].*))$/.exec(line.text) ?? []
    if (!KEYS.has(key)) return undefined
    return cause(line, pair, {
      code: 'yaml-syntax',
      message: 'A space is missing after the colon',
      hint: `write ${key}: ${value}`,
    })
  })

const colon: Look = (stumble) =>
  firstOf(stumble, (line) => {
    const [, pair = '', key = '', value = ''] = /^\s*(?:- )?(([\w-]+)(?:\s+([^:\s].*))?)$/.exec(line.text) ?? []
    if (!KEYS.has(key)) return undefined
    return cause(line, pair, {
      code: 'yaml-syntax',
      message: `A colon is missing after "${key}"`,
      hint: `write ${key}: ${value}`.trimEnd(),
    })
  })

const isItem = ({ text }: Line): boolean => /^\s*- /.test(text)
const columnOf = ({ text }: Line): number => text.length - text.trimStart().length

/** One column, two forms. */
const mixed: Look = ({ line, above, code }) => {
  if (above === undefined || !['BLOCK_AS_IMPLICIT_KEY', 'BAD_INDENT'].includes(code)) return undefined
  if (isItem(line) === isItem(above)) return undefined
  const hint = 'write all of them as KEY: value, or all of them as - KEY=value'
  const text = line.text.trim()
  if (columnOf(line) !== columnOf(above)) return undefined
  return isItem(line)
    ? cause(line, text, { code: 'yaml-syntax', message: 'An item with a dash stands among keys without', hint })
    : cause(line, text, { code: 'yaml-syntax', message: 'A key without a dash stands among items with one', hint })
}

const itemColumn: Look = ({ line, above }) => {
  if (above === undefined || !isItem(line) || !isItem(above) || columnOf(line) === columnOf(above)) return undefined
  return cause(line, '-', {
    code: 'yaml-indent',
    message: 'This item does not start in the column of the items above',
    hint: `put its dash below theirs: ${columnOf(above)} spaces before it`,
  })
}

/** `image: nginx` and, deeper below it, another key. */
const tooDeep: Look = ({ line, below, code }) => {
  const [, key] = /^\s*(?:- )?([\w.-]+): +[^\s#|>&]/.exec(line.text) ?? []
  const [, inner] = /^\s*([\w.-]+):(?:\s|$)/.exec(below?.text ?? '') ?? []
  if (code !== 'BLOCK_AS_IMPLICIT_KEY' || !below || !key || !inner || columnOf(below) <= columnOf(line))
    return undefined
  return cause(below, inner, {
    code: 'yaml-indent',
    message: `"${inner}" stands below "${key}", which has a value already`,
    hint: `put it below "${key}": ${columnOf(line)} spaces before it`,
  })
}

const colonInText: Look = ({ line, code, start }) => {
  if (code !== 'BLOCK_AS_IMPLICIT_KEY') return undefined
  const value = line.text.slice(start - line.start).trimEnd()
  if (!/: |:$/.test(value)) return undefined
  return cause(line, value, {
    code: 'yaml-syntax',
    message: 'A value without quotes cannot contain ": "',
    hint: `put it in quotes: "${value.replaceAll('"', '\\"')}"`,
  })
}

/** The value after a key, up to the end of its line. */
const valueFrom = ({ text, start: lineStart }: Line, start: number): string => text.slice(start - lineStart).trimEnd()

const special: Look = ({ line, code, start }) => {
  if (code !== 'BAD_SCALAR_START' && code !== 'BAD_ALIAS') return undefined
  const value = valueFrom(line, start)
  return cause(line, value, {
    code: 'yaml-syntax',
    message: `A value without quotes cannot start with ${value[0] ?? ''}`,
    hint: `put it in quotes: "${value.replaceAll(/["\\]/g, '\\$&')}"`,
  })
}

const behindQuotes: Look = ({ line, code, start }) => {
  const before = line.text.slice(0, start - line.start).trimEnd()
  const quote = before.at(-1)
  if (code !== 'UNEXPECTED_TOKEN' || (quote !== '"' && quote !== "'")) return undefined
  const hint =
    quote === "'"
      ? "write '' for a quote inside of single quotes, or put the whole value in double quotes"
      : 'write \\" for a quote inside of double quotes, or put the whole value in single quotes'
  return cause(line, valueFrom(line, start), { code: 'yaml-quote', message: 'Text follows the closing quote', hint })
}

const CLOSING: Readonly<Record<string, string>> = { '[': ']', '{': '}' }

/** The bracket before `offset` that is still open there. */
const openBracket = (text: string, offset: number): Cause | undefined => {
  let depth = 0
  for (let start = offset - 1; start >= 0; start--) {
    const character = text[start] ?? ''
    if (character === ']' || character === '}') depth++
    const closing = CLOSING[character]
    if (closing === undefined || depth-- > 0) continue
    const message = `This ${character} is not closed`
    return { code: 'yaml-quote', message, hint: `write ${closing} at the end of the value`, start, end: start + 1 }
  }
  return undefined
}

const strayBracket: Look = ({ code, line, start }) => {
  const bracket = line.text[start - line.start] ?? ''
  if (code !== 'UNEXPECTED_TOKEN' || (bracket !== ']' && bracket !== '}')) return undefined
  const message = `There is one ${bracket} more than was opened`
  return { code: 'yaml-quote', message, hint: 'delete it', start, end: start + 1 }
}

/** An open quote runs on to the end of the file; the line where it opens is what matters. */
const openQuote = (text: string, message: string): Cause | undefined => {
  const quote = /closing (["'])/.exec(message)?.[1]
  if (quote === undefined) return undefined
  const lines = text.split('\n')
  let offset = 0
  for (const line of lines) {
    const value = /^\s*(?:- )*(?:[\w.-]+:\s+)?(["'].*)$/.exec(line)?.[1]
    // Within brackets a quote may open anywhere; an apostrophe may, too.
    const isOdd = quote === '"' && line.split(quote).length % 2 === 0
    if (isOdd || (value !== undefined && value.split(quote).length === 2)) {
      const start = offset + line.lastIndexOf(quote)
      const hint = `write ${quote} at the end of the value`
      return { code: 'yaml-quote', message: 'This quote is not closed', hint, start, end: start + 1 }
    }
    offset += line.length + 1
  }
  return undefined
}

const LOOKS: readonly Look[] = [
  foreignFile,
  tab,
  otherSpace,
  strayBracket,
  behindQuotes,
  special,
  spaceAfterDash,
  spaceAfterColon,
  itemColumn,
  mixed,
  tooDeep,
  colonInText,
  colon,
]

interface ParserError {
  readonly code: string
  readonly message: string
  readonly start: number
}

const stumbleAt = (text: string, error: ParserError): Stumble => {
  const line = lineAt(text, error.start)
  return { ...error, line, above: lineAbove(text, line), below: lineBelow(text, line) }
}

/** A mistake of the line itself, whatever stands above it: no echo of an earlier one. */
export const findOwnCause = (text: string, error: ParserError): Cause | undefined => {
  const stumble = { ...stumbleAt(text, error), above: undefined, below: undefined }
  for (const look of [foreignFile, special, spaceAfterDash, spaceAfterColon, colon]) {
    const found = look(stumble)
    if (found) return found
  }
  return undefined
}

/** Why the parser stumbled at `start`; undefined: none of the usual reasons. */
export const findCause = (text: string, error: ParserError): Cause | undefined => {
  if (error.code === 'BAD_INDENT' && error.message.startsWith('Flow')) return openBracket(text, error.start)
  const stumble = stumbleAt(text, error)
  for (const look of LOOKS) {
    const found = look(stumble)
    if (found) return found
  }
  return openQuote(text, error.message)
}
