/**
 * The YAML that nearly all Compose files are written in, read straight to our tree, several times as fast as the YAML
 * package and without loading it. Gives up where it is not certain: the package then reads the same text, and finds every
 * mistake. What this returns is to the last offset what the package would have given (test/compose/yaml-fast.test.ts).
 */
import type { Node } from '../node.ts'
import { depthPlace } from '../yaml-depth.ts'
import { readRoot } from './block.ts'
import { BEYOND, startReading } from './reading.ts'

/** Tabs, other ends of lines, characters and conflicts that are to be reported. */
const BEYOND_US = /[\x00-\x09\x0b-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]|^<{7} |\p{Surrogate}/mu

/** undefined: this text needs the package. */
export const parsePlainly = (file: string, text: string): Node | undefined => {
  if (BEYOND_US.test(text) || depthPlace(file, text)) return undefined
  try {
    return readRoot(startReading(file, text))
  } catch (error) {
    if (error === BEYOND) return undefined
    throw error
  }
}
