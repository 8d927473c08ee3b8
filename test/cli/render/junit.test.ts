import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatJunit } from '../../../src/cli/render/junit.ts'
import type { Verdict } from '../../../src/cli/verdicts.ts'
import { parseXml } from '../../helpers/xml.ts'

const PASSED: Verdict = {
  ...{ service: 'web', container: 'shop-web-1', state: 'passed', message: '', exitCode: undefined, signal: 0 },
  ...{ oomKilled: false, health: 'healthy', probes: [], seconds: 1.5, stdout: [], stderr: [] },
}
const FAILED: Verdict = {
  ...{ ...PASSED, service: 'db', container: 'shop-db-1', state: 'failed', message: 'shop-db-1 exited with code 3' },
  ...{ exitCode: 3, health: 'unhealthy', probes: [{ exitCode: 1, output: 'refused <&>\n' }], seconds: 0.25 },
  ...{ stdout: ['ready ]]> "x"', '\x00\x1b[31mred\x08 \ufffe'], stderr: ['\ud800 ü'] },
}

test('each service is a test case, with its end, its probes and its last lines', () => {
  const root = parseXml(
    formatJunit('shop', [PASSED, FAILED, { ...PASSED, service: 'off', state: 'skipped', message: 'no' }]),
  )
  assert.is(root.name, 'testsuites')
  assert.equal([root.attributes.tests, root.attributes.failures, root.attributes.skipped], ['3', '1', '1'])
  const [suite] = root.children
  assert.equal(
    suite?.children.map(({ attributes }) => [attributes.classname, attributes.name, attributes.time]),
    [
      ['shop', 'web', '1.500'],
      ['shop', 'db', '0.250'],
      ['shop', 'off', '1.500'],
    ],
  )
  const [failure, out, err] = suite?.children[1]?.children ?? []
  assert.equal([failure?.name, failure?.attributes.type], ['failure', 'exit'])
  assert.match(failure?.text ?? '', /exit code: 3\nhealth: unhealthy\nprobe: exit code 1\nrefused <&>/)
  assert.equal(
    [out?.name, out?.text, err?.name, err?.text],
    ['system-out', 'ready ]]> "x"\nred ', 'system-err', '\ufffd ü'],
  )
})

test('a signal and the lack of memory are named', () => {
  const types = [
    { ...FAILED, signal: 9, exitCode: 137 },
    { ...FAILED, oomKilled: true },
    { ...FAILED, exitCode: undefined },
  ]
  const cases = parseXml(formatJunit('shop', types)).children[0]?.children ?? []
  assert.equal(
    cases.map(({ children }) => children[0]?.attributes.type),
    ['signal', 'oom', 'failure'],
  )
})

test.run()
