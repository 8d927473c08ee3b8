import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cascade, type CascadeOptions } from '../../src/cli/cascade.ts'

const NONE: CascadeOptions = { abortOnContainerExit: false, abortOnContainerFailure: false, exitCodeFrom: undefined }
const EXIT = { ...NONE, abortOnContainerExit: true }
const FAILURE = { ...NONE, abortOnContainerFailure: true }
const FROM_B = { ...NONE, exitCodeFrom: 'b' }

/** Ends as `service:code`, in their order; the one that stops everything, and the exit code. */
const CASES: readonly [CascadeOptions, string, stopper: string | undefined, code: number][] = [
  [NONE, 'a:1 b:2', undefined, 0],
  [EXIT, 'a:0 b:3', 'a:0', 0],
  [EXIT, 'b:3 a:0', 'b:3', 3],
  [EXIT, 'init:0 b:4 a:0', 'b:4', 4],
  [EXIT, 'init:0 init:0', undefined, 0],
  [EXIT, 'init:7 a:143', 'init:7', 7],
  [FAILURE, 'a:0 b:5 c:6', 'b:5', 5],
  [FAILURE, 'a:0 b:0', undefined, 0],
  [FROM_B, 'a:3 b:143', 'a:3', 143],
  [FROM_B, 'a:0 b:42', 'a:0', 42],
  [FROM_B, 'b:42 a:137', 'b:42', 42],
  [{ ...FAILURE, exitCodeFrom: 'b' }, 'a:0 b:0', undefined, 0],
  [{ ...FAILURE, exitCodeFrom: 'b' }, 'a:1 b:143', 'a:1', 143],
]

for (const [options, ends, stopper, code] of CASES) {
  const given = Object.entries(options).flatMap(([name, value]) => (value ? [`${name} ${value}`] : []))
  test(`${given.join(', ') || 'no option'}: ${ends} gives ${code}`, () => {
    const cascade = new Cascade(options, new Set(['init']))
    const stops = ends.split(' ').filter((end) => {
      const [service = '', exitCode] = end.split(':')
      return cascade.add({ service, exitCode: Number(exitCode) })
    })
    assert.equal(stops, stopper === undefined ? [] : [stopper])
    assert.is(cascade.exitCode, code)
  })
}

test.run()
