/** Findings about the user's files: place, message, hint and the lines around, as far as the project was read. */
import { relative } from 'node:path'
import { formatDiagnostic as format } from '../../compose/frame.ts'
import type { Diagnostic } from '../../errors.ts'
import type { Context } from '../context.ts'
import type { StyleName } from './style.ts'

const COLOURS: Readonly<Record<string, StyleName>> = { error: 'red', warning: 'yellow', place: 'bold', hint: 'cyan' }

/** As short as it can be named from where the user is. */
const nameFrom = (cwd: string, file: string): string => {
  const path = relative(cwd, file)
  return path.startsWith('../../..') ? file : path
}

/** Whole lines. */
export const formatDiagnostic = (context: Context, diagnostic: Diagnostic): string => {
  const { loaded, discovery } = context.session
  const sources = new Map([...(discovery?.sources ?? []), ...(loaded?.sources ?? [])])
  const text = format(
    diagnostic,
    { origins: loaded?.origins ?? new Map(), sources },
    {
      name: (file) => (file === '-' ? '(stdin)' : nameFrom(context.cwd, file)),
      paint: (part, role) => {
        const colour = COLOURS[role]
        return colour === undefined ? part : context.stderr.style(colour, part)
      },
    },
  )
  return `${text}\n`
}

export const formatDiagnostics = (context: Context, diagnostics: readonly Diagnostic[]): string =>
  diagnostics.map((diagnostic) => formatDiagnostic(context, diagnostic)).join('')
