import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from '../src/compose/load.ts'
import type { Project } from '../src/compose/project.ts'

/** The project of a folder with a `compose.yaml` that is known to be right. */
export const loadProject = async (directory: string): Promise<Project> => {
  const { project, diagnostics } = await load({
    files: [join(directory, 'compose.yaml')],
    workingDirectory: directory,
    environment: {},
    profiles: [],
    readFile: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
  })
  if (project === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'))
  return project
}
