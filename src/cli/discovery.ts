/** Which files, directory, environment and profiles the command line and COMPOSE_* variables mean. */
import { discover, type Discovery } from '../compose/discover.ts'
import { ProjectError } from '../errors.ts'
import type { Context } from './context.ts'

const isError = ({ severity }: { severity: string }): boolean => severity === 'error'

/** Looked up once for each command. Throws ProjectError, for an env file that is not there for instance. */
export const discoverProject = ({ session, globals, cwd, env }: Context): Discovery => {
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
  const { diagnostics } = session.discovery
  if (diagnostics.some(isError)) throw new ProjectError(diagnostics)
  return session.discovery
}
