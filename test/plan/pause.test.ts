import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { reconcilePause, reconcileUnpause } from '../../src/plan/pause.ts'
import { formatPlan } from '../../src/plan/plan.ts'
import { container, observed, service } from './models.ts'

const [web, api, job] = [service('web'), service('api'), service('job')]
const world = observed({
  containers: [
    container(web),
    container(web, 2, { state: 'paused' }),
    container(api, 1, { state: 'restarting' }),
    container(job, 1, { state: 'exited' }),
  ],
})
const target = { name: 'shop', project: undefined }
const all = { services: [] }

test('pause takes what runs; of a whole project what is frozen already is left as it is', () => {
  assert.is(
    `\n${formatPlan(reconcilePause(target, world, all))}`,
    `
[] -> #0 service:api:1: pauseContainer shop-api-1 (pause)
[] -> #1 service:web:1: pauseContainer shop-web-1 (pause)
`,
  )
})

test('a service that is named is asked for as it is: the operation finds out', () => {
  assert.is(
    `\n${formatPlan(reconcilePause(target, world, { services: ['web'] }))}`,
    `
[] -> #0 service:web:1: pauseContainer shop-web-1 (pause)
[] -> #1 service:web:2: pauseContainer shop-web-2 (pause)
`,
  )
})

test('unpause of a whole project takes what is frozen', () => {
  assert.is(
    formatPlan(reconcileUnpause(target, world, all)),
    '[] -> #0 service:web:2: unpauseContainer shop-web-2 (unpause)\n',
  )
})

test('what does not run is left alone, what is not there is named', () => {
  assert.is(formatPlan(reconcilePause(target, world, { services: ['job'] })), '')
  assert.throws(() => reconcileUnpause(target, world, { services: ['wbe'] }), /no such service: wbe/)
})

test.run()
