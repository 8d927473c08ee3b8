/** What a command may touch of the world outside: streams, environment, working directory. */
import type { ResolveDigest } from '../compose/digests.ts'
import type { Discovery } from '../compose/discover.ts'
import type { LoadResult } from '../compose/project.ts'
import { createReader, type NoteText } from './files.ts'
import type { GlobalValues } from './global-options.ts'
import { styleFor, type Style } from './render/style.ts'

export interface Output {
  write(data: string | Uint8Array): void
  /** What was written is on its way: whoever writes much waits for it, or it is all kept in memory. */
  drained(): Promise<void>
  readonly isTTY: boolean
  /** Width of the terminal; 0 where it does not say. */
  readonly columns: number
  readonly style: Style
}

/** What this command has found out so far. */
export interface Session {
  readonly readFile: (path: string) => string | undefined
  readonly resolveDigest: ResolveDigest
  discovery: Discovery | undefined
  /** The project as it was read: messages find places in files by it. */
  loaded: LoadResult | undefined
  /** true: the command prints JSON, and whoever reads that wants to read what is wrong, too. */
  isForPrograms: boolean
}

export interface Context {
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly globals: GlobalValues
  /** Names that were given on the command line, of `globals`. */
  readonly given: ReadonlySet<string>
  readonly session: Session
  /** Results. */
  readonly stdout: Output
  /** Messages, progress. */
  readonly stderr: Output
}

/** `--progress`, or COMPOSE_PROGRESS; the latter may be any text. */
export const askedProgress = ({ given, globals, env }: Context): string =>
  given.has('progress') ? globals.progress : (env.COMPOSE_PROGRESS ?? 'auto')

/** Whether findings and errors are objects, one a line, instead of text. */
export const isForPrograms = (context: Context): boolean =>
  context.session.isForPrograms || askedProgress(context) === 'json'

const outputOf = (stream: NodeJS.WriteStream, env: Context['env'], ansi: string): Output => ({
  write: (data) => {
    stream.write(data)
  },
  drained: () =>
    stream.writableNeedDrain
      ? new Promise((resolve) => {
          stream.once('drain', resolve).once('close', resolve)
        })
      : Promise.resolve(),
  get isTTY() {
    return stream.isTTY === true
  },
  get columns() {
    return stream.columns ?? 80
  },
  style: styleFor({ ansi, env, isTTY: stream.isTTY === true }),
})

/** The environment without what the shebang of the package put there; see scripts/build.mjs. */
const restoreEnvironment = (): Record<string, string> => {
  const authorities = process.env.CAISSON_CA
  if (authorities !== undefined) {
    delete process.env.CAISSON_CA
    if (authorities !== '') process.env.NODE_EXTRA_CA_CERTS = authorities
  }
  return { ...process.env } as Record<string, string>
}

export const createContext = (globals: GlobalValues, given: ReadonlySet<string>, noteText: NoteText): Context => {
  const env = restoreEnvironment()
  const ansi = globals.noAnsi ? 'never' : given.has('ansi') ? globals.ansi : (env.COMPOSE_ANSI ?? 'auto')
  let stdout: Output | undefined
  let stderr: Output | undefined
  const context: Context = {
    env,
    cwd: process.cwd(),
    globals,
    given,
    session: {
      readFile: createReader(noteText),
      resolveDigest: async (reference) => (await import('./ask-registry.ts')).askDigest(context, reference),
      ...{ discovery: undefined, loaded: undefined, isForPrograms: false },
    },
    // Made when something is written: a stream takes Node 7 ms.
    get stdout() {
      stdout ??= outputOf(process.stdout, env, ansi)
      return stdout
    },
    get stderr() {
      stderr ??= outputOf(process.stderr, env, ansi)
      return stderr
    },
  }
  return context
}
