/** Findings about the user's files: place, message, hint and the lines around, as far as the project was read. */
import { relative } from 'node:path'
import { formatDiagnostic as format, locate, type Place } from '../../compose/frame.ts'
import { type Diagnostic, pointerOf } from '../../errors.ts'
import { type Context, isForPrograms } from '../context.ts'
import { cutFindings } from './cut-findings.ts'
import { findingDocument } from './finding.ts'
import type { StyleName } from './style.ts'

const COLOURS: Readonly<Record<string, StyleName>> = {
  error: 'red',
  warning: 'yellow',
  place: 'bold',
  hint: 'cyan',
  code: 'dim',
}

/** As short as it can be named from where the user is. */
export const nameFrom = (cwd: string, file: string): string => {
  if (file === '-') return '(stdin)'
  const path = relative(cwd, file)
  return path.startsWith('../../..') ? file : path
}

/** Whole lines; one JSON object a line where programs read. */
export const formatDiagnostic = (context: Context, diagnostic: Diagnostic): string => {
  if (isForPrograms(context)) return `${JSON.stringify(findingDocument(diagnostic, located(context)))}\n`
  const text = format(diagnostic, located(context), {
    name: (file) => nameFrom(context.cwd, file),
    paint: (part, role) => {
      const colour = COLOURS[role]
      return colour === undefined ? part : context.stderr.style(colour, part)
    },
  })
  return `${text}\n`
}

/** As many as somebody reads, errors before warnings, and how many there are beside them; all of them for programs. */
export const formatDiagnostics = (context: Context, diagnostics: readonly Diagnostic[]): string => {
  const all = (some: readonly Diagnostic[]): readonly string[] => some.map((each) => formatDiagnostic(context, each))
  if (isForPrograms(context)) return all(diagnostics).join('')
  const { shown, rest } = cutFindings(diagnostics)
  return [...all(shown), ...(rest === '' ? [] : [rest])].join('\n')
}

/** Everything that was read, for finding places. */
const located = ({ session: { loaded, discovery } }: Context) => ({
  origins: loaded?.origins ?? new Map(),
  hidden: new Set([...(discovery?.envFiles ?? []), ...(loaded?.hidden ?? [])]),
  sources: new Map([...(discovery?.sources ?? []), ...(loaded?.sources ?? [])]),
})

export const placeOf = (context: Context, diagnostic: Diagnostic): Place | undefined =>
  locate(diagnostic, located(context))

/** The key of a service in its file. */
export const placeOfService = (context: Context, service: string): Place | undefined => {
  const path = ['services', service]
  const origin = context.session.loaded?.origins.get(pointerOf(path))
  const at = origin?.key ?? origin?.value
  return at === undefined ? undefined : locate({ path, at }, located(context))
}
