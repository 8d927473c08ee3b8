/** Changes of what exists: each observes, makes its plan, and carries it out. */
import type { Observed } from '../plan/observed.ts'
import { reconcileDown, reconcileKill, reconcileRemove, reconcileStop } from '../plan/change.ts'
import { reconcileRestart, reconcileStart } from '../plan/resume.ts'
import { reconcilePause, reconcileUnpause } from '../plan/pause.ts'
import type { Plan } from '../plan/plan.ts'
import { looksAlive, readContainers, readRun } from '../state/snapshot.ts'
import { pruneHostLayers } from '../image/host.ts'
import { carryOut, forgetEmptyProject } from './carry-out.ts'
import { changing, type Session, withSession } from './session.ts'
import { clock } from './clock.ts'
import type {
  ChangeOptions,
  DownOptions,
  EngineOptions,
  KillOptions,
  Outcome,
  ProjectTarget,
  RestartOptions,
  StartOptions,
} from './types.ts'
import { Turn } from './turn.ts'
import { removeProjectCgroups } from './undo.ts'
import { lookAtWorld, readWorld } from './world.ts'

type Reconcile = (observed: Observed) => Plan

/** A signal alone changes nothing that a lock guards, and has to reach what another change is waiting for. */
const withoutLock: typeof changing = (_session, _name, work) => work(new Turn(async () => ({ release: () => {} })))

/** Observes, plans and carries out, under the project's lock unless `hold` says otherwise. */
export const apply = async (
  engine: EngineOptions,
  target: ProjectTarget,
  dryRun: boolean,
  reconcile: Reconcile,
  after?: (session: Session) => Promise<void>,
  hold: typeof changing = changing,
  waitTimeoutMs?: number,
): Promise<Outcome> => {
  const deadline = waitTimeoutMs === undefined ? undefined : clock.now() + waitTimeoutMs
  if (dryRun) {
    const plan = reconcile(lookAtWorld(engine, target.name, looksAlive))
    engine.emit({ kind: 'planned', plan })
    return { plan }
  }
  return withSession(engine, (session) =>
    hold(session, target.name, async (turn) => {
      const { world, plan } = await turn.changing(async () => {
        const world = await readWorld(session, target.name)
        return { world, plan: reconcile(world.observed) }
      })
      engine.emit({ kind: 'planned', plan })
      try {
        await carryOut({ session, plan, world, turn, model: target.project, deadline })
      } finally {
        if (after !== undefined) await turn.changing(() => after(session))
      }
      return { plan }
    }),
  )
}

const pruneLayers = (session: Session) => {
  const { containers } = readContainers(session.roots, undefined, session.isAlive)
  const runs = containers.flatMap(({ alive, record }) => (alive ? [readRun(session.roots, record.id)] : []))
  pruneHostLayers(session.roots, new Set(runs.flatMap((run) => run?.layers ?? [])))
}

/** What the project itself leaves when its last container has gone. */
export const leaveProject = (name: string) => async (session: Session) => {
  pruneLayers(session)
  if (forgetEmptyProject(session, name)) removeProjectCgroups(session, name)
}

export const down = (engine: EngineOptions, target: ProjectTarget, options: DownOptions): Promise<Outcome> =>
  apply(
    engine,
    target,
    options.dryRun,
    (observed) => reconcileDown(target, observed, options),
    leaveProject(target.name),
  )

export const start = (engine: EngineOptions, target: ProjectTarget, options: StartOptions): Promise<Outcome> => {
  const reconcile = (observed: Observed) => reconcileStart(target, observed, options)
  return apply(engine, target, options.dryRun, reconcile, undefined, changing, options.waitTimeoutMs)
}

export const stop = (engine: EngineOptions, target: ProjectTarget, options: ChangeOptions): Promise<Outcome> =>
  apply(engine, target, options.dryRun, (observed) => reconcileStop(target, observed, options))

export const restart = (engine: EngineOptions, target: ProjectTarget, options: RestartOptions): Promise<Outcome> =>
  apply(engine, target, options.dryRun, (observed) => reconcileRestart(target, observed, options))

/** Freezing changes nothing that a lock guards either. */
const freeze =
  (reconcile: typeof reconcilePause) =>
  (engine: EngineOptions, target: ProjectTarget, options: ChangeOptions): Promise<Outcome> =>
    apply(engine, target, options.dryRun, (observed) => reconcile(target, observed, options), undefined, withoutLock)

export const pause = freeze(reconcilePause)
export const unpause = freeze(reconcileUnpause)

export const kill = (engine: EngineOptions, target: ProjectTarget, options: KillOptions): Promise<Outcome> =>
  apply(
    engine,
    target,
    options.dryRun,
    (observed) => reconcileKill(target, observed, options),
    undefined,
    options.removeOrphans ? changing : withoutLock,
  )

export const remove = (
  engine: EngineOptions,
  target: ProjectTarget,
  options: ChangeOptions & { readonly volumes: boolean },
): Promise<Outcome> =>
  apply(
    engine,
    target,
    options.dryRun,
    (observed) => reconcileRemove(target, observed, options),
    leaveProject(target.name),
  )
