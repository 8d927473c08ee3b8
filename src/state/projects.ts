/** Project records: a name belongs to the directory that it was brought up from. */
import { CaissonError } from '../errors.ts'
import { projectRecordFile, projectsDirectory, type Roots } from './layout.ts'
import type { ProjectRecord } from './records.ts'
import { namesIn, readRecord, removeTree, writeNewRecord } from './store.ts'

export const readProject = (roots: Roots, name: string): ProjectRecord | undefined =>
  readRecord<ProjectRecord>(projectRecordFile(roots, name))

export const readProjects = (roots: Roots): readonly ProjectRecord[] =>
  namesIn(projectsDirectory(roots)).flatMap((name) => readProject(roots, name) ?? [])

const sameFiles = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((file, index) => file === b[index])

/** The one project that these files made; undefined where there is none, or more than one. */
export const findProject = (roots: Roots, composeFiles: readonly string[]): ProjectRecord | undefined => {
  const found = readProjects(roots).filter((project) => sameFiles(project.composeFiles, composeFiles))
  return found.length === 1 ? found[0] : undefined
}

/** Refuses a name that is up from another directory: two checkouts with one name are two projects. */
export const refuseForeignDirectory = (
  there: ProjectRecord | undefined,
  project: Omit<ProjectRecord, 'version'>,
): void => {
  if (there === undefined || there.workingDirectory === project.workingDirectory) return
  throw new CaissonError(
    'EPROJECTDIR',
    `project ${project.name} is already up from ${there.workingDirectory}; this is ${project.workingDirectory}`,
    { hint: `give this one another name with -p, or take the other one down: caisson -p ${project.name} down` },
  )
}

/** Writes the record where it is missing or says something else. */
export const keepProject = (roots: Roots, project: Omit<ProjectRecord, 'version'>): void => {
  const there = readProject(roots, project.name)
  if (there?.workingDirectory === project.workingDirectory && sameFiles(there.composeFiles, project.composeFiles))
    return
  writeNewRecord(projectRecordFile(roots, project.name), { version: 1, ...project })
}

export const forgetProject = (roots: Roots, name: string): void => removeTree(`${projectsDirectory(roots)}/${name}`)
