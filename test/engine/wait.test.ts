import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Clock } from '../../src/engine/clock.ts'
import type { Sight } from '../../src/engine/judge.ts'
import { type Outcome, waitUntil } from '../../src/engine/wait.ts'
import type { Condition } from '../../src/monitor/client.ts'
import type { WaitCondition } from '../../src/plan/plan.ts'

/** Time that passes when it is told to. */
class FakeClock implements Clock {
  #now = 0
  #timers: { at: number; then: () => void }[] = []
  now = () => this.#now
  after = (ms: number, then: () => void) => {
    const timer = { at: this.#now + ms, then }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer)
    }
  }
  pass(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#now = next.at
      this.#timers = this.#timers.filter((each) => each !== next)
      next.then()
    }
    this.#now = end
  }
  get pending(): number {
    return this.#timers.length
  }
}

const RUNNING: Condition = { state: 'running', health: 'none', restarts: 0, exitCode: 0 }
const STARTING: Condition = { ...RUNNING, health: 'starting' }
const ended = (code: number, values: Partial<Extract<Sight, { kind: 'ended' }>> = {}): Sight => ({
  ...{ kind: 'ended', stopped: false, restarts: 0 },
  exit: { code, signal: 0, oomKilled: false },
  ...values,
})

/** A container whose monitor says what the test says. */
const scene = (goal: WaitCondition, first: Condition | undefined, options: { deadline?: number } = {}) => {
  const clock = new FakeClock()
  const said: string[] = []
  const abort = new AbortController()
  let change: (now: Condition) => void = () => {}
  let close: () => void = () => {}
  let now = first
  let sight: Sight | undefined = { kind: 'idle' }
  const outcome: Promise<Outcome> = waitUntil(
    goal,
    {
      connect: async (onChange) => {
        if (now === undefined) return undefined
        change = onChange
        return { now, closed: new Promise<void>((resolve) => (close = resolve)), close: () => {} }
      },
      look: () => sight,
      probes: () => '2 failed probes: refused',
    },
    {
      ...{ clock, deadline: options.deadline, signal: abort.signal },
      say: (message, isReminder) => said.push(isReminder ? `! ${message}` : message),
    },
  )
  outcome.catch(() => {})
  return {
    ...{ clock, said, abort, outcome },
    change: (next: Condition) => change(next),
    /** Its monitor goes; what its files say then. */
    go: (then: Sight | undefined) => {
      now = undefined
      sight = then
      close()
    },
    appear: (next: Condition) => {
      now = next
    },
    see: (then: Sight | undefined) => {
      sight = then
    },
  }
}
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('health is met when it says so, by an event', async () => {
  const { outcome, change, clock } = scene('healthy', STARTING)
  await settle()
  change({ ...STARTING, health: 'healthy' })
  assert.equal(await outcome, { kind: 'met' })
  assert.is(clock.pending, 0)
})

test('unhealthy is a failure at once', async () => {
  const { outcome, change } = scene('healthy', STARTING)
  await settle()
  change({ ...STARTING, health: 'unhealthy' })
  assert.equal(await outcome, { kind: 'failed', how: 'is unhealthy', exit: undefined })
})

test('an end before it was healthy is a failure, however it ended', async () => {
  const how = async (sight: Sight) => {
    const { outcome, go } = scene('healthy', STARTING)
    await settle()
    go(sight)
    const result = await outcome
    return result.kind === 'failed' ? result.how : result.kind
  }
  assert.is(await how(ended(3)), 'exited with code 3 before it was healthy')
  assert.is(await how(ended(0)), 'exited with code 0 before it was healthy')
  assert.is(await how(ended(1, { restarts: 3 })), 'exited with code 1 after 3 restarts before it was healthy')
  const killed = { code: 139, signal: 11, oomKilled: false }
  assert.is(await how(ended(139, { exit: killed })), 'was killed by SIGSEGV before it was healthy')
  assert.is(
    await how(ended(137, { exit: { ...killed, oomKilled: true } })),
    'was killed for lack of memory before it was healthy',
  )
  assert.is(await how(ended(0, { stopped: true })), 'was stopped by another command before it was healthy')
  assert.is(await how({ kind: 'gone' }), 'was removed by another command')
  assert.is(await how({ kind: 'lost' }), 'has lost its monitor')
})

test('what its policy restarts is waited for, until the policy gives up', async () => {
  const { outcome, change, go, said } = scene('healthy', STARTING)
  await settle()
  change({ ...STARTING, state: 'restarting', restarts: 1, exitCode: 2 })
  change({ ...STARTING, restarts: 1, exitCode: 2 })
  go(ended(2, { restarts: 2 }))
  assert.is((await outcome).kind, 'failed')
  assert.equal(said, [
    'to be healthy (starting, 2 failed probes: refused)',
    'to be healthy (restarting after exit code 2, 1 restart, 2 failed probes: refused)',
    'to be healthy (starting, 1 restart, 2 failed probes: refused)',
  ])
})

test('completion is an end with 0, also of one that its policy ran again', async () => {
  const first = scene('completed', RUNNING)
  await settle()
  first.go(ended(0))
  assert.is((await first.outcome).kind, 'met')
  const second = scene('completed', RUNNING)
  await settle()
  second.go(ended(4))
  assert.equal(await second.outcome, {
    ...{ kind: 'failed', how: 'exited with code 4, so it did not complete' },
    exit: { code: 4, signal: 0, oomKilled: false },
  })
  const third = scene('completed', { ...RUNNING, state: 'restarting', exitCode: 1 })
  await settle()
  third.change({ ...RUNNING, state: 'restarting', restarts: 1, exitCode: 0 })
  assert.is((await third.outcome).kind, 'met')
})

test('running is met by what runs and by what has ended well', async () => {
  const steady = scene('running', RUNNING)
  await settle()
  steady.clock.pass(300)
  assert.is((await steady.outcome).kind, 'met')
  const done = scene('running', undefined)
  done.see(ended(0))
  assert.is((await done.outcome).kind, 'met')
  const failed = scene('running', undefined)
  failed.see(ended(1))
  assert.is((await failed.outcome).kind, 'failed')
})

test('a process that fails at its start never ran, one that restarts may still come to', async () => {
  const brief = scene('running', RUNNING)
  await settle()
  brief.clock.pass(200)
  brief.go(ended(1))
  assert.is((await brief.outcome).kind, 'failed')
  const looping = scene('running', RUNNING)
  await settle()
  looping.clock.pass(200)
  looping.change({ ...RUNNING, state: 'restarting', exitCode: 1 })
  looping.clock.pass(1_000)
  looping.change({ ...RUNNING, restarts: 1, exitCode: 1 })
  looping.clock.pass(300)
  assert.is((await looping.outcome).kind, 'met')
})

test('a run that is only reserved is looked at again', async () => {
  const { outcome, see, appear, clock } = scene('healthy', undefined)
  see(undefined)
  await settle()
  appear({ ...STARTING, health: 'healthy' })
  clock.pass(10)
  assert.is((await outcome).kind, 'met')
})

test('reminders come after 5 s and then every 10 s', async () => {
  const { clock, said, abort } = scene('healthy', STARTING)
  await settle()
  clock.pass(26_000)
  assert.equal(
    said.filter((line) => line.startsWith('!')),
    [
      '! to be healthy (starting, 2 failed probes: refused)',
      '! to be healthy (starting, 2 failed probes: refused)',
      '! to be healthy (starting, 2 failed probes: refused)',
    ],
  )
  abort.abort()
})

test('the deadline ends it with what it was then', async () => {
  const { outcome, clock } = scene('healthy', STARTING, { deadline: 3_000 })
  await settle()
  clock.pass(3_000)
  assert.equal(await outcome, { kind: 'late', state: 'starting, 2 failed probes: refused' })
  assert.is(clock.pending, 0)
})

test('a signal ends it with its reason', async () => {
  const { outcome, abort, clock } = scene('healthy', STARTING)
  await settle()
  abort.abort(new Error('enough'))
  assert.is(await outcome.catch(({ message }) => message), 'enough')
  assert.is(clock.pending, 0)
})

test.run()
