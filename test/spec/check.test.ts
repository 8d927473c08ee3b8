import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkService } from '../../src/spec/check.ts'
import { facts, service } from './inputs.ts'
import { findingsOf } from './lowered.ts'

const input = { facts: facts(), devices: {} }
const wrong = {
  capAdd: ['FLY'],
  ulimits: { files: { soft: 1, hard: 1 } },
  securityOpt: ['colour=blue'],
  cpus: 0.001,
  workingDir: 'relative',
  hostname: 'two words',
  stopSignal: 'SIGNOPE',
  volumes: [
    {
      type: 'tmpfs',
      target: '/proc',
      readOnly: false,
      sizeBytes: undefined,
      mode: undefined,
      options: [],
      path: ['x'],
    },
  ],
} as const

test('a plain service passes', () => {
  assert.equal(checkService(service(), input), [])
})

test('the check finds what building would find', () => {
  const found = checkService(service(wrong), input).map(({ code, path }) => `${code} ${path.join('.')}`)
  assert.is(found.length, 8)
  assert.equal([...found].sort(), findingsOf({ service: wrong }).sort())
})

test.run()
