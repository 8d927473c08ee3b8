import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { matches, readFilters } from '../../src/cli/select.ts'
import { row } from './rows.ts'

const passes = (values: Parameters<typeof row>[0], ...filters: string[]): boolean =>
  matches(row(values), readFilters(filters, []))

test('each key narrows, of several values of one key any will do', () => {
  assert.ok(passes({ state: 'exited' }, 'status=exited', 'status=dead'))
  assert.not.ok(passes({ state: 'exited' }, 'status=exited', 'name=api'))
  assert.ok(passes({ health: 'healthy' }, 'health=healthy', 'name=^shop-w'))
})

test('labels all count, with or without a value', () => {
  const labels = { a: '1', b: '' }
  assert.ok(passes({ labels }, 'label=a', 'label=b'))
  assert.ok(passes({ labels }, 'label=a=1'))
  assert.not.ok(passes({ labels }, 'label=a=2'))
  assert.not.ok(passes({ labels }, 'label=toString'))
})

test('--status counts as a filter', () => {
  assert.ok(matches(row({ state: 'paused' }), readFilters([], ['paused', 'running'])))
})

test('what is no filter is a usage error', () => {
  for (const filter of ['foo', 'foo=1', 'status=foo', 'health=fine', 'name=('])
    assert.throws(
      () => readFilters([filter], []),
      (error: { code?: string }) => error.code === 'EUSAGE',
    )
})

test.run()
