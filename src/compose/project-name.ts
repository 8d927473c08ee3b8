/** Names of projects: a lower-case letter or digit, then letters, digits, `_` and `-`. */
import type { Node, ScalarNode } from './node.ts'
import { get } from './node.ts'
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

/** The last `name:` that is not empty in the file; `!reset` takes those before it back. */
const writtenName = (trees: readonly Node[]): ScalarNode | undefined => {
  let written: ScalarNode | undefined
  for (const name of trees.map((tree) => get(tree, 'name'))) {
    if (name?.tag === 'reset') written = undefined
    else if (name?.kind !== 'scalar' || typeof name.value !== 'string') continue
    else if (name.value !== '' || name.origin.variables.length > 0) written = name
  }
  return written
}

const normaliseWritten = ({ value, origin }: ScalarNode, report: Report): string => {
  const name = normaliseName(String(value))
  if (name !== '') return name
  const message = `name is "${value}", which has no character that a project name may have`
  report.add({ code: 'project-name', path: ['name'], message, hint: 'use letters and digits', origin })
  return name
}

export const chooseName = ({ explicit, trees, workingDirectory }: NameSources, report: Report): string => {
  if (explicit !== undefined && explicit !== '') {
    if (normaliseName(explicit) === explicit) return explicit
    const hint = 'use lower-case letters, digits, "_" and "-", and start with a letter or digit'
    report.add({ code: 'project-name', path: [], message: `"${explicit}" cannot be the name of a project`, hint })
    return explicit
  }
  const written = writtenName(trees)
  if (written !== undefined) return normaliseWritten(written, report)
  const name = normaliseName(workingDirectory.split('/').at(-1) ?? '')
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
