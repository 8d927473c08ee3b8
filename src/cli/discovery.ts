/** Which files, directory, environment and profiles the command line and COMPOSE_* variables mean. */
import { discover, type Discovery } from '../compose/discover.ts'
import { ProjectError } from '../errors.ts'
import type { Context } from './context.ts'

const isError = ({ severity }: { severity: string }): boolean => severity === 'error'

/** Looked up once for each command. With its mistakes, for who goes on to tell those of the Compose files too. */
export const lookForProject = ({ session, globals, cwd, env }: Context): Discovery => {
  session.discovery ??= discover({
    cwd,
    environment: env,
    files: globals.file,
    projectDirectory: globals.projectDirectory ?? globals.workdir,
    envFiles: globals.envFile,
    profiles: globals.profile,
    projectName: globals.projectName,
    readFile: session.readFile,
  })
  return session.discovery
}

/** Throws ProjectError, for an env file that is not there for instance. */
export const discoverProject = (context: Context): Discovery => {
  const found = lookForProject(context)
  if (found.diagnostics.some(isError)) throw new ProjectError(found.diagnostics)
  return found
}

const DECISIVE = ['COMPOSE_FILE', 'COMPOSE_PATH_SEPARATOR']

/** Its files are known although lines of `.env` may be wrong. Throws ProjectError where they are not. */
export const discoverFiles = (context: Context): Discovery => {
  const found = lookForProject(context)
  const { diagnostics, files, wrongVariables } = found
  const isKnown =
    files.length > 0 &&
    !DECISIVE.some((name) => wrongVariables.has(name)) &&
    diagnostics.every((each) => !isError(each) || each.code === 'env-file-syntax')
  return isKnown ? found : discoverProject(context)
}
