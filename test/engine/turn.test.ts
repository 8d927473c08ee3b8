import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Turn } from '../../src/engine/turn.ts'

/** A lock that writes down what happens to it. */
const scene = () => {
  const log: string[] = []
  const turn = new Turn(async () => {
    log.push('take')
    return { release: () => log.push('release') }
  })
  turn.hooks = {
    beforeRest: async () => void log.push('tidy'),
    afterRest: () => void log.push('check'),
    onLost: () => void log.push('lost'),
  }
  const work = (name: string) => turn.changing(async () => void log.push(name))
  return { log, turn, work }
}
const rest = () => new Promise((resolve) => setTimeout(resolve, 5))

test('changes that follow one another keep the lock', async () => {
  const { log, work, turn } = scene()
  await work('a')
  await work('b')
  await turn.end()
  assert.equal(log, ['take', 'a', 'b', 'release'])
})

test('while nothing changes the lock is given back, tidied before and checked after', async () => {
  const { log, work, turn } = scene()
  await work('a')
  await rest()
  assert.equal(log, ['take', 'a', 'tidy', 'release'])
  await work('b')
  assert.equal(log.slice(4), ['take', 'check', 'b'])
  await turn.end()
})

test('a change that begins while the lock is given back takes it again', async () => {
  const { log, work, turn } = scene()
  let tidied = () => {}
  turn.hooks = {
    ...turn.hooks,
    beforeRest: () => new Promise((resolve) => (tidied = resolve)),
  }
  await work('a')
  await rest()
  const second = work('b')
  tidied()
  await second
  assert.equal(log, ['take', 'a', 'release', 'take', 'check', 'b'])
  await turn.end()
})

test('a turn that is lost stays lost, with one error', async () => {
  const { log, work, turn } = scene()
  await work('a')
  await rest()
  const lost = new Error('changed by another command')
  turn.hooks = {
    ...turn.hooks,
    afterRest: () => {
      throw lost
    },
  }
  const errors = await Promise.all([work('b'), work('c')].map((each) => each.catch((error: unknown) => error)))
  assert.equal(errors, [lost, lost])
  assert.not.ok(log.includes('b'))
  assert.is(log.filter((entry) => entry === 'lost').length, 1)
  await turn.end()
  assert.is(log.filter((entry) => entry === 'release').length, 2)
})

test.run()
