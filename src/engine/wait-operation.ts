/** The operation that waits: a real container behind wait.ts, and the error with everything that is known where it fails. */
import { CaissonError } from '../errors.ts'
import { lastLines } from '../log/read.ts'
import { MonitorClient } from '../monitor/client.ts'
import type { Operation, PlanNode, WaitCondition } from '../plan/plan.ts'
import { containerPaths, runPaths } from '../state/layout.ts'
import type { HealthRecord } from '../state/records.ts'
import { readContainer, readHealth } from '../state/snapshot.ts'
import { clock } from './clock.ts'
import { type ExitFacts, type FailureFacts, ServiceError } from './errors.ts'
import type { Sight } from './judge.ts'
import { type Run, subjectOf } from './run.ts'
import type { Session } from './session.ts'
import { type Watched, waitUntil } from './wait.ts'

type WaitOperation = Extract<Operation, { kind: 'waitContainer' }>

const OUTPUT_LINES = 20

/** `3 failed probes: connection refused` */
export const describeProbes = (health: HealthRecord | undefined): string => {
  if (health === undefined || health.failingStreak === 0) return ''
  const output = health.log.at(-1)?.output.trim().split('\n')[0] ?? ''
  const count = health.failingStreak === 1 ? '1 failed probe' : `${health.failingStreak} failed probes`
  return output === '' ? count : `${count}: ${output.slice(0, 200)}`
}

const lookAt = (session: Session, id: string): Sight | undefined => {
  const now = readContainer(session.roots, id, session.isAlive)
  if (now === undefined) return { kind: 'gone' }
  if (now.alive) return undefined
  if (now.hasRun || now.cutOff) return { kind: 'lost' }
  if (now.status === undefined) return { kind: 'idle' }
  const { exitCode: code, signal, oomKilled, stopped, restarts } = now.status
  return { kind: 'ended', exit: { code, signal, oomKilled }, stopped, restarts }
}

const connect = async (session: Session, id: string, onChange: Parameters<Watched['connect']>[0]) => {
  try {
    const monitor = await MonitorClient.connect(runPaths(session.roots, id).control)
    monitor.watch(onChange)
    return { now: await monitor.hello, closed: monitor.closed, close: () => monitor.close() }
  } catch (error) {
    if (error instanceof CaissonError && error.code === 'EMONITORGONE') return undefined
    throw error
  }
}

/** Its health is kept as it was last seen: it goes with the run. */
const watch = (session: Session, id: string) => {
  let health: HealthRecord | undefined
  const readAgain = () => {
    health = readHealth(session.roots, id) ?? health
    return health
  }
  const watched: Watched = {
    connect: (onChange) => connect(session, id, onChange),
    look: () => lookAt(session, id),
    probes: () => describeProbes(readAgain()),
  }
  return { watched, readAgain }
}

/** What a container left behind that failed. */
export const factsOf = (
  session: Session,
  id: string,
  exit: ExitFacts | undefined,
  health: HealthRecord | undefined,
): FailureFacts => ({
  exit,
  healthLog: health?.log ?? [],
  output: lastLines(session.binding, containerPaths(session.roots, id).log, OUTPUT_LINES),
})

const NOT_YET: Readonly<Record<WaitCondition, string>> = {
  healthy: 'is not healthy',
  completed: 'has not completed',
  running: 'does not run',
}

const inSeconds = (ms: number): string => `${Math.max(0, Math.round(ms / 100) / 10)} s`

export const waitContainer = async (run: Run, operation: WaitOperation, node: PlanNode): Promise<void> => {
  const { session, deadline, signal } = run
  const { service, name, condition } = operation
  const id = operation.container ?? run.ids.get(name)
  if (id === undefined) throw new CaissonError('ENOCONTAINER', `container ${name} was not created`)
  run.countedOn.add(id, name)
  const { watched, readAgain } = watch(session, id)
  const subject = subjectOf(run.model)(node)
  const say = (message: string, isReminder: boolean) =>
    session.emit({ kind: 'waiting', node, subject, message, isReminder })
  const began = clock.now()
  const outcome = await waitUntil(condition, watched, { clock, deadline, signal, say })
  if (outcome.kind === 'met') return run.countedOn.add(id, name, condition !== 'completed')
  const exit = outcome.kind === 'failed' ? outcome.exit : undefined
  const facts = factsOf(session, id, exit, readAgain())
  if (outcome.kind === 'late') {
    const message = `service ${service}: ${name} ${NOT_YET[condition]} after ${inSeconds(clock.now() - began)} (${outcome.state})`
    throw new ServiceError({ service, container: name }, message, { code: 'EWAITTIMEOUT', facts })
  }
  const probes = outcome.exit === undefined && condition === 'healthy' ? describeProbes(readAgain()) : ''
  const message = `service ${service}: ${name} ${outcome.how}${probes === '' ? '' : ` (${probes})`}`
  throw new ServiceError({ service, container: name }, message, { facts })
}
