/** What stands before each line of a container's output: `web-1  | `, padded to the longest, coloured by turns. */
import type { LogSource } from '../../index.ts'
import type { Style, StyleName } from './style.ts'

/** Compose's order. Red is left for errors. */
const COLOURS: readonly StyleName[] = [
  'cyan',
  'yellow',
  'green',
  'magenta',
  'blue',
  'brightCyan',
  'brightGreen',
  'brightMagenta',
  'brightBlue',
]

type Named = Pick<LogSource, 'name' | 'service' | 'number'>

/** `web-1`; a container with a name of its own keeps that. */
export const shortName = (project: string, source: Named): string =>
  source.name.startsWith(`${project}-`) ? source.name.slice(project.length + 1) : source.name

export interface PrefixOptions {
  readonly project: string
  /** All containers that may speak: they set the width, and their order the colours. */
  readonly sources: readonly Named[]
  readonly style: Style
}

export const createPrefix = ({ project, sources, style }: PrefixOptions): ((source: Named) => string) => {
  const names = sources.map((source) => shortName(project, source)).sort()
  const width = Math.max(0, ...names.map((name) => name.length))
  return (source) => {
    const name = shortName(project, source)
    const turn = names.indexOf(name)
    const colour = COLOURS[(turn < 0 ? names.push(name) - 1 : turn) % COLOURS.length] ?? 'cyan'
    return `${style(colour, `${name.padEnd(width)}  |`)} `
  }
}
