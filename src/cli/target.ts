/** Which project a command is about. Commands that only look find it by its files' names and never read them. */
import type { Project } from '../compose/project.ts'
import { CaissonError } from '../errors.ts'
import type { ContainerRow, Engine, ProjectTarget } from '../index.ts'
import type { Context } from './context.ts'
import { discoverProject } from './discovery.ts'
import { didYouMean } from '../units/suggest.ts'

const loadWhole = async (context: Context): Promise<Project> =>
  (await import('./load-project.ts')).loadProject(context, { services: [], quiet: true })

/** By `-p`, by the record that these Compose files left, or by reading them. */
export const findTarget = async (context: Context, engine: Engine): Promise<ProjectTarget> => {
  const { projectName, files } = discoverProject(context)
  if (projectName !== undefined) return { name: projectName, project: undefined }
  const record = await engine.findProject(files)
  if (record !== undefined) return { name: record.name, project: undefined }
  const project = await loadWhole(context)
  return { name: project.name, project }
}

/** For commands that follow the Compose file where there is one, and otherwise everything of that name. */
export const loadTarget = async (context: Context): Promise<ProjectTarget> => {
  const { projectName, files } = discoverProject(context)
  if (files.length === 0 && projectName !== undefined) return { name: projectName, project: undefined }
  const project = await loadWhole(context)
  return { name: project.name, project }
}

const serviceNames = async (context: Context, target: ProjectTarget): Promise<string[]> => {
  const project = target.project ?? (discoverProject(context).files.length === 0 ? undefined : await loadWhole(context))
  return project === undefined ? [] : [...Object.keys(project.services), ...Object.keys(project.disabledServices)]
}

/** Throws ENOSERVICE for a name that neither a container nor the Compose file has. */
export const requireServices = async (
  context: Context,
  { target, rows, services }: { target: ProjectTarget; rows: readonly ContainerRow[]; services: readonly string[] },
): Promise<void> => {
  const running = new Set(rows.map((row) => row.service))
  const missing = services.filter((service) => !running.has(service))
  if (missing.length === 0) return
  const known = await serviceNames(context, target)
  const unknown = missing.find((service) => !known.includes(service))
  if (unknown === undefined) return
  const hint = didYouMean(unknown, [...running, ...known])
  throw new CaissonError('ENOSERVICE', `no such service: ${unknown}`, hint === undefined ? {} : { hint })
}
