/** What all commands have in common that change a project. */
import type { Engine, Outcome, ProjectTarget } from '../index.ts'
import { formatPlan } from '../index.ts'
import type { Context } from './context.ts'
import { discoverProject } from './discovery.ts'
import { readBoolean } from './grammar.ts'
import { requireRoot, withProgress } from './runtime.ts'
import { findTarget } from './target.ts'

/** Prints the plan of a dry run to stdout; returns the exit code. */
export const finishChange = (context: Context, outcome: Outcome, dryRun: boolean): number => {
  if (dryRun) context.stdout.write(outcome.plan.nodes.length === 0 ? 'Nothing to do.\n' : formatPlan(outcome.plan))
  return 0
}

/** Finds the project (by default without reading it), makes the change with its progress drawn, and returns the exit code. */
export const change = async (
  context: Context,
  dryRun: boolean,
  act: (engine: Engine, target: ProjectTarget) => Promise<Outcome>,
  find: (context: Context, engine: Engine) => Promise<ProjectTarget> = findTarget,
): Promise<number> => {
  if (!dryRun) requireRoot()
  const outcome = await withProgress(context, async (engine) => act(engine, await find(context, engine)))
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
