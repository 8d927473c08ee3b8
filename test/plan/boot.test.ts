import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Service } from '../../src/compose/project.ts'
import { reconcileBoot } from '../../src/plan/boot.ts'
import type { ObservedContainer } from '../../src/plan/observed.ts'
import { formatPlan } from '../../src/plan/plan.ts'
import { container, joined, made, needs, network, observed, service } from './models.ts'

type Policy = NonNullable<Service['restart']>['policy']
const restart = (policy: Policy): Pick<Service, 'restart'> => ({
  restart: { policy, maximumRetries: 0, delayMs: undefined, windowMs: undefined },
})

const booted = (name: string, values: Partial<Service>, state: Partial<ObservedContainer>) =>
  container(service(name, values), 1, state)

const plan = (...containers: ObservedContainer[]) => `\n${formatPlan(reconcileBoot('shop', observed({ containers })))}`

test('always comes back, unless-stopped where nobody stopped it, others do not', () => {
  assert.is(
    plan(
      booted('a', restart('always'), { state: 'exited', stopped: true }),
      booted('b', restart('unless-stopped'), { state: 'exited', stopped: false }),
      booted('c', restart('unless-stopped'), { state: 'exited', stopped: true }),
      booted('d', restart('on-failure'), { state: 'exited', exitCode: 1 }),
      booted('e', {}, { state: 'lost' }),
    ),
    `
[] -> #0 service:a:1: startContainer shop-a-1 (restart: always)
[] -> #1 service:b:1: startContainer shop-b-1 (restart: unless-stopped)
`,
  )
})

test('what runs, and what never ran, is left alone', () => {
  assert.is(plan(booted('a', restart('always'), {}), booted('b', restart('always'), { state: 'created' })), '\n')
})

test('the lost are recovered, their networks restored, and dependencies go first but hold nobody up', () => {
  const needy = { ...restart('always'), ...joined('default'), dependsOn: needs('store') }
  const containers = [
    booted('api', needy, { state: 'lost' }),
    booted('store', { ...restart('always'), ...joined('default') }, { state: 'lost' }),
  ]
  const networks = [{ ...made(network('default')), present: false }]
  assert.is(
    `\n${formatPlan(reconcileBoot('shop', observed({ containers, networks })))}`,
    `
[] -> #0 service:store:1: recoverContainer shop-store-1 (its monitor died)
[] -> #1 service:api:1: recoverContainer shop-api-1 (its monitor died)
[] -> #2 network:default: restoreNetwork default (bridge is missing)
[0, 2] -> #3 service:store:1: startContainer shop-store-1 (restart: always)
[1, 2, 3/warn] -> #4 service:api:1: startContainer shop-api-1 (restart: always)
`,
  )
})

test.run()
