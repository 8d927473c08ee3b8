import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dependencyOrder, type Graph, reversed, withDependencies } from '../../src/plan/order.ts'

const graph = (edges: Record<string, string[]>): Graph => new Map(Object.entries(edges))
const chain = graph({ web: ['api'], api: ['store'], store: [], other: [] })

test('dependencies come before dependents', () => {
  assert.equal(dependencyOrder(chain), { order: ['store', 'api', 'other', 'web'], cycle: undefined })
})

test('a cycle is named once around, and every name still has a place', () => {
  const { order, cycle } = dependencyOrder(graph({ a: ['b'], b: ['c'], c: ['a'], d: ['a'] }))
  assert.equal(cycle, ['a', 'b', 'c', 'a'])
  assert.equal([...order].sort(), ['a', 'b', 'c', 'd'])
})

test('names outside the graph are ignored', () => {
  assert.equal(dependencyOrder(graph({ a: ['gone'] })).order, ['a'])
})

test('a selection has all that it depends on', () => {
  assert.equal([...withDependencies(chain, ['api'])].sort(), ['api', 'store'])
})

test('a reversed graph has the dependents', () => {
  assert.equal(reversed(chain).get('store'), ['api'])
  assert.equal([...withDependencies(reversed(chain), ['store'])].sort(), ['api', 'store', 'web'])
})

test.run()
