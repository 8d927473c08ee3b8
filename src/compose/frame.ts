/** Diagnostics as text: `file:line:column`, the message, and the lines around with a caret below the place. */
import { type Diagnostic, pointerOf } from '../errors.ts'
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

const visible = (text: string): string =>
  text.replaceAll('\t', ' '.repeat(TAB_WIDTH)).replaceAll(/[\x00-\x1f\x7f]/g, '·')

interface Frame {
  readonly before: readonly string[]
  readonly line: string
  /** Columns of the place in `line`. */
  readonly from: number
  readonly width: number
}

const cut = (source: string, place: Place): Frame => {
  const lines = source.split('\n').map((line) => line.replace(/\r$/, ''))
  const full = lines[place.line - 1] ?? ''
  const lineStart = source.lastIndexOf('\n', place.start - 1) + 1
  const offset = Math.min(place.start - lineStart, full.length)
  const stop = Math.min(Math.max(place.end - lineStart, offset + 1), Math.max(full.length, offset + 1))
  const skip = offset > WIDTH - 20 ? offset - 40 : 0
  const line = visible(full.slice(skip, skip + WIDTH))
  const from = visible(full.slice(skip, offset)).length
  const width = Math.max(1, Math.min(visible(full.slice(offset, stop)).length, WIDTH - from))
  const first = Math.max(0, place.line - 3)
  return {
    before: skip > 0 ? [] : lines.slice(first, place.line - 1).map((text) => visible(text).slice(0, WIDTH)),
    line,
    from,
    width,
  }
}

const bar = (number: number | undefined, width: number, text: string): string =>
  `${(number === undefined ? '' : String(number)).padStart(width)} | ${text}`.trimEnd()

/** The line of a place, up to two before it, and a caret below. */
export const formatFrame = (place: Place, source: string): string => {
  const { before, line, from, width } = cut(source, place)
  const digits = String(place.line).length + 2
  return [
    ...before.map((text, index) => bar(place.line - before.length + index, digits, text)),
    bar(place.line, digits, line),
    bar(undefined, digits, `${' '.repeat(from)}${'^'.repeat(width)}`),
  ].join('\n')
}

export interface FrameOptions {
  /** How to write a file's name, for instance relative to the current directory. */
  readonly name?: (file: string) => string
  /** Wraps the parts of a terminal's output in colour. */
  readonly paint?: (text: string, role: 'error' | 'warning' | 'place' | 'hint' | 'frame') => string
}

/** `compose.yaml:3:5: error: message`, its hint and its frame. */
export const formatDiagnostic = (diagnostic: Diagnostic, located: Located, options: FrameOptions = {}): string => {
  const { name = (file) => file, paint = (text) => text } = options
  const place = locate(diagnostic, located)
  const source = place && located.sources.get(place.file)
  const where = place ? `${paint(`${name(place.file)}:${place.line}:${place.column}:`, 'place')} ` : ''
  const head = `${where}${paint(`${diagnostic.severity}:`, diagnostic.severity)} ${diagnostic.message}`
  const hint = diagnostic.hint === undefined ? [] : [paint(`  ${diagnostic.hint}`, 'hint')]
  const frame = place && source !== undefined ? [paint(formatFrame(place, source), 'frame')] : []
  return [head, ...hint, ...frame].join('\n')
}
