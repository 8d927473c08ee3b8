/** Waiting for one container: by the events of its monitor, with a deadline, and with words about why it takes so long. */
import type { Condition } from '../monitor/client.ts'
import type { WaitCondition } from '../plan/plan.ts'
import type { Clock } from './clock.ts'
import { type Judgement, judge, type Sight } from './judge.ts'

/** A container as waiting needs it. */
export interface Watched {
  /** undefined: nobody answers. `onChange` hears of every change after `now`; `closed` when its monitor has gone. */
  readonly connect: (
    onChange: (now: Condition) => void,
  ) => Promise<{ readonly now: Condition; readonly closed: Promise<void>; readonly close: () => void } | undefined>
  /** Where nobody answers; undefined: somebody is about to. */
  readonly look: () => Sight | undefined
  /** What its probes said: `3 failed probes: connection refused`; empty: nothing. */
  readonly probes: () => string
}

export interface Patience {
  readonly clock: Clock
  /** Of that clock; undefined: none. */
  readonly deadline: number | undefined
  /** Ends it; the promise is rejected with its reason. */
  readonly signal: AbortSignal | undefined
  readonly say: (message: string, isReminder: boolean) => void
}

export type Outcome =
  | Exclude<Judgement, { readonly kind: 'pending' }>
  /** The deadline came first. */
  | { readonly kind: 'late'; readonly state: string }

const TO_BE: Readonly<Record<WaitCondition, string>> = {
  healthy: 'to be healthy',
  completed: 'to complete',
  running: 'to run',
}

const FIRST_REMINDER_MS = 5_000
const REMINDER_MS = 10_000
/** What runs has to go on running for as long: a process that fails at its start has not come up. */
const STEADY_MS = 300
/** Between the lock of a run and its monitor's socket there is no event to wait for. */
const CONNECT_AGAIN_MS = 10

/** One wait, from its first look to its end. */
class Waiting {
  readonly outcome: Promise<Outcome>
  readonly #goal: WaitCondition
  readonly #watched: Watched
  readonly #patience: Patience
  #resolve: (outcome: Outcome) => void = () => {}
  #reject: (reason: unknown) => void = () => {}
  #state = 'being started'
  #isOver = false
  readonly #cleanups: (() => void)[] = [() => this.#unsteady()]
  /** Calls the end off that comes when nothing changes. */
  #unsteady: () => void = () => {}

  constructor(goal: WaitCondition, watched: Watched, patience: Patience) {
    this.#goal = goal
    this.#watched = watched
    this.#patience = patience
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  begin(): void {
    const { clock, deadline, signal } = this.#patience
    if (signal?.aborted) {
      this.#fail(signal.reason)
      return
    }
    const onAbort = () => this.#fail(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#cleanups.push(() => signal?.removeEventListener('abort', onAbort))
    this.#remindAfter(FIRST_REMINDER_MS)
    this.#follow().catch((error: unknown) => this.#fail(error))
    if (deadline !== undefined) {
      const late = () => this.#end({ kind: 'late', state: this.#describe() })
      this.#cleanups.push(clock.after(deadline - clock.now(), late))
    }
  }

  async #follow(): Promise<void> {
    while (!this.#isOver) {
      const link = await this.#watched.connect((now) => this.#see({ kind: 'alive', now }))
      if (link !== undefined) {
        this.#cleanups.push(link.close)
        if (this.#isOver) return link.close()
        this.#see({ kind: 'alive', now: link.now })
        await link.closed
        continue
      }
      const sight = this.#watched.look()
      if (sight !== undefined) return this.#see(sight)
      await new Promise<void>((resolve) => this.#patience.clock.after(CONNECT_AGAIN_MS, resolve))
    }
  }

  #see(sight: Sight): void {
    if (this.#isOver) return
    this.#unsteady()
    const judgement = judge(this.#goal, sight)
    if (judgement.kind === 'pending') {
      this.#state = judgement.state
      this.#say(false)
    } else if (this.#goal === 'running' && judgement.kind === 'met' && sight.kind === 'alive') {
      this.#state = 'just started'
      this.#unsteady = this.#patience.clock.after(STEADY_MS, () => this.#end(judgement))
    } else this.#end(judgement)
  }

  #describe(): string {
    const probes = this.#watched.probes()
    return probes === '' || this.#goal !== 'healthy' ? this.#state : `${this.#state}, ${probes}`
  }

  #say(isReminder: boolean): void {
    this.#patience.say(`${TO_BE[this.#goal]} (${this.#describe()})`, isReminder)
  }

  #remindAfter(ms: number): void {
    const remind = () => {
      this.#say(true)
      this.#remindAfter(REMINDER_MS)
    }
    const cancel = this.#patience.clock.after(ms, remind)
    this.#cleanups.push(cancel)
  }

  #over(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    for (const cleanup of this.#cleanups.splice(0)) cleanup()
    return true
  }

  #end(outcome: Outcome): void {
    if (this.#over()) this.#resolve(outcome)
  }

  #fail(reason: unknown): void {
    if (this.#over()) this.#reject(reason)
  }
}

export const waitUntil = (goal: WaitCondition, watched: Watched, patience: Patience): Promise<Outcome> => {
  const waiting = new Waiting(goal, watched, patience)
  waiting.begin()
  return waiting.outcome
}
