/** What runners of GitHub and GitLab read in a log: groups, annotations, and how a service is kept from writing such itself. */
import { relative } from 'node:path'

export type Ci = 'github' | 'gitlab' | undefined

export const ciOf = (env: Readonly<Record<string, string | undefined>>): Ci => {
  if (env.GITHUB_ACTIONS === 'true') return 'github'
  return env.GITLAB_CI === 'true' ? 'gitlab' : undefined
}

/** `%`, and what ends a line. */
const escapeData = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

const escapeProperty = (text: string): string => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

export interface Annotation {
  readonly title: string
  readonly message: string
  /** undefined: of the whole run. */
  readonly place: { readonly file: string; readonly line: number; readonly column: number } | undefined
}

/** Files below the workspace are named as the repository has them. */
const nameIn = (workspace: string | undefined, file: string): string => {
  if (workspace === undefined || workspace === '') return file
  const path = relative(workspace, file)
  return path.startsWith('..') ? file : path
}

/** `::error …` for GitHub. */
export const formatAnnotation = ({ title, message, place }: Annotation, workspace: string | undefined): string => {
  const at = place === undefined ? {} : { file: nameIn(workspace, place.file), line: place.line, col: place.column }
  const properties = Object.entries({ ...at, title }).map(([name, value]) => `${name}=${escapeProperty(String(value))}`)
  return `::error ${properties.join(',')}::${escapeData(message)}\n`
}

export interface Group {
  readonly begin: string
  readonly end: string
}

/** Lines around a part of the log that can be folded. `id`: letters and digits; `now`: milliseconds. */
export const formatGroup = (ci: Ci, { id, title, now }: { id: string; title: string; now: number }): Group => {
  if (ci === 'github') return { begin: `::group::${escapeData(title)}\n`, end: '::endgroup::\n' }
  if (ci !== 'gitlab') return { begin: '', end: '' }
  const seconds = Math.floor(now / 1000)
  const line = (kind: 'start' | 'end', options: string): string =>
    `\x1b[0Ksection_${kind}:${seconds}:${id}${options}\r\x1b[0K`
  return { begin: `${line('start', '')}${title}\n`, end: `${line('end', '')}\n` }
}

/** Lines around the output of services: between them GitHub's runner takes no commands. `token`: not to be guessed. */
export const formatGuard = (ci: Ci, token: string): Group =>
  ci === 'github' ? { begin: `::stop-commands::${token}\n`, end: `::${token}::\n` } : { begin: '', end: '' }

/** The output of services as a runner may see it: GitLab has no guard, so that its markers are broken. */
export const harmless = (ci: Ci, output: Buffer): Buffer => {
  if (ci !== 'gitlab' || !output.includes('section_')) return output
  return Buffer.from(output.toString('latin1').replaceAll(/section_(start|end):/g, 'section-$1:'), 'latin1')
}

/** A line of a service in a message of ours: GitHub's older runners look for `##[` anywhere. */
export const harmlessLine = (ci: Ci, line: string): string =>
  ci === 'github' ? line.replaceAll('##[', '## [') : line.replaceAll(/section_(start|end):/g, 'section-$1:')
