import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cutFindings } from '../../src/cli/render/cut-findings.ts'
import type { Diagnostic, Severity } from '../../src/errors.ts'

const findings = (count: number, severity: Severity): readonly Diagnostic[] =>
  Array.from({ length: count }, (_, index) => ({ code: 'x', severity, path: [], message: `${severity} ${index}` }))

test('thirty findings are shown as they are', () => {
  const all = [...findings(10, 'warning'), ...findings(20, 'error')]
  assert.equal(cutFindings(all), { shown: all, rest: '' })
})

test('of five hundred errors the first thirty are shown and the others counted', () => {
  const { shown, rest } = cutFindings(findings(500, 'error'))
  assert.is(shown.length, 30)
  assert.is(shown.at(-1)?.message, 'error 29')
  assert.is(rest, '… and 470 more errors\n')
})

test('warnings never take the place of errors, and stay where they were', () => {
  const { shown, rest } = cutFindings([...findings(200, 'warning'), ...findings(3, 'error')])
  assert.equal(
    shown.slice(0, 2).map(({ message }) => message),
    ['warning 0', 'warning 1'],
  )
  assert.equal(
    shown.slice(-3).map(({ message }) => message),
    ['error 0', 'error 1', 'error 2'],
  )
  assert.is(shown.length, 30)
  assert.is(rest, '… and 173 more warnings\n')
})

test('what is left of both kinds is said', () => {
  const { rest } = cutFindings([...findings(31, 'error'), ...findings(1, 'warning')])
  assert.is(rest, '… and 1 more error and 1 more warning\n')
})

test.run()
