/** Words of Compose for what an operation is doing and has done. */
import type { EngineEvent, Operation, Plan, PlanNode } from '../../index.ts'

type Words = readonly [doing: string, done: string]

const WORDS: Readonly<Record<Exclude<Operation['kind'], 'waitContainer'>, Words>> = {
  recoverContainer: ['Recovering', 'Recovered'],
  createNetwork: ['Creating', 'Created'],
  restoreNetwork: ['Restoring', 'Restored'],
  removeNetwork: ['Removing', 'Removed'],
  createVolume: ['Creating', 'Created'],
  removeVolume: ['Removing', 'Removed'],
  createContainer: ['Creating', 'Created'],
  startContainer: ['Starting', 'Started'],
  stopContainer: ['Stopping', 'Stopped'],
  pauseContainer: ['Pausing', 'Paused'],
  unpauseContainer: ['Unpausing', 'Unpaused'],
  signalContainer: ['Killing', 'Killed'],
  removeContainer: ['Removing', 'Removed'],
}

const AWAITED: Readonly<Record<Extract<Operation, { kind: 'waitContainer' }>['condition'], string>> = {
  healthy: 'Healthy',
  completed: 'Exited',
  running: 'Running',
}

const wordsOf = (operation: Operation): Words => {
  if (operation.kind === 'waitContainer') return ['Waiting', AWAITED[operation.condition]]
  if (operation.kind === 'createContainer' && operation.replaces !== undefined) return ['Recreate', 'Recreated']
  return WORDS[operation.kind]
}

export const titleOf = (subject: { readonly noun: string; readonly name: string }): string =>
  `${subject.noun.charAt(0).toUpperCase()}${subject.noun.slice(1)} ${subject.name}`

/** What happens to one node of a plan. */
export type StepEvent = Extract<EngineEvent, { kind: 'started' | 'done' | 'failed' | 'skipped' | 'waiting' }>

/** Causes that only repeat the command, or that nobody wonders about. */
const PLAIN: ReadonlySet<string> = new Set([
  ...['stop', 'restart', 'down', 'down --volumes', 'kill', 'rm'],
  ...['not there yet', 'not started yet', 'created'],
])

const tellsWhy = (plan: Plan, { operation, resource, cause }: PlanNode): boolean => {
  if (PLAIN.has(cause)) return false
  if (operation.kind === 'createContainer') return operation.replaces !== undefined
  if (operation.kind === 'startContainer') return operation.container !== undefined
  const isMadeAnew = () =>
    plan.nodes.some((node) => node.resource === resource && node.operation.kind.startsWith('create'))
  return operation.kind === 'removeContainer' && !isMadeAnew()
}

/** Nodes whose cause is worth a word once they are done: why something is recreated, started again, removed. */
export const reasonsOf = (plan: Plan): ReadonlySet<number> =>
  new Set(plan.nodes.filter((node) => tellsWhy(plan, node)).map(({ id }) => id))

/** State of an operation's event in a word, with what there is to say beside it. `reasons`: of its plan. */
export const stateWords = (event: StepEvent, reasons: ReadonlySet<number>): string => {
  const [doing, done] = wordsOf(event.node.operation)
  switch (event.kind) {
    case 'started':
      return doing
    case 'waiting':
      return `${doing} ${event.message}`
    case 'done':
      return reasons.has(event.node.id) ? `${done} (${event.node.cause})` : done
    case 'failed':
      return 'Error'
    case 'skipped':
      return event.culprit.name === event.subject.name ? 'Skipped' : `Skipped (${event.culprit.name} failed)`
  }
}

/** `12ms`, `1.8s`. */
export const formatMilliseconds = (milliseconds: number): string =>
  milliseconds < 1000 ? `${Math.round(milliseconds)}ms` : `${(milliseconds / 1000).toFixed(1)}s`
