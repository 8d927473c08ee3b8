/** Carries a plan out: ports first, then the graph; what nothing took is given back. */
import { availableParallelism } from 'node:os'
import type { Project } from '../compose/project.ts'
import type { Plan } from '../plan/plan.ts'
import { trimJournal } from '../state/journal.ts'
import { forgetProject } from '../state/projects.ts'
import { readContainers } from '../state/snapshot.ts'
import { aborted, ChangeError } from './errors.ts'
import { execute } from './execute.ts'
import { CountedOn } from './counted-on.ts'
import type { Attach } from './launch.ts'
import { perform } from './operations.ts'
import { giveBack, listenFirst } from './prelude.ts'
import { newId } from './reserve.ts'
import { type Run, subjectOf } from './run.ts'
import type { Session } from './session.ts'
import { summary } from './summary.ts'
import type { Turn } from './turn.ts'
import type { WorldRead } from './world.ts'

/** Most operations wait for a monitor: more of them than processors, but not hundreds at once. */
const PARALLEL = Math.max(16, availableParallelism() * 4)

const idsOf = (plan: Plan): ReadonlyMap<string, string> =>
  new Map(
    plan.nodes.flatMap(({ operation }) =>
      operation.kind === 'createContainer' ? [[operation.name, newId()] as const] : [],
    ),
  )

export interface Work {
  readonly session: Session
  readonly plan: Plan
  readonly world: WorldRead
  /** The lock is held, or was last held when `world` was read. */
  readonly turn: Turn
  readonly model: Project | undefined
  /** When all waiting ends; undefined: never. */
  readonly deadline?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly attach?: Attach | undefined
}

/** Ends waiting for whatever reason comes first: the caller's signal, or a turn that is lost. */
const whenToStop = (signal: AbortSignal | undefined): AbortController => {
  const stop = new AbortController()
  if (signal?.aborted) stop.abort(aborted())
  else signal?.addEventListener('abort', () => stop.abort(aborted()), { once: true })
  return stop
}

/** Throws ChangeError with everything that failed; what was done by then stays done. */
export const carryOut = async (work: Work): Promise<void> => {
  const { session, plan, world, turn, model, deadline, signal, attach } = work
  const stop = whenToStop(signal)
  const run: Run = {
    ...{ session, project: plan.project, model, plan, signal: stop.signal, deadline, attach },
    records: new Map(world.containers.map(({ record }) => [record.id, record])),
    networks: new Map(world.networks.map((network) => [network.name, network])),
    ids: idsOf(plan),
    ...{ reservations: new Map(), ports: new Map(), built: new Map(), countedOn: new CountedOn(plan) },
  }
  turn.hooks = {
    beforeRest: () => giveBack(run),
    afterRest: () => run.countedOn.check(session, plan.project),
    onLost: (error) => stop.abort(error),
  }
  const execution = {
    perform: (node: Plan['nodes'][number]) => perform(run, node),
    changing: <T>(work: () => Promise<T>) => turn.changing(work),
    ...{ subjectOf: subjectOf(model), emit: session.emit, parallel: PARALLEL, signal },
  }
  try {
    await turn.changing(() => listenFirst(run))
    const errors = await execute(plan, execution)
    if (signal?.aborted) throw aborted()
    if (errors.length > 0) throw new ChangeError(summary(errors))
  } finally {
    await giveBack(run)
    trimJournal(session.binding, session.roots)
  }
}

/** The project's record goes with its last container. */
export const forgetEmptyProject = (session: Session, project: string): boolean => {
  const isEmpty = readContainers(session.roots, project, session.isAlive).containers.length === 0
  if (isEmpty) forgetProject(session.roots, project)
  return isEmpty
}
