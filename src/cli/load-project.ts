/** Reads the Compose files of a command into a project, and shows what is to be said about them. */
import { load, type LoadInput, type LoadOptions } from '../compose/load.ts'
import { loadUnlessGood } from '../compose/known-good.ts'
import type { LoadResult, Project } from '../compose/project.ts'
import { ProjectError } from '../errors.ts'
import { openTreeCache } from './cache.ts'
import type { Context } from './context.ts'
import { discoverFiles, lookForProject } from './discovery.ts'
import { formatDiagnostics } from './render/diagnostic.ts'

export interface LoadRequest {
  /** Named services; empty: all. */
  readonly services: readonly string[]
  /** Without warnings: the command does not act by what it read. */
  readonly quiet?: boolean
  readonly options?: LoadOptions
}

const inputOf = (context: Context, { services, options }: LoadRequest): LoadInput => {
  const found = discoverFiles(context)
  if (found.files.length === 0) throw noFiles(context)
  const { files, workingDirectory, projectName, environment, wrongVariables, profiles } = found
  return {
    ...{ files, workingDirectory, projectName, environment, wrongVariables, profiles, services },
    readFile: context.session.readFile,
    cache: openTreeCache(context),
    ...(options === undefined ? {} : { options }),
  }
}

/** What loading found, mistakes included. Later messages of this command find places by it. */
export const loadFiles = async (context: Context, request: LoadRequest): Promise<LoadResult> => {
  const result = await load(inputOf(context, request))
  context.session.loaded = result
  return result
}

/** Only whether the files are right: what was found to be, and has not changed, is not loaded again. Throws ProjectError. */
export const checkFiles = async (context: Context, request: LoadRequest): Promise<void> => {
  const result = await loadUnlessGood(inputOf(context, request))
  context.session.loaded = result
  reportFindings(context, result ?? { diagnostics: [] }, false)
}

/** Throws ProjectError with everything that is wrong; shows what is only worth a warning. */
export const reportFindings = (
  context: Context,
  { diagnostics }: Pick<LoadResult, 'diagnostics'>,
  quiet: boolean,
): void => {
  const all = [...lookForProject(context).diagnostics, ...diagnostics]
  if (all.some(({ severity }) => severity === 'error')) throw new ProjectError(all)
  if (!quiet && all.length > 0) context.stderr.write(formatDiagnostics(context, all))
}

/** The project, with its warnings on stderr. Throws ProjectError. */
export const loadProject = async (context: Context, request: LoadRequest): Promise<Project> => {
  const result = await loadFiles(context, request)
  reportFindings(context, result, request.quiet === true)
  if (result.project === undefined) throw new ProjectError(result.diagnostics)
  return result.project
}

const noFiles = ({ cwd }: Context): ProjectError =>
  new ProjectError([
    {
      code: 'file-not-found',
      severity: 'error',
      path: [],
      message: `There is no Compose file in ${cwd} or above it`,
      hint: 'create compose.yaml, or name one with -f FILE',
    },
  ])
