import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { commandLine } from '../../src/spec/process.ts'
import { findingsOf, planOf, specOf } from './lowered.ts'

const image = { entrypoint: ['/entry'], cmd: ['serve'] }

test('the image decides where the service says nothing', () => {
  assert.equal(commandLine({ entrypoint: undefined, command: undefined }, image), ['/entry', 'serve'])
})

test('a command replaces CMD', () => {
  assert.equal(commandLine({ entrypoint: undefined, command: ['x', 'y'] }, image), ['/entry', 'x', 'y'])
  assert.equal(commandLine({ entrypoint: undefined, command: [] }, image), ['/entry'])
})

test('an entrypoint also discards CMD of the image', () => {
  assert.equal(commandLine({ entrypoint: ['/other'], command: undefined }, image), ['/other'])
  assert.equal(commandLine({ entrypoint: ['/other'], command: ['x'] }, image), ['/other', 'x'])
})

test('an empty entrypoint takes only that of the image away', () => {
  assert.equal(commandLine({ entrypoint: [], command: undefined }, image), ['serve'])
})

test('no command anywhere is an error', () => {
  assert.equal(findingsOf({ image: { cmd: undefined } }), ['ECOMMAND services.web'])
})

test('the working directory is the service`s, then the image`s, then the root', () => {
  assert.is(specOf().process.cwd, '/')
  assert.is(specOf({ image: { workingDir: '/srv' } }).process.cwd, '/srv')
  assert.is(specOf({ image: { workingDir: '/srv' }, service: { workingDir: '/a/./b/../c/' } }).process.cwd, '/a/c')
  assert.equal(findingsOf({ service: { workingDir: 'a' } }), ['EPATH services.web.working_dir'])
})

test('another user than root starts without effective capabilities', () => {
  const { capabilities } = planOf({ service: { user: '7' } }).process
  assert.is(capabilities.bounding, 0xa80425fbn)
  assert.is(capabilities.effective | capabilities.permitted | capabilities.inheritable | capabilities.ambient, 0n)
})

test('inheritable and ambient capabilities are empty for root as well', () => {
  const { capabilities } = planOf({ service: { privileged: true } }).process
  assert.is(capabilities.inheritable | capabilities.ambient, 0n)
  assert.is(capabilities.effective, (1n << 41n) - 1n)
})

test('a capability that the host withholds is not granted', () => {
  const withoutResource = ((1n << 41n) - 1n) & ~(1n << 24n)
  const { capabilities } = planOf({
    service: { capAdd: ['SYS_RESOURCE', 'NET_ADMIN'] },
    facts: { boundingCapabilities: withoutResource },
  }).process
  assert.is(capabilities.bounding, 0xa80425fbn | (1n << 12n))
})

test('unknown capabilities are named with their place', () => {
  assert.equal(findingsOf({ service: { capAdd: ['CHOWN', 'FLY'], capDrop: ['SWIM'] } }), [
    'ECAPABILITY services.web.cap_add.1',
    'ECAPABILITY services.web.cap_drop.0',
  ])
})

test('limits become numbers, -1 becomes infinity', () => {
  const { rlimits } = planOf({
    service: { ulimits: { nofile: { soft: 1024, hard: -1 }, core: { soft: 0, hard: 0 } } },
  }).process
  assert.equal(rlimits, [
    { resource: 7, soft: 1024n, hard: (1n << 64n) - 1n },
    { resource: 4, soft: 0n, hard: 0n },
  ])
})

test('unknown and impossible limits are named', () => {
  const ulimits = { files: { soft: 1, hard: 1 }, nproc: { soft: 2, hard: 1 }, core: { soft: -1, hard: 5 } }
  assert.equal(findingsOf({ service: { ulimits } }), [
    'EULIMIT services.web.ulimits.files',
    'EULIMIT services.web.ulimits.nproc',
    'EULIMIT services.web.ulimits.core',
  ])
})

test('an unknown user is an error of the service that names it', () => {
  assert.equal(findingsOf({ service: { user: 'nobody-here' } }), ['EUSER services.web.user'])
  assert.equal(findingsOf({ image: { user: 'nobody-here' } }), ['EUSER services.web'])
})

test('stop signal and grace are the service`s, then the image`s', () => {
  assert.equal([planOf().stopSignal, planOf().stopGraceMs], [15, 10_000])
  const plan = planOf({ image: { stopSignal: 'SIGQUIT' }, service: { stopGraceMs: 500 } })
  assert.equal([plan.stopSignal, plan.stopGraceMs], [3, 500])
  assert.is(planOf({ image: { stopSignal: 'SIGQUIT' }, service: { stopSignal: '2' } }).stopSignal, 2)
  assert.equal(findingsOf({ service: { stopSignal: 'SIGNOPE' } }), ['ESIGNAL services.web.stop_signal'])
})

test('all that is wrong is told at once', () => {
  const findings = findingsOf({
    service: { user: 'x y', capAdd: ['FLY'], stopSignal: '99', securityOpt: ['colour=blue'], cpus: 0.001 },
  })
  assert.is(findings.length, 5)
})

test.run()
