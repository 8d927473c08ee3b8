/** Carries a plan out: ports first, then the graph; what nothing took is given back. */
import { availableParallelism } from 'node:os'
import type { Project } from '../compose/project.ts'
import type { Plan } from '../plan/plan.ts'
import { trimJournal } from '../state/journal.ts'
import { forgetProject } from '../state/projects.ts'
import { readContainers } from '../state/snapshot.ts'
import { aborted, ChangeError } from './errors.ts'
import { execute } from './execute.ts'
import { perform } from './operations.ts'
import { giveBack, listenFirst } from './prelude.ts'
import { newId } from './reserve.ts'
import { type Run, subjectOf } from './run.ts'
import type { Session } from './session.ts'
import type { WorldRead } from './world.ts'

/** Most operations wait for a monitor: more of them than processors, but not hundreds at once. */
const PARALLEL = Math.max(16, availableParallelism() * 4)

const idsOf = (plan: Plan): ReadonlyMap<string, string> =>
  new Map(
    plan.nodes.flatMap(({ operation }) =>
      operation.kind === 'createContainer' ? [[operation.name, newId()] as const] : [],
    ),
  )

/** Throws ChangeError with everything that failed; what was done by then stays done. */
export const carryOut = async (
  session: Session,
  plan: Plan,
  world: WorldRead,
  model: Project | undefined,
  signal?: AbortSignal,
): Promise<void> => {
  const run: Run = {
    ...{ session, project: plan.project, model, plan, signal },
    records: new Map(world.containers.map(({ record }) => [record.id, record])),
    networks: new Map(world.networks.map((network) => [network.name, network])),
    ids: idsOf(plan),
    ...{ reservations: new Map(), ports: new Map(), built: new Map() },
  }
  const execution = {
    perform: (node: Plan['nodes'][number]) => perform(run, node),
    ...{ subjectOf: subjectOf(model), emit: session.emit, parallel: PARALLEL, signal },
  }
  try {
    await listenFirst(run)
    const errors = await execute(plan, execution)
    if (errors.length > 0) throw new ChangeError(errors)
    if (signal?.aborted) throw aborted()
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
