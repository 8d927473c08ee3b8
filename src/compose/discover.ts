/**
 * Which files make up the project, what the environment is, and what it is called: command line over environment over
 * `.env` over defaults. Pure: files come through `readFile`.
 */
import type { Diagnostic } from '../errors.ts'
import { parseDotenv } from './dotenv.ts'
import { reportDotenv } from './dotenv-report.ts'
import { directoryOf, joinPath } from './paths.ts'
import { isRemote } from './remote.ts'
import { Report } from './report.ts'

export interface DiscoverInput {
  /** Absolute. */
  readonly cwd: string
  /** Of the shell. */
  readonly environment: Readonly<Record<string, string>>
  /** `--file`, in order; `-` is standard input. */
  readonly files?: readonly string[]
  /** `--project-directory`. */
  readonly projectDirectory?: string | undefined
  /** `--env-file`, in order. */
  readonly envFiles?: readonly string[]
  /** `--profile`. */
  readonly profiles?: readonly string[]
  /** `--project-name`. */
  readonly projectName?: string | undefined
  /** undefined: there is no such file (a directory is none). */
  readFile(path: string): string | undefined
}

export interface Discovery {
  /** Absolute; empty: none was found. */
  readonly files: readonly string[]
  readonly workingDirectory: string
  /** The shell's variables over those of the env files. */
  readonly environment: Readonly<Record<string, string>>
  /** Env files that were read. */
  readonly envFiles: readonly string[]
  /** The env file of each variable that has its value from one; the others are the shell's. */
  readonly variableFiles: ReadonlyMap<string, string>
  readonly profiles: readonly string[]
  /** Given by hand or by COMPOSE_PROJECT_NAME; else it is up to the files and the directory. */
  readonly projectName: string | undefined
  /** Variables of lines of env files that are wrong: they have no value, which is known. */
  readonly wrongVariables: ReadonlySet<string>
  readonly diagnostics: readonly Diagnostic[]
  /** Text of the env files, for code frames. */
  readonly sources: ReadonlyMap<string, string>
}

export const DEFAULT_FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']
export const DEFAULT_OVERRIDES = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
]

const parents = (directory: string): readonly string[] =>
  directory === '/' ? ['/'] : [directory, ...parents(directoryOf(directory))]

const list = (text: string | undefined): readonly string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

const isTrue = (text: string | undefined): boolean => /^(1|t|true|y|yes|on)$/i.test(text ?? '')

class Discoverer {
  readonly sources = new Map<string, string>()
  readonly report = new Report(this.sources)
  readonly envFiles: string[] = []
  readonly variableFiles = new Map<string, string>()
  readonly wrong = new Set<string>()
  readonly environment: Record<string, string>
  readonly #input: DiscoverInput

  constructor(input: DiscoverInput) {
    this.#input = input
    this.environment = { ...input.environment }
  }

  absolute(path: string): string {
    return path === '-' || isRemote(path) ? path : joinPath(this.#input.cwd, path)
  }

  /** `--project-directory`, else the directory of the first file, else the current one. */
  workingDirectory(files: readonly string[]): string {
    const { projectDirectory, cwd } = this.#input
    if (projectDirectory !== undefined && projectDirectory !== '') return this.absolute(projectDirectory)
    const first = files.find((file) => file !== '-' && !isRemote(file))
    return first === undefined ? cwd : directoryOf(first)
  }

  /** Variables that are not set yet. Files read later in one call win over earlier ones, never over what is set. */
  readEnvFiles(files: readonly string[], required: boolean): void {
    const known = new Map<string, string>()
    const givers = new Map<string, string>()
    for (const file of files.filter((name) => !this.sources.has(name))) {
      const text = this.#input.readFile(file)
      if (text === undefined) {
        if (required)
          this.report.add({ code: 'env-file-not-found', path: [], message: `The file ${file} does not exist` })
        continue
      }
      this.sources.set(file, text)
      this.envFiles.push(file)
      const lookup = (name: string): string | undefined =>
        Object.hasOwn(this.environment, name) ? this.environment[name] : undefined
      const result = parseDotenv(text, lookup, { values: known, wrong: this.wrong })
      reportDotenv(result, file, [], this.report)
      for (const name of result.wrong) this.wrong.add(name)
      for (const [name, value] of result.variables) {
        known.set(name, value)
        givers.set(name, file)
      }
    }
    for (const [name, value] of known) {
      if (Object.hasOwn(this.environment, name)) continue
      this.environment[name] = value
      this.variableFiles.set(name, givers.get(name) ?? '')
    }
  }

  /** The one given, or `.env` beside the project. */
  readEnvironment(files: readonly string[]): void {
    const given = this.#input.envFiles?.length ? this.#input.envFiles : list(this.environment.COMPOSE_ENV_FILES)
    if (given.length > 0) {
      this.readEnvFiles(
        given.map((file) => this.absolute(file)),
        true,
      )
    } else if (!isTrue(this.environment.COMPOSE_DISABLE_ENV_FILE)) {
      this.readEnvFiles([joinPath(this.workingDirectory(files), '.env')], false)
    }
  }

  /** COMPOSE_FILE, which `.env` may hold. */
  filesOfEnvironment(): readonly string[] {
    const { COMPOSE_FILE: text, COMPOSE_PATH_SEPARATOR: separator } = this.environment
    if (text === undefined || text === '') return []
    return text.split(separator || ':').map((file) => this.absolute(file))
  }

  /** Default names in the working directory and above. */
  search(): readonly string[] {
    const { projectDirectory, cwd } = this.#input
    for (const directory of parents(projectDirectory ? this.absolute(projectDirectory) : cwd)) {
      const main = this.#first(directory, DEFAULT_FILES)
      if (main === undefined) continue
      const override = this.#first(directory, DEFAULT_OVERRIDES)
      return override === undefined ? [main] : [main, override]
    }
    return []
  }

  #first(directory: string, names: readonly string[]): string | undefined {
    const found = names
      .map((name) => joinPath(directory, name))
      .filter((path) => this.#input.readFile(path) !== undefined)
    const [winner, ...others] = found
    if (winner !== undefined && others.length > 0) {
      const message = `${winner} is used; ${others.join(', ')} beside it is not`
      this.report.add({ code: 'several-files', severity: 'warning', path: [], message })
    }
    return winner
  }
}

export const discover = (input: DiscoverInput): Discovery => {
  const discoverer = new Discoverer(input)
  const { environment, report, sources, envFiles } = discoverer
  const given = (input.files ?? []).map((file) => discoverer.absolute(file))
  discoverer.readEnvironment(given)
  const named = given.length > 0 ? given : discoverer.filesOfEnvironment()
  const files = named.length > 0 ? named : discoverer.search()
  discoverer.readEnvironment(files)
  return {
    files,
    workingDirectory: discoverer.workingDirectory(files),
    environment,
    envFiles,
    variableFiles: discoverer.variableFiles,
    profiles: input.profiles?.length ? input.profiles : list(environment.COMPOSE_PROFILES),
    projectName: input.projectName || environment.COMPOSE_PROJECT_NAME || undefined,
    wrongVariables: discoverer.wrong,
    diagnostics: report.diagnostics,
    sources,
  }
}
