/** Where values are nested too deep, before anything reads them: parsers and phases call themselves for each level. */
import type { Place } from './report.ts'

/** Levels of maps and lists in each other. */
export const DEEPEST = 500

/** A line of the deepest block level starts with a space or an indicator for each level. */
const DEEP_BLOCK = new RegExp(`^[ ?:-]{${DEEPEST}}`, 'm')

/** 1 for an opening bracket, -1 for a closing one. */
const stepOf = (code: number): number => {
  if (code === 0x5b || code === 0x7b) return 1
  return code === 0x5d || code === 0x7d ? -1 : 0
}

export const depthPlace = (file: string, text: string): Place | undefined => {
  let depth = 0
  for (let start = 0; start < text.length; start++) {
    depth += stepOf(text.charCodeAt(start))
    if (depth > DEEPEST) return { file, start, end: start + 1 }
  }
  const start = text.search(DEEP_BLOCK)
  return start < 0 ? undefined : { file, start, end: start + 1 }
}
