/** `up -d`, `up --wait`, `create`: the change, and what is to be said of services that did not come up well. */
import type { Project } from '../compose/project.ts'
import { CaissonError } from '../errors.ts'
import type { Outcome, UpOptions } from '../index.ts'
import { finishChange } from './change.ts'
import type { Context } from './context.ts'
import { Interrupts } from './interrupts.ts'
import { openReader, withProgress } from './runtime.ts'
import { EXIT } from './usage.ts'

interface Result {
  readonly outcome: Outcome | undefined
  readonly failure: unknown
}

const change = async (context: Context, project: Project, options: UpOptions): Promise<Result> => {
  try {
    return { outcome: await withProgress(context, (engine) => engine.up(project, options)), failure: undefined }
  } catch (failure) {
    return { outcome: undefined, failure }
  }
}

const isAborted = (error: unknown): boolean => error instanceof CaissonError && error.code === 'EABORTED'

/** `junit`: a file; written however it ends. After Ctrl-C what was half made is undone, and what runs goes on. */
export const upDetached = async (
  context: Context,
  project: Project,
  options: UpOptions,
  junit: string | undefined,
): Promise<number> => {
  if (options.dryRun) {
    return finishChange(context, await withProgress(context, (engine) => engine.up(project, options)), true)
  }
  const interrupts = new Interrupts((count) => (count > 1 ? process.exit(EXIT.interrupted) : undefined))
  interrupts.listen()
  try {
    const { outcome, failure } = await change(context, project, { ...options, signal: interrupts.signal })
    if (!options.noStart && failure === undefined) {
      const { reportFailed } = await import('./last-words.ts')
      await reportFailed(context, {
        ...{ project: project.name, services: Object.keys(project.services), label: 'warning:' },
      })
    }
    if (junit !== undefined) {
      const { writeJunit } = await import('./junit-file.ts')
      const judged = { project: project.name, services: Object.keys(project.services), failure }
      await writeJunit(context, junit, { engine: openReader(context), ...judged })
    }
    if (isAborted(failure)) return EXIT.interrupted
    if (outcome === undefined) throw failure
    return finishChange(context, outcome, false)
  } finally {
    interrupts.ignore()
  }
}
