import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Healthcheck, Service } from '../../src/compose/project.ts'
import type { ImageConfig } from '../../src/oci/image-config.ts'
import { healthOf } from '../../src/spec/health.ts'
import { image, service } from './inputs.ts'
import { planOf } from './lowered.ts'

const unsaid = {
  ...{ test: undefined, intervalMs: undefined, timeoutMs: undefined, startPeriodMs: undefined },
  ...{ startIntervalMs: undefined, retries: undefined },
}
const own = (values: Partial<Healthcheck>): Partial<Service> => ({ healthcheck: { ...unsaid, ...values } })
const ofImage: NonNullable<ImageConfig['healthcheck']> = {
  ...{ test: ['CMD-SHELL', 'ready'], intervalMs: 5000, timeoutMs: 0, startPeriodMs: 0, startIntervalMs: 0, retries: 7 },
}
const health = (values: Partial<Service>, imageHealth?: ImageConfig['healthcheck']) =>
  healthOf(service(values), image({ healthcheck: imageHealth }))

test('without a test there is no health, whatever else is said', () => {
  assert.is(health({}), undefined)
  assert.is(health(own({ intervalMs: 1000 })), undefined)
  assert.is(health(own({ test: { kind: 'none' } }), ofImage), undefined)
  assert.is(health({}, { ...ofImage, test: ['NONE'] }), undefined)
})

test('what the service does not say is the image`s, then the default', () => {
  assert.equal(health(own({ intervalMs: 1000 }), ofImage), {
    test: { kind: 'command', args: ['/bin/sh', '-c', 'ready'] },
    ...{ intervalMs: 1000, timeoutMs: 30_000, startPeriodMs: 0, startIntervalMs: 0, retries: 7 },
  })
})

test("a line is given to the image's shell", () => {
  const shell = ['/bin/bash', '-euc']
  const test = healthOf(service({}), image({ healthcheck: ofImage, shell }))?.test
  assert.equal(test, { kind: 'command', args: [...shell, 'ready'] })
  const without = healthOf(service({}), image({ healthcheck: ofImage, shell: [] }))?.test
  assert.equal(without, { kind: 'command', args: ['/bin/sh', '-c', 'ready'] })
})

test('a test of the service stands instead of the image`s', () => {
  const args = ['/check', '--fast']
  assert.equal(health(own({ test: { kind: 'command', args } }), ofImage)?.test, { kind: 'command', args })
})

test('probes of our own come with the filter of their helper, commands with a plan of theirs', () => {
  const http = planOf({ service: own({ test: { kind: 'http', port: 8080, path: '/ready' } }) }).health
  assert.equal([http.probe, http.port, http.path], ['http', 8080, '/ready'])
  assert.ok(http.seccomp.length > 0)
  const command = planOf({ service: own({ test: { kind: 'shell', line: 'true' } }) }).health
  assert.equal([command.probe, command.seccomp.length, command.retries], ['command', 0, 3])
})

test.run()
