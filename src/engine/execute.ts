/** Executes a plan: as parallel as its edges allow, up to a bound. It decides nothing; it follows edges and reports. */
import { CaissonError } from '../errors.ts'
import type { Plan, PlanNode } from '../plan/plan.ts'
import type { Emit, Subject } from './events.ts'

type Result = 'done' | 'failed' | 'skipped'

export interface Execution {
  readonly perform: (node: PlanNode) => Promise<void>
  readonly subjectOf: (node: PlanNode) => Subject
  readonly emit: Emit
  /** Operations at work at once, at least 1. */
  readonly parallel: number
  /** Once it fires, what has not begun is skipped without a word. */
  readonly signal?: AbortSignal | undefined
}

/** Monotonic. Not `performance.now()`: the first use of that global loads 3 ms of modules. */
const milliseconds = (): number => {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

/** At most `limit` at once; the others wait in order. */
const limiter = (limit: number) => {
  let free = limit
  const queue: (() => void)[] = []
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free === 0) await new Promise<void>((resolve) => queue.push(resolve))
    else free -= 1
    try {
      return await work()
    } finally {
      const next = queue.shift()
      if (next === undefined) free += 1
      else next()
    }
  }
}

const asError = (error: unknown): CaissonError =>
  error instanceof CaissonError
    ? error
    : new CaissonError('EINTERNAL', error instanceof Error ? error.message : String(error), { cause: error })

/** What the results before a node mean for it: go, or how it ends without being done. */
const verdict = (plan: Plan, node: PlanNode, results: readonly Result[], execution: Execution) => {
  for (const [index, { node: before, onFailure }] of node.after.entries()) {
    if (results[index] === 'done') continue
    if (onFailure !== 'warn') return { because: before, result: onFailure === 'abort' ? 'failed' : 'skipped' } as const
    const failed = plan.nodes[before]
    if (failed === undefined) continue
    const message = `${execution.subjectOf(node).name} goes on although ${execution.subjectOf(failed).name} failed`
    execution.emit({ kind: 'warning', code: 'engine/went-on', message, hint: undefined, path: undefined })
  }
  return undefined
}

/** Runs every node that its edges let run; the errors in the order of failing. Never throws. */
export const execute = async (plan: Plan, execution: Execution): Promise<readonly CaissonError[]> => {
  const { perform, subjectOf, emit, signal } = execution
  const limited = limiter(execution.parallel)
  const errors: CaissonError[] = []
  const results: Promise<Result>[] = []
  const run = async (node: PlanNode): Promise<Result> => {
    const before = await Promise.all(node.after.map((edge) => results[edge.node] ?? Promise.resolve('done' as const)))
    if (signal?.aborted) return 'skipped'
    const subject = subjectOf(node)
    const ended = verdict(plan, node, before, execution)
    if (ended !== undefined) {
      emit({ kind: 'skipped', node, subject, because: ended.because })
      return ended.result
    }
    return limited(async () => {
      if (signal?.aborted) return 'skipped'
      const startedAt = milliseconds()
      emit({ kind: 'started', node, subject })
      try {
        await perform(node)
        emit({ kind: 'done', node, subject, milliseconds: milliseconds() - startedAt })
        return 'done'
      } catch (caught) {
        const error = asError(caught)
        errors.push(error)
        emit({ kind: 'failed', node, subject, error })
        return 'failed'
      }
    })
  }
  for (const node of plan.nodes) results.push(run(node))
  await Promise.all(results)
  return errors
}
