/** What is wrong with the text of a file before it is YAML: its encoding, characters that nobody sees, traces of git. */
import type { Report } from './report.ts'

/** YAML allows tab, line feed and carriage return of these. */
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/
/** Takes the place of what is not UTF-8 (`decodeText`). */
const LOST = /(?<![\ud800-\udbff])\udc80/
const CONFLICT = /^<{7} .*$/m

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

interface Found {
  readonly start: number
  readonly text: string
}

const find = (text: string, pattern: RegExp): Found | undefined => {
  const match = pattern.exec(text)
  return match === null ? undefined : { start: match.index, text: match[0] }
}

/** true: the file is worth nothing. The first of each kind is told. */
export const reportTextMistakes = (file: string, text: string, report: Report): boolean => {
  const tell = (found: Found, finding: Pick<Parameters<Report['add']>[0], 'code' | 'message' | 'hint'>): boolean => {
    const { start } = found
    report.add({ ...finding, path: [], origin: { file, start, end: start + found.text.length } })
    return true
  }
  const conflict = find(text, CONFLICT)
  const lost = find(text, LOST)
  const forbidden = find(text, FORBIDDEN)
  const isConflicted =
    conflict !== undefined &&
    tell(conflict, {
      code: 'yaml-conflict',
      message: 'A merge conflict of git is not resolved here',
      hint: 'keep the lines that you want, and delete those that start with <<<<<<<, ======= and >>>>>>>',
    })
  const isLost =
    lost !== undefined &&
    tell(lost, {
      code: 'file-encoding',
      message: 'This is not a character of UTF-8',
      hint: 'save the file in UTF-8',
    })
  const isForbidden =
    forbidden !== undefined &&
    tell(forbidden, {
      code: 'yaml-character',
      message: `The control character ${codePoint(forbidden.text)} cannot stand in a Compose file`,
      hint: `delete it, or write it in double quotes: "\\x${codePoint(forbidden.text).slice(4)}"`,
    })
  return isConflicted || isLost || isForbidden
}
