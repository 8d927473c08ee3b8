/** Executes a plan: as parallel as its edges allow, up to a bound. It decides nothing; it follows edges and reports. */
import { CaissonError } from '../errors.ts'
import type { Operation, Plan, PlanNode } from '../plan/plan.ts'
import { milliseconds } from './clock.ts'
import type { Emit, Subject } from './events.ts'

type Result = 'done' | 'failed' | 'skipped'

export interface Execution {
  readonly perform: (node: PlanNode) => Promise<void>
  readonly subjectOf: (node: PlanNode) => Subject
  readonly emit: Emit
  /** Around everything that changes something: the right to do so is this function's matter. Waiting is outside of it. */
  readonly changing: <T>(work: () => Promise<T>) => Promise<T>
  /** Operations at work at once, at least 1. Those that only wait do not count. */
  readonly parallel: number
  /** Once it fires, what has not begun is skipped without a word. */
  readonly signal?: AbortSignal | undefined
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

/** A node's end, and where it is none of its own, the failed node that it comes from. */
interface Ended {
  readonly result: Result
  readonly error?: CaissonError
  readonly culprit?: PlanNode
}

const DONE: Ended = { result: 'done' }

/** Nobody insists on it: whoever comes after goes on, with a warning. */
const isOptional = (operation: Operation): boolean => operation.kind === 'waitContainer' && operation.optional

/** What the ends before a node mean for it: go, or how it ends without being done. */
const verdict = (node: PlanNode, before: readonly Ended[], { subjectOf, emit }: Execution) => {
  for (const [index, { node: because, onFailure }] of node.after.entries()) {
    const { result, culprit, error } = before[index] ?? DONE
    if (result === 'done' || culprit === undefined) continue
    if (onFailure !== 'warn') return { because, culprit, result: onFailure === 'abort' ? 'failed' : 'skipped' } as const
    const reason = error?.message ?? `${subjectOf(culprit).name} failed`
    const message = `optional dependency: ${reason}; ${subjectOf(node).name} goes on`
    emit({ kind: 'warning', code: 'engine/went-on', message, hint: undefined, path: undefined })
  }
  return undefined
}

/** Carries one node out, and says so. */
const carryOutNode = async (node: PlanNode, { perform, subjectOf, emit }: Execution): Promise<Ended> => {
  const subject = subjectOf(node)
  const startedAt = milliseconds()
  emit({ kind: 'started', node, subject })
  try {
    await perform(node)
    emit({ kind: 'done', node, subject, milliseconds: milliseconds() - startedAt })
    return DONE
  } catch (caught) {
    const error = asError(caught)
    emit({ kind: 'failed', node, subject, error })
    return { result: 'failed', error, culprit: node }
  }
}

/** Runs every node that its edges let run; the errors in the order of failing, each once. Never throws. */
export const execute = async (plan: Plan, execution: Execution): Promise<readonly CaissonError[]> => {
  const { subjectOf, emit, signal, changing } = execution
  const limited = limiter(execution.parallel)
  const errors = new Set<CaissonError>()
  const ends: Promise<Ended>[] = []
  const unlessAborted = async (node: PlanNode): Promise<Ended> =>
    signal?.aborted ? { result: 'skipped' } : carryOutNode(node, execution)
  const change = async (node: PlanNode): Promise<Ended> => {
    try {
      return await changing(() => limited(() => unlessAborted(node)))
    } catch (caught) {
      const error = asError(caught) // not even begun: the project is not ours to change any more
      emit({ kind: 'failed', node, subject: subjectOf(node), error })
      return { result: 'failed', error, culprit: node }
    }
  }
  const run = async (node: PlanNode): Promise<Ended> => {
    const before = await Promise.all(node.after.map((edge) => ends[edge.node] ?? Promise.resolve(DONE)))
    if (signal?.aborted) return { result: 'skipped' }
    const skipped = verdict(node, before, execution)
    if (skipped !== undefined) {
      const { because, culprit, result } = skipped
      emit({ kind: 'skipped', node, subject: subjectOf(node), because, culprit: subjectOf(culprit) })
      return { result, culprit }
    }
    const ended = node.operation.kind === 'waitContainer' ? await unlessAborted(node) : await change(node)
    if (ended.error !== undefined && !isOptional(node.operation)) errors.add(ended.error)
    return ended
  }
  for (const node of plan.nodes) ends.push(run(node))
  await Promise.all(ends)
  return [...errors]
}
