/** The YAML package's error codes, in words that help somebody who does not know the YAML specification. */
import type { ErrorCode } from 'yaml'
import type { Code } from './codes.ts'

interface Wording {
  readonly code: Code
  readonly message: string
  readonly hint?: string
}

const INDENT: Wording = {
  code: 'yaml-indent',
  message: 'The indentation does not fit the lines above',
  hint: 'keys of one map start in the same column',
}
const SYNTAX: Wording = { code: 'yaml-syntax', message: 'This is not valid YAML here' }
const UNQUOTED: Wording = {
  code: 'yaml-syntax',
  message: 'Text cannot start with this character or contain ": " without quotes',
  hint: 'put the value in quotes',
}
const UNCLOSED: Wording = { code: 'yaml-quote', message: 'A closing quote or bracket is missing' }
const TAGS: Wording = { code: 'yaml-tag', message: 'This tag cannot stand here' }

const WORDINGS: Readonly<Partial<Record<ErrorCode, Wording>>> = {
  ALIAS_PROPS: { code: 'yaml-alias', message: 'An alias cannot have an anchor or a tag of its own' },
  BAD_ALIAS: { code: 'yaml-alias', message: 'This alias or anchor has no valid name' },
  BAD_COLLECTION_TYPE: TAGS,
  BAD_DQ_ESCAPE: {
    code: 'yaml-quote',
    message: 'Unknown escape sequence in double quotes',
    hint: 'double the backslash, or use single quotes',
  },
  BAD_INDENT: INDENT,
  BAD_SCALAR_START: UNQUOTED,
  BLOCK_AS_IMPLICIT_KEY: UNQUOTED,
  BLOCK_IN_FLOW: { code: 'yaml-syntax', message: 'A block value cannot stand inside [ ] or { }' },
  KEY_OVER_1024_CHARS: { code: 'yaml-syntax', message: 'This key is longer than 1024 characters' },
  MISSING_CHAR: UNCLOSED,
  MULTILINE_IMPLICIT_KEY: { ...UNQUOTED, message: 'A key has to stand on one line and be followed by ": "' },
  MULTIPLE_ANCHORS: { code: 'yaml-alias', message: 'A value can have only one anchor' },
  MULTIPLE_TAGS: { code: 'yaml-tag', message: 'A value can have only one tag' },
  TAB_AS_INDENT: {
    code: 'yaml-tab',
    message: 'A tab cannot be used for indentation',
    hint: 'use spaces',
  },
  TAG_RESOLVE_FAILED: TAGS,
}

const missing = (message: string): Wording => {
  if (/quote/.test(message)) return { code: 'yaml-quote', message: 'The closing quote is missing' }
  const bracket = /end with an? ([\]}])/.exec(message)
  if (bracket) return { code: 'yaml-quote', message: `The closing "${bracket[1]}" is missing` }
  if (/comma|,/.test(message)) return { code: 'yaml-syntax', message: 'A comma is missing between these values' }
  return /space|whitespace/i.test(message) ? { code: 'yaml-syntax', message: 'A space is missing here' } : UNCLOSED
}

const UNFINISHED: Wording = {
  code: 'yaml-quote',
  message: 'A closing "]" or "}" is missing above, or this line is not indented enough to belong to it',
}

export const describeYamlError = (code: ErrorCode, message: string): Wording => {
  if (code === 'MISSING_CHAR') return missing(message)
  if (code === 'BAD_INDENT' && message.startsWith('Flow')) return UNFINISHED
  return WORDINGS[code] ?? SYNTAX
}
