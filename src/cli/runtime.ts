/** Where state lies, and the engine over it. */
import { lstatSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CaissonError } from '../errors.ts'
import { createEngine, type Emit, type Engine } from '../index.ts'
import type { Context } from './context.ts'
import { createProgress, type Progress } from './render/progress.ts'

const uid = (): number => process.getuid?.() ?? 0

/** A directory below /tmp that is ours alone. Throws if somebody else made it first. */
const privateRunDirectory = (): string => {
  const path = `/tmp/caisson-${uid()}`
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const { uid: owner, mode } = lstatSync(path)
  if (owner !== uid() || (mode & 0o077) !== 0) {
    throw new CaissonError('ERUNDIR', `the run directory ${path} belongs to somebody else or is open to others`, {
      hint: 'set CAISSON_RUN to a directory of your own with mode 0700',
    })
  }
  return path
}

export const stateRoot = (env: Context['env']): string => {
  if (env.CAISSON_ROOT) return resolve(env.CAISSON_ROOT)
  if (uid() === 0) return '/var/lib/caisson'
  return join(env.XDG_DATA_HOME || join(env.HOME ?? '/', '.local', 'share'), 'caisson')
}

export const runDirectory = (env: Context['env']): string => {
  if (env.CAISSON_RUN) return resolve(env.CAISSON_RUN)
  if (uid() === 0) return '/run/caisson'
  return env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, 'caisson') : privateRunDirectory()
}

export const openEngine = (context: Context, emit: Emit): Engine =>
  createEngine({
    root: stateRoot(context.env),
    run: runDirectory(context.env),
    networkNamespace: context.env.CAISSON_NETNS || undefined,
    environment: context.env,
    emit,
  })

/** An engine that only answers questions. */
export const openReader = (context: Context): Engine => openEngine(context, () => {})

/** Runs a change with its progress drawn, which is finished before this returns or throws. */
export const withProgress = async <T>(context: Context, change: (engine: Engine) => Promise<T>): Promise<T> => {
  const progress: Progress = createProgress(context)
  try {
    return await change(openEngine(context, progress.emit))
  } finally {
    await progress.close()
  }
}

/** What this process was started as, for a line that can be pasted behind sudo: nvm's node is not in sudo's PATH. */
const ownCommand = (): string => {
  const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
  return [process.execPath, ...process.argv.slice(1)].map(quote).join(' ')
}

/** Throws if this process may not isolate anything. */
export const requireRoot = (): void => {
  if (uid() === 0) return
  throw new CaissonError('EHOST', 'isolating services needs root on this machine', {
    hint: `run: sudo ${ownCommand()}`,
  })
}
