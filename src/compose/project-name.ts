/** Names of projects: a lower-case letter or digit, then letters, digits, `_` and `-`. */
import type { Node } from './node.ts'
import { get, textOf } from './node.ts'
import type { Report } from './report.ts'

/** What remains of a directory's name, or of a `name:` of a file; empty where nothing does. */
export const normaliseName = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '')

export interface NameSources {
  /** `--project-name` or COMPOSE_PROJECT_NAME. */
  readonly explicit: string | undefined
  /** Interpolated; the last one counts. */
  readonly trees: readonly Node[]
  readonly workingDirectory: string
}

export const chooseName = ({ explicit, trees, workingDirectory }: NameSources, report: Report): string => {
  if (explicit !== undefined && explicit !== '') {
    if (normaliseName(explicit) === explicit) return explicit
    const hint = 'use lower-case letters, digits, "_" and "-", and start with a letter or digit'
    report.add({ code: 'project-name', path: [], message: `"${explicit}" cannot be the name of a project`, hint })
    return explicit
  }
  const written = trees.map((tree) => textOf(get(tree, 'name'))).findLast((name) => name !== undefined)
  const directory = workingDirectory.split('/').at(-1) ?? ''
  const name = normaliseName(written ?? '') || normaliseName(directory)
  if (name === '') {
    const hint = 'write name: at the top of the file, or give --project-name'
    report.add({
      code: 'project-name',
      path: [],
      message: `The directory ${workingDirectory} gives no name for the project`,
      hint,
    })
  }
  return name
}
