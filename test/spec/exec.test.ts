import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ProjectError } from '../../src/errors.ts'
import { encode } from '../../src/native/encode.ts'
import { execPlan } from '../../src/native/launch-plan.ts'
import { type ExecRequest, lowerExec } from '../../src/spec/exec.ts'
import { formatExecPlan } from '../../src/spec/format.ts'
import { golden } from './golden.ts'
import { type Changes, HYBRID, input } from './inputs.ts'
import { planOf } from './lowered.ts'

const request = (change: Partial<ExecRequest> = {}): ExecRequest => ({
  args: ['ls', '-la'],
  env: [],
  cwd: undefined,
  user: undefined,
  tty: false,
  interactive: false,
  supervised: false,
  privileged: false,
  rows: 0,
  columns: 0,
  controlSocket: '/run/caisson/containers/0123456789ab/control.sock',
  ...change,
})
const exec = (change: Partial<ExecRequest> = {}, container: Changes = {}) =>
  lowerExec(request(change), input(container))

test('a process beside the first has its user, limits, filter and capabilities', () => {
  const container: Changes = {
    service: {
      user: '7:8',
      capAdd: ['NET_ADMIN'],
      ulimits: { nofile: { soft: 9, hard: 9 } },
      securityOpt: ['no-new-privileges'],
    },
  }
  const { args, ...process } = exec({}, container).process
  const { args: own, ...first } = planOf(container).process
  assert.equal(process, first)
  assert.equal([args, own], [['ls', '-la'], ['/bin/app']])
})

test('what is asked for comes on top', () => {
  const { process } = exec(
    { user: '3', cwd: '/tmp', env: ['A=2', 'B'], tty: true, rows: 24, columns: 80 },
    { service: { environment: { A: '1', B: '1', C: '1' }, user: '7:8' } },
  )
  assert.equal([process.uid, process.gid, process.groups, process.cwd], [3, 0, [0], '/tmp'])
  assert.equal([process.tty, process.rows, process.columns], [true, 24, 80])
  for (const variable of ['A=2', 'C=1', 'TERM=xterm']) assert.ok(process.env.includes(variable), variable)
  assert.not(process.env.some((variable) => variable.startsWith('B=')))
})

test('home is that of the other user', () => {
  const accounts = { passwd: 'app:x:7:7::/home/app:/bin/sh\n', group: '' }
  assert.ok(exec({ user: 'app' }, { allocation: { accounts } }).process.env.includes('HOME=/home/app'))
})

test('privileged lifts filter and capabilities, of any user', () => {
  const { process } = exec({ privileged: true, user: '7' })
  assert.is(process.seccomp.length, 0)
  assert.is(process.capabilities.effective, (1n << 41n) - 1n)
})

test('it works in an image without a command', () => {
  assert.equal(exec({}, { image: { cmd: undefined } }).process.args, ['ls', '-la'])
})

test('an unknown user and a relative directory are refused', () => {
  assert.throws(
    () => exec({ user: 'nobody-here' }),
    (error: unknown) => error instanceof ProjectError,
  )
  assert.throws(
    () => exec({ cwd: 'tmp' }),
    (error: unknown) => error instanceof ProjectError,
  )
})

test('the plan as text', () => {
  const plan = exec({ interactive: true, tty: true, rows: 24, columns: 80 }, { facts: { cgroup: HYBRID } })
  golden('exec', formatExecPlan(plan))
  assert.ok(encode(execPlan, plan).length > 0)
})

test.run()
