/** run: a one-off container of a service, through the plan and the operations of `up`. */
import { randomBytes } from 'node:crypto'
import type { Project } from '../compose/project.ts'
import { CaissonError } from '../errors.ts'
import { oneOffName, oneOffService, reconcileTakeBack, withOneOff } from '../plan/one-off.ts'
import type { Plan } from '../plan/plan.ts'
import { attachment } from './attachment.ts'
import { carryOut, forgetEmptyProject } from './carry-out.ts'
import { ChangeError, ExecError, ServiceError } from './errors.ts'
import type { Emit } from './events.ts'
import type { Attach } from './launch.ts'
import { changing, withSession } from './session.ts'
import type { RunOptions, RunOutcome } from './process-types.ts'
import type { EngineOptions } from './types.ts'
import { readContainers } from '../state/snapshot.ts'
import { undoContainer } from './undo.ts'
import { up } from './up.ts'
import { readWorld } from './world.ts'

const SLUG_BYTES = 6

/** What kept a program from being executed, as `exec` tells it; undefined: it was something else. */
const execCode = (error: unknown): 126 | 127 | undefined => {
  if (!(error instanceof ServiceError)) return undefined
  const { cause } = error
  if (!(cause instanceof CaissonError) || !('step' in cause) || cause.step !== 'exec') return undefined
  return cause.code === 'ENOENT' ? 127 : 126
}

/** Everything that went wrong, with the exit code of `docker run`: 127 no such program, 126 not executable, 125 the rest. */
const runError = (error: unknown, name: string): unknown => {
  if (!(error instanceof ChangeError)) return error
  const own = error.errors.find((one) => one instanceof ServiceError && one.container === name)
  const hint = (own ?? error.errors[0])?.hint
  return new ExecError(execCode(own) ?? 125, error.message, { cause: error, ...(hint === undefined ? {} : { hint }) })
}

/** Lets `emit` have everything but the one-off's own coming to life: its output is what the user waits for. */
const quietly =
  (emit: Emit, resource: string, onPlan: (plan: Plan) => void): Emit =>
  (event) => {
    if (event.kind === 'planned') onPlan(event.plan)
    if (!('node' in event) || event.node.resource !== resource) emit(event)
  }

/** Waits for nothing but the lock: what was started is taken down whatever became of the one-off. */
const takeBack = (engine: EngineOptions, project: string, made: Plan, except: string) =>
  withSession(engine, (session) =>
    changing(session, project, async (turn) => {
      const { world, plan } = await turn.changing(async () => {
        const world = await readWorld(session, project)
        return { world, plan: reconcileTakeBack(project, world.observed, made, except) }
      })
      engine.emit({ kind: 'planned', plan })
      await carryOut({ session, plan, world, turn, model: undefined })
      await turn.changing(async () => forgetEmptyProject(session, project))
    }),
  )

/** A start that failed after it had to wait leaves a container that has never run. */
const dropUnstarted = (engine: EngineOptions, project: string, name: string) =>
  withSession(engine, (session) =>
    changing(session, project, (turn) =>
      turn.changing(async () => {
        const { containers } = readContainers(session.roots, project, session.isAlive)
        const left = containers.find(({ record }) => record.oneOff && record.name === name)
        if (left !== undefined && !left.alive && !left.status?.startedAt) await undoContainer(session, left.record.id)
        forgetEmptyProject(session, project)
      }),
    ),
  )

const oneOffOf = (project: Project, options: RunOptions) => {
  const service = project.services[options.service]
  if (service === undefined) throw new CaissonError('ENOSERVICE', `no such service: ${options.service}`)
  const name = options.name ?? oneOffName(project.name, service.name, randomBytes(SLUG_BYTES).toString('hex'))
  const changed = withOneOff(project, oneOffService(service, name, options.request), options.request.mounts)
  return { name, ...changed }
}

export const run = async (engine: EngineOptions, project: Project, options: RunOptions): Promise<RunOutcome> => {
  const { service, autoRemove, onAttached, dryRun, noDeps, removeOrphans, lenient } = options
  const { name, project: changed, volumes } = oneOffOf(project, options)
  let made: Plan | undefined
  const emit = quietly(engine.emit, `service:${service}:run`, (plan) => {
    made = plan
  })
  const attach: Attach = async ({ record, monitor }) => {
    if (record.name !== name || onAttached === undefined) return false
    await onAttached(attachment(record, monitor, true))
    return true
  }
  const takeDown = async () => {
    if (made !== undefined && !dryRun) await takeBack(engine, project.name, made, name)
  }
  try {
    const { plan } = await up({ ...engine, emit }, changed, {
      ...{
        services: [service],
        pull: options.pull,
        quietPull: options.quietPull,
        noDeps,
        removeOrphans,
        lenient,
        dryRun,
        ignoreOrphans: true,
        noStart: false,
      },
      ...{ forceRecreate: false, noRecreate: false, alwaysRecreateDeps: false, renewAnonymousVolumes: false },
      ...{ scale: {}, timeoutMs: undefined, wait: false, waitTimeoutMs: undefined, rerun: [], attached: false },
      ...{ oneOff: { service, autoRemove, volumes }, attach },
    })
    return { plan, name, takeDown }
  } catch (error) {
    if (error instanceof ChangeError) await dropUnstarted(engine, project.name, name)
    if (options.down) await takeDown()
    throw runError(error, name)
  }
}
