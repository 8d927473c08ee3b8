/** What all commands have in common that change a project. */
import { CaissonError } from '../errors.ts'
import type { Engine, Outcome, ProjectTarget } from '../index.ts'
import { formatPlan } from '../index.ts'
import type { Context } from './context.ts'
import { discoverProject } from './discovery.ts'
import { readBoolean } from './grammar.ts'
import { requireRoot, withProgress } from './runtime.ts'
import { findTarget, loadTarget } from './target.ts'

/** Prints the plan of a dry run to stdout; returns the exit code. */
export const finishChange = (context: Context, outcome: Outcome, dryRun: boolean): number => {
  if (dryRun) context.stdout.write(outcome.plan.nodes.length === 0 ? 'Nothing to do.\n' : formatPlan(outcome.plan))
  return 0
}

type Act = (engine: Engine, target: ProjectTarget) => Promise<Outcome>

/** A service that no container knows may be one of the Compose file's: that is only read where there is such a doubt. */
const actOn = async (context: Context, engine: Engine, target: ProjectTarget, act: Act): Promise<Outcome> => {
  try {
    return await act(engine, target)
  } catch (error) {
    const isDoubt = error instanceof CaissonError && error.code === 'ENOSERVICE' && target.project === undefined
    if (!isDoubt || discoverProject(context).files.length === 0) throw error
    return act(engine, await loadTarget(context))
  }
}

/** Finds the project (by default without reading it), makes the change with its progress drawn, and returns the exit code. */
export const change = async (
  context: Context,
  dryRun: boolean,
  act: Act,
  find: (context: Context, engine: Engine) => Promise<ProjectTarget> = findTarget,
): Promise<number> => {
  if (!dryRun) requireRoot()
  const outcome = await withProgress(context, async (engine) =>
    actOn(context, engine, await find(context, engine), act),
  )
  return finishChange(context, outcome, dryRun)
}

/** `--timeout` in the engine's unit. */
export const toMilliseconds = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : seconds * 1000

/** `--remove-orphans` and COMPOSE_REMOVE_ORPHANS. */
export const removesOrphans = (context: Context, asked: boolean): boolean =>
  asked || isOn(context, 'COMPOSE_REMOVE_ORPHANS')

/** COMPOSE_IGNORE_ORPHANS. */
export const ignoresOrphans = (context: Context): boolean => isOn(context, 'COMPOSE_IGNORE_ORPHANS')

/** Of the shell, or of `.env`. */
const isOn = (context: Context, name: string): boolean => {
  const value = discoverProject(context).environment[name]
  return value !== undefined && readBoolean(value) === true
}
