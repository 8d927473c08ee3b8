/**
 * Plain values as YAML, character for character as the reference's library writes it: block style, two spaces, quotes only
 * where a reader (also one of YAML 1.1) would else see something other than this text.
 */
import { printNumber } from './node.ts'
import { isDate, resolvePlain } from './scalar.ts'

/** Maps are Map: a plain object moves keys that look like numbers to its front. */
export type YamlValue = string | number | bigint | boolean | null | readonly YamlValue[] | YamlMap | Noted
export type YamlMap = ReadonlyMap<string, YamlValue>

/** A value with a comment behind it; that of a map or a list stands behind its key. One line without control characters. */
export class Noted {
  readonly value: Exclude<YamlValue, Noted>
  readonly note: string

  constructor(value: Exclude<YamlValue, Noted>, note: string) {
    this.value = value
    this.note = note
  }
}

const OLD_BOOLEAN = /^(y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/
/** `22:22` is a number of base 60 in YAML 1.1. */
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/

const looksLikeText = (text: string): boolean =>
  resolvePlain(text) === text && !(text.length <= 3 && OLD_BOOLEAN.test(text)) && !isDate(text) && !BASE_60.test(text)

// What may not stand unquoted in a block: an indicator at the start, ": ", " #", a space at either end.
const INDICATOR_START = /^(?:[#,[\]{}&*!|>'"%@`]|[?:-](?:[\s]|$)|---|\.\.\.)/
const INDICATOR_INSIDE = /:(?:\s|$)|\s#/
const UNPRINTABLE = /[\x00-\x08\x0b-\x1f\x7f\x80-\x84\x86-\x9f\ufeff\ufffe\uffff\u{10000}-\u{10ffff}]/u
const LINE_BREAK = /[\n\u0085\u2028\u2029]/

type Style = 'plain' | 'single' | 'double' | 'literal'

/** Most texts: nothing in them needs a second look but whether they are a word that YAML knows. */
const SIMPLE = /^[A-Za-z_/][\w/.-]*$/

const styleOf = (text: string, isKey: boolean): Style => {
  // Without quotes it would merge.
  if (isKey && text === '<<') return 'double'
  if (SIMPLE.test(text)) return looksLikeText(text) ? 'plain' : 'double'
  const special = UNPRINTABLE.test(text)
  if (text.includes('\n')) {
    const fits = !isKey && !special && !/ [\n\u0085\u2028\u2029]| $/.test(text)
    return fits ? 'literal' : 'double'
  }
  if (!looksLikeText(text) || special || text.includes('\t') || LINE_BREAK.test(text)) return 'double'
  if (/^ | $/.test(text) || INDICATOR_START.test(text) || INDICATOR_INSIDE.test(text)) return 'single'
  return 'plain'
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
}

const escapeCode = (character: string): string => {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase()
  if (code.length <= 2) return `\\x${code.padStart(2, '0')}`
  return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`
}

const ESCAPED = /["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\u{10000}-\u{10ffff}]/gu

const doubleQuoted = (text: string): string =>
  `"${text.replaceAll(ESCAPED, (character) => ESCAPES[character] ?? escapeCode(character))}"`

const literal = (text: string, indent: string): string => {
  const start = /^[ \n]/.test(text) ? '2' : ''
  const end = text.endsWith('\n') ? (text.endsWith('\n\n') || text === '\n' ? '+' : '') : '-'
  const lines = text.replace(/\n$/, '').split('\n')
  return `|${start}${end}\n${lines.map((line) => (line === '' ? '' : indent + line)).join('\n')}`
}

const writeText = (text: string, indent: string, isKey = false): string => {
  switch (styleOf(text, isKey)) {
    case 'plain':
      return text
    case 'single':
      return `'${text.replaceAll("'", "''")}'`
    case 'double':
      return doubleQuoted(text)
    case 'literal':
      return literal(text, indent)
  }
}

const writeNumber = (value: number): string => {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf'
  return printNumber(value)
}

const writeScalar = (value: string | number | bigint | boolean | null, indent: string): string => {
  if (typeof value === 'string') return writeText(value, indent)
  if (typeof value === 'number') return writeNumber(value)
  return String(value)
}

const isMap = (value: YamlValue): value is YamlMap => value instanceof Map
const isList = (value: YamlValue): value is readonly YamlValue[] => Array.isArray(value)

const writeMap = (value: YamlMap, indent: string): string =>
  [...value]
    .map(
      ([key, member], index) =>
        `${index === 0 ? '' : indent}${writeText(key, indent, true)}:${writeMember(member, indent)}`,
    )
    .join('\n')

const writeList = (value: readonly YamlValue[], indent: string): string =>
  value.map((item) => `${indent}- ${writeNested(item, `${indent}  `)}`).join('\n')

/** After `key:`. */
const writeMember = (value: YamlValue, indent: string): string => {
  const inner = `${indent}  `
  const [bare, note] = value instanceof Noted ? [value.value, ` # ${value.note}`] : [value, '']
  if (isList(bare) && bare.length > 0) return `${note}\n${writeList(bare, inner)}`
  if (isMap(bare) && bare.size > 0) return `${note}\n${inner}${writeMap(bare, inner)}`
  return ` ${writeNested(value, inner)}`
}

/** The note of a block of text stands behind its `|`; a map or a list in a list has no line of its own for one. */
const writeNoted = ({ value, note }: Noted, indent: string): string => {
  const text = writeNested(value, indent)
  const isBlock = (isList(value) && value.length > 0) || (isMap(value) && value.size > 0)
  return isBlock ? text : text.replace(/^.*/, (line) => `${line} # ${note}`)
}

/** After `- `, or an empty collection. */
const writeNested = (value: YamlValue, indent: string): string => {
  if (value instanceof Noted) return writeNoted(value, indent)
  if (isList(value)) return value.length === 0 ? '[]' : writeList(value, indent).trimStart()
  if (isMap(value)) return value.size === 0 ? '{}' : writeMap(value, indent)
  return writeScalar(value, indent)
}

/** Maps in the order that they have. Ends with a newline. */
export const writeYaml = (value: YamlMap): string => `${value.size === 0 ? '{}' : writeMap(value, '')}\n`
