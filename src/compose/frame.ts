/** Diagnostics as text: `file:line:column`, the message, and the lines around with a caret below the place. */
import { type Diagnostic, pointerOf } from '../errors.ts'
import { columnsOf, fitColumns } from './columns.ts'
import type { LoadResult } from './project.ts'

export interface Place {
  readonly file: string
  /** From 1, in characters as an editor counts them. */
  readonly line: number
  readonly column: number
  readonly start: number
  readonly end: number
}

type Located = Pick<LoadResult, 'origins' | 'sources'>
/** Whoever shows text has to know which must not be. */
type Shown = Located & Pick<LoadResult, 'hidden'>

/** Where a diagnostic points: its own place, else that of its path, else of the nearest path above. */
export const locate = (
  diagnostic: Pick<Diagnostic, 'path' | 'at'>,
  { origins, sources }: Located,
): Place | undefined => {
  if (diagnostic.at) return placeOf(diagnostic.at, sources)
  for (let length = diagnostic.path.length; length > 0; length--) {
    const found = origins.get(pointerOf(diagnostic.path.slice(0, length)))
    if (!found) continue
    const isExact = length === diagnostic.path.length
    return placeOf(isExact ? found.value : (found.key ?? found.value), sources)
  }
  return undefined
}

const placeOf = (
  { file, start, end }: { readonly file: string; readonly start: number; readonly end: number },
  sources: ReadonlyMap<string, string>,
): Place => {
  const before = (sources.get(file) ?? '').slice(0, start)
  const lineStart = before.lastIndexOf('\n') + 1
  const line = before.split('\n').length
  return { file, line, column: [...before.slice(lineStart)].length + 1, start, end }
}

const TAB_WIDTH = 2
/** Columns of a line that are shown; of a longer one the part around the place. */
const WIDTH = 120
/** Columns of a long line that are shown before the place. */
const LEAD = 40

/** What a terminal would obey, or nobody would see: controls, directions of writing, characters without width, other spaces. */
const INVISIBLE = /[\x00-\x1f\x7f-\x9f\u00a0\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3000\ufeff]/g

/** U+200D and U+FE0F hold emoji together. */
const visible = (text: string): string =>
  text
    .replaceAll('\t', ' '.repeat(TAB_WIDTH))
    .replaceAll(/(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .replaceAll(INVISIBLE, (character) => (character === '\u200d' ? character : '·'))

/** Visible, with … where the rest is. */
const shorten = (text: string): string => {
  const whole = visible(text.slice(0, 4 * WIDTH))
  const part = fitColumns(whole, WIDTH)
  return part.length < whole.length || text.length > 4 * WIDTH ? `${part}…` : part
}

interface Frame {
  readonly before: readonly string[]
  readonly line: string
  /** Columns of the place in `line`. */
  readonly from: number
  readonly width: number
}

/** Where a line is cut off at its left so that the place is seen: not inside of a character. */
const skipped = (line: string, offset: number): number => {
  if (offset < WIDTH - LEAD) return 0
  const start = offset - LEAD
  return /[\udc00-\udfff]/.test(line[start] ?? '') ? start + 1 : start
}

const cut = (source: string, place: Place): Frame => {
  const lineStart = place.start === 0 ? 0 : source.lastIndexOf('\n', place.start - 1) + 1
  const lines = source.slice(0, lineStart).split('\n', place.line)
  const lineEnd = source.indexOf('\n', lineStart)
  const full = source.slice(lineStart, lineEnd < 0 ? source.length : lineEnd).replace(/\r$/, '')
  const offset = Math.min(place.start - lineStart, full.length)
  const stop = Math.min(Math.max(place.end - lineStart, offset + 1), full.length)
  const skip = skipped(full, offset)
  const dots = skip > 0 ? '…' : ''
  const from = columnsOf(`${dots}${visible(full.slice(skip, offset))}`)
  const marked = visible(full.slice(offset, Math.min(stop, offset + WIDTH)))
  return {
    before:
      skip > 0
        ? []
        : lines.slice(Math.max(0, place.line - 3), place.line - 1).map((text) => shorten(text.replace(/\r$/, ''))),
    line: `${dots}${shorten(full.slice(skip))}`,
    from,
    width: Math.max(1, Math.min(columnsOf(marked), WIDTH - from)),
  }
}

const bar = (number: number | undefined, width: number, text: string): string =>
  `${(number === undefined ? '' : String(number)).padStart(width)} | ${text}`.trimEnd()

/** What is marked, alone: around it stand values of variables, which may be secrets. */
const cutOut = (source: string, { start, end }: Place): Frame => {
  const [text = ''] = source.slice(start, Math.max(end, start + 1)).split('\n', 1)
  const marked = shorten(text)
  const before = start === 0 || source[start - 1] === '\n' ? '' : '…'
  const after = /^(\r?\n|$)/.test(source.slice(start + text.length, start + text.length + 2)) ? '' : '…'
  return { before: [], line: `${before}${marked}${after}`, from: before.length, width: Math.max(1, columnsOf(marked)) }
}

/** The line of a place, up to two before it, and a caret below. Empty where the file is. */
export const formatFrame = (place: Place, source: string, isHidden = false): string => {
  if (source.trim() === '') return ''
  const { before, line, from, width } = isHidden ? cutOut(source, place) : cut(source, place)
  const digits = String(place.line).length + 2
  return [
    ...before.map((text, index) => bar(place.line - before.length + index, digits, text)),
    bar(place.line, digits, line),
    bar(undefined, digits, `${' '.repeat(from)}${'^'.repeat(width)}`),
  ].join('\n')
}

export type FrameRole = 'error' | 'warning' | 'place' | 'hint' | 'frame' | 'code'

export interface FrameOptions {
  /** How to write a file's name, for instance relative to the current directory. */
  readonly name?: (file: string) => string
  /** Wraps the parts of a terminal's output in colour. */
  readonly paint?: (text: string, role: FrameRole) => string
}

/** `compose.yaml:3:5: error: message [code]`, its hint and its frame. */
export const formatDiagnostic = (diagnostic: Diagnostic, located: Shown, options: FrameOptions = {}): string => {
  const { name = (file) => file, paint = (text) => text } = options
  const { severity, message, hint, related } = diagnostic
  const { sources, hidden } = located
  const written = ({ file, line, column }: Place): string => `${name(file)}:${line}:${column}`
  const place = locate(diagnostic, located)
  const frame = place === undefined ? '' : formatFrame(place, sources.get(place.file) ?? '', hidden.has(place.file))
  // The code is for looking it up in docs/errors.md: `engine/…` is about no file, and not there.
  const isListed = place !== undefined || severity === 'error' || !diagnostic.code.includes('/')
  const head = [
    ...(place === undefined ? [] : [paint(`${written(place)}:`, 'place')]),
    paint(`${severity}:`, severity),
    visible(message),
    ...(isListed ? [paint(`[${diagnostic.code}]`, 'code')] : []),
  ]
  return [
    head.join(' '),
    ...(related ? [`  ${related.message} ${written(placeOf(related.at, sources))}`] : []),
    ...(hint === undefined ? [] : [paint(`  ${visible(hint)}`, 'hint')]),
    ...(frame === '' ? [] : [paint(frame, 'frame')]),
  ].join('\n')
}
