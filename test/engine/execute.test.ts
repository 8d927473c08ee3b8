import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CaissonError } from '../../src/errors.ts'
import { execute } from '../../src/engine/execute.ts'
import type { EngineEvent } from '../../src/engine/events.ts'
import type { Edge, Plan, PlanNode } from '../../src/plan/plan.ts'

/** A plan of nodes `0`, `1` … with the edges given. */
const planOf = (...after: readonly (readonly Edge[])[]): Plan => ({
  version: 1,
  project: 'shop',
  nodes: after.map((edges, id) => ({
    ...{ id, resource: `r${id}`, cause: 'test', after: edges },
    operation: { kind: 'createVolume', key: String(id) },
  })),
})
const edge = (node: number, onFailure: Edge['onFailure'] = 'abort'): Edge => ({ node, onFailure })

const run = async (plan: Plan, perform: (node: PlanNode) => Promise<void>, parallel = 8, signal?: AbortSignal) => {
  const events: EngineEvent[] = []
  const errors = await execute(plan, {
    ...{ perform, parallel, signal, emit: (event) => events.push(event) },
    changing: (work) => work(),
    subjectOf: ({ id }) => ({ noun: 'volume', name: `v${id}` }),
  })
  const kinds = events.map((event) => ('node' in event ? `${event.kind} ${event.node.id}` : event.kind))
  return { errors, kinds }
}
const failing = (id: number) => async (node: PlanNode) => {
  if (node.id === id) throw new CaissonError('ETEST', `${id} failed`)
}
const pause = () => new Promise((resolve) => setTimeout(resolve, 5))

test('a node waits for the nodes before it', async () => {
  const order: number[] = []
  await run(planOf([], [edge(0)], [edge(1)]), async ({ id }) => {
    await pause()
    order.push(id)
  })
  assert.equal(order, [0, 1, 2])
})

test('nodes without edges run side by side, up to the bound', async () => {
  let active = 0
  let most = 0
  await run(
    planOf([], [], [], [], []),
    async () => {
      active += 1
      most = Math.max(most, active)
      await pause()
      active -= 1
    },
    2,
  )
  assert.is(most, 2)
})

test('abort and skip keep a node from running, warn lets it run', async () => {
  const { errors, kinds } = await run(
    planOf([], [edge(0)], [edge(0, 'skip')], [edge(0, 'warn')], [edge(2)]),
    failing(0),
  )
  assert.equal(
    errors.map(({ code }) => code),
    ['ETEST'],
  )
  assert.equal(kinds.slice(0, 6), ['started 0', 'failed 0', 'skipped 1', 'skipped 2', 'warning', 'started 3'])
  assert.equal(kinds.slice(6).sort(), ['done 3', 'skipped 4'])
})

test('what does not hang on a failure goes on, and every error is told', async () => {
  const { errors, kinds } = await run(planOf([], [], []), async ({ id }) => {
    if (id < 2) throw new Error(`${id}`)
  })
  assert.equal(
    errors.map(({ code, message }) => `${code} ${message}`),
    ['EINTERNAL 0', 'EINTERNAL 1'],
  )
  assert.ok(kinds.includes('done 2'))
})

test('an abort lets what has begun end, and begins nothing more', async () => {
  const abort = new AbortController()
  const { errors, kinds } = await run(
    planOf([], [edge(0)], [], []),
    async ({ id }) => {
      if (id === 2) abort.abort()
      await pause()
    },
    2,
    abort.signal,
  )
  assert.equal(errors, [])
  assert.equal(kinds.slice(0, 2), ['started 0', 'started 2'])
  assert.equal(kinds.slice(2).sort(), ['done 0', 'done 2'])
})

test('an empty plan is done at once', async () => {
  assert.equal(await run(planOf(), async () => {}), { errors: [], kinds: [] })
})

test.run()
