/** Variables of included files: those of who includes them, and below them those of their own env files. */
import { parseDotenv } from './dotenv.ts'
import { reportDotenv } from './dotenv-report.ts'
import type { Include } from './include.ts'
import { joinPath } from './paths.ts'
import type { Report } from './report.ts'

type Environment = Readonly<Record<string, string>>

interface Files {
  readonly report: Report
  /** Gets what the files gave, by the environment that they made. */
  readonly givenBy: Map<Environment, ReadonlyMap<string, string>>
  /** Gets the names that wrong lines were to give a value. */
  readonly wrongVariables: Set<string>
  readVariableFile(path: string): string | undefined
}

const NO_FILE = '/dev/null'

/** Text by file; a file that is named has to be there, `.env` need not. */
const textsOf = (
  { directory, envFiles }: Include,
  { report, readVariableFile }: Files,
): ReadonlyMap<string, string> => {
  const texts = new Map<string, string>()
  for (const { file, path, origin } of envFiles ?? [
    { file: joinPath(directory, '.env'), path: [], origin: undefined },
  ]) {
    const text = file === NO_FILE ? '' : readVariableFile(file)
    if (text !== undefined) texts.set(file, text)
    else if (origin)
      report.add({ code: 'env-file-not-found', path, message: `The file ${file} does not exist`, origin })
  }
  return texts
}

/** The parent's own object where the files add nothing to it. */
export const includeEnvironment = (include: Include, parent: Environment, files: Files): Environment => {
  const lookup = (name: string): string | undefined => (Object.hasOwn(parent, name) ? parent[name] : undefined)
  const known = new Map<string, string>()
  const givers = new Map(files.givenBy.get(parent))
  for (const [file, text] of textsOf(include, files)) {
    const result = parseDotenv(text, lookup, { values: known, wrong: files.wrongVariables })
    reportDotenv(result, file, [], files.report)
    for (const name of result.wrong) files.wrongVariables.add(name)
    for (const [name, value] of result.variables) {
      known.set(name, value)
      if (lookup(name) === undefined) givers.set(name, file)
    }
  }
  const added = [...known].filter(([name]) => lookup(name) === undefined)
  if (added.length === 0) return parent
  const environment = { ...Object.fromEntries(added), ...parent }
  files.givenBy.set(environment, givers)
  return environment
}
