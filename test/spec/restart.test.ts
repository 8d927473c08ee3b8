import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { RestartPolicy, Service } from '../../src/compose/project.ts'
import { planOf } from './lowered.ts'

const restart = (values: Partial<RestartPolicy>, more: Partial<Service> = {}) =>
  planOf({
    service: {
      restart: { policy: 'always', maximumRetries: 0, delayMs: undefined, windowMs: undefined, ...values },
      ...more,
    },
  }).restart

test('no policy is none', () => {
  assert.is(planOf({}).restart.policy, 'no')
})

test('pauses are Docker`s unless the policy has its own, which is never so short that a crash loop takes a processor', () => {
  assert.equal([restart({}).delayMs, restart({}).windowMs], [0, 10_000])
  assert.equal([restart({ delayMs: 5000, windowMs: 60_000 }).delayMs, restart({ delayMs: 0 }).delayMs], [5000, 100])
})

test('what may configure its network gets a new one with each run', () => {
  assert.is(restart({}).freshNetwork, false)
  assert.is(restart({}, { capAdd: ['NET_ADMIN'] }).freshNetwork, true)
  assert.is(restart({}, { privileged: true }).freshNetwork, true)
})

test.run()
