import { constants } from 'node:os'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseSignal, signalName } from '../../src/units/signals.ts'

test('every signal that Node knows has its number', () => {
  for (const [name, number] of Object.entries(constants.signals)) {
    assert.is(parseSignal(name), number, name)
    assert.is(parseSignal(name.slice(3).toLowerCase()), number, name)
  }
})

test('numbers and real-time signals', () => {
  assert.equal(['15', 'SIGRTMIN', 'RTMIN+3', 'SIGRTMAX-1', 'RTMAX'].map(parseSignal), [15, 34, 37, 63, 64])
  for (const text of ['', 'SIG', 'NOPE', '0', '65', 'RTMIN+31', 'RTMIN-1'])
    assert.is(parseSignal(text), undefined, text)
})

test('names', () => {
  assert.equal([9, 15, 34, 37, 64, 99].map(signalName), [
    'SIGKILL',
    'SIGTERM',
    'SIGRTMIN',
    'SIGRTMIN+3',
    'SIGRTMIN+30',
    '99',
  ])
})

test.run()
