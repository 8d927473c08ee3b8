/** Judging: whether a container is what is waited for, still may become it, or never will. Pure. */
import type { Condition } from '../monitor/client.ts'
import type { WaitCondition } from '../plan/plan.ts'
import { signalName } from '../units/signals.ts'
import type { ExitFacts } from './errors.ts'

/** What a waiter sees of a container. */
export type Sight =
  /** Its monitor lives. */
  | { readonly kind: 'alive'; readonly now: Condition }
  /** Its process has ended for good. `stopped`: a command asked for that. */
  | { readonly kind: 'ended'; readonly exit: ExitFacts; readonly stopped: boolean; readonly restarts: number }
  /** It was created and nobody starts it. */
  | { readonly kind: 'idle' }
  /** Its monitor was killed. */
  | { readonly kind: 'lost' }
  /** It was removed. */
  | { readonly kind: 'gone' }

export type Judgement =
  | { readonly kind: 'met' }
  /** `state`: what it is now, for whoever wonders. */
  | { readonly kind: 'pending'; readonly state: string }
  /** `how` completes "shop-db-1 …". */
  | { readonly kind: 'failed'; readonly how: string; readonly exit: ExitFacts | undefined }

const MET: Judgement = { kind: 'met' }
const pending = (state: string): Judgement => ({ kind: 'pending', state })
const failed = (how: string, exit?: ExitFacts): Judgement => ({ kind: 'failed', how, exit })

/** `exited with code 3`, `was killed by SIGSEGV`. */
export const howItEnded = ({ code, signal, oomKilled }: ExitFacts): string => {
  if (oomKilled) return 'was killed for lack of memory'
  return signal === 0 ? `exited with code ${code}` : `was killed by ${signalName(signal)}`
}

const times = (count: number): string => (count === 1 ? '1 restart' : `${count} restarts`)

/** A process of it ended well: the policy may run it again, but its work was done. */
const hasCompleted = ({ state, restarts, exitCode }: Condition): boolean =>
  exitCode === 0 && (state === 'restarting' || restarts > 0)

const judgeAlive = (goal: WaitCondition, now: Condition): Judgement => {
  if (goal === 'completed' && hasCompleted(now)) return MET
  if (now.state === 'restarting') return pending(`restarting after exit code ${now.exitCode}, ${times(now.restarts)}`)
  if (now.state === 'paused') return goal === 'running' ? MET : pending('paused')
  if (now.state === 'exited') return pending('ending')
  if (now.state !== 'running') return pending('being started')
  const again = now.restarts > 0 ? `, ${times(now.restarts)}` : ''
  if (goal === 'running' && now.health === 'none') return MET
  if (goal === 'completed') return pending(`running${again}`)
  if (now.health === 'healthy') return MET
  if (now.health === 'unhealthy') return failed('is unhealthy')
  if (now.health === 'none') return failed('has no health check')
  return pending(`${now.health}${again}`)
}

const BEFORE: Readonly<Record<WaitCondition, string>> = {
  healthy: ' before it was healthy',
  completed: ', so it did not complete',
  running: '',
}

export const judge = (goal: WaitCondition, sight: Sight): Judgement => {
  switch (sight.kind) {
    case 'alive':
      return judgeAlive(goal, sight.now)
    case 'idle':
      return failed('was not started')
    case 'lost':
      return failed('has lost its monitor')
    case 'gone':
      return failed('was removed by another command')
    case 'ended': {
      const { exit, stopped, restarts } = sight
      if (goal !== 'healthy' && exit.code === 0 && !stopped) return MET
      if (stopped) return failed(`was stopped by another command${BEFORE[goal]}`, exit)
      return failed(`${howItEnded(exit)}${restarts > 0 ? ` after ${times(restarts)}` : ''}${BEFORE[goal]}`, exit)
    }
  }
}
