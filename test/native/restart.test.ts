import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Condition, MonitorClient, MonitorFailure } from '../../src/monitor/client.ts'
import type { LaunchPlan } from '../../src/native/launch-plan.ts'
import { createSandbox } from '../helpers/launch.ts'
import { contentOf, eventually, isAlive, parentOf, type Started, startMonitor } from '../helpers/monitor.ts'
import { needsRoot } from '../helpers/root.ts'

needsRoot(test)

const sandbox = createSandbox()
test.after(() => sandbox.remove())

type Policy = LaunchPlan['restart']['policy']

const plan = (script: string, policy: Policy, changes: Partial<LaunchPlan['restart']> = {}, more = {}): LaunchPlan =>
  sandbox.plan(['sh', '-c', script], {
    stopGraceMs: 300,
    restart: { policy, maximumRetries: 0, delayMs: 100, windowMs: 10_000, freshNetwork: false, ...changes },
    ...more,
  })

/** Started and committed; every change of its condition, as text. */
const begin = async (given: LaunchPlan): Promise<Started & { readonly changes: string[] }> => {
  const started = startMonitor(sandbox, given)
  const changes: string[] = []
  started.client.watch(({ state, restarts, exitCode }: Condition) => changes.push(`${state} ${restarts} ${exitCode}`))
  started.client.commit()
  await started.client.go()
  return { ...started, changes }
}

test('on-failure restarts as often as it may, and the end is told once', async () => {
  const started = await begin(plan('echo run >> /runs; cat /runs | wc -l; exit 3', 'onFailure', { maximumRetries: 2 }))
  assert.equal(await started.client.wait(), { code: 3, signal: 0, oomKilled: false })
  assert.equal(started.changes, ['running 0 0', 'restarting 0 3', 'running 1 3', 'restarting 1 3', 'running 2 3'])
  assert.equal(contentOf(started.log()), ['1', '2', '3'], 'what it has written stays')
  const { state, restarts, stopped } = started.exitFile()
  assert.equal({ state, restarts, stopped }, { state: 'exited', restarts: 2, stopped: false })
  assert.is(existsSync(started.runDirectory), false)
})

test('a success ends on-failure, and no policy ends after the first run', async () => {
  for (const given of [plan('exit 0', 'onFailure'), plan('exit 1', 'no')]) {
    const started = await begin(given)
    await started.client.wait()
    assert.is(started.exitFile().restarts, 0)
  }
})

test('while it waits for its next run a container has no process, and a stop ends it at once', async () => {
  const started = await begin(plan('exit 4', 'always', { delayMs: 60_000 }))
  await eventually(() => started.status().state === 'restarting')
  const other = await MonitorClient.connect(started.socketPath)
  const { state, pid, exitCode } = await other.hello
  assert.equal({ state, pid, exitCode }, { state: 'restarting', pid: 0, exitCode: 4 })
  const error = await other.signal(1).catch((reason: unknown) => reason)
  assert.instance(error, MonitorFailure)
  assert.is((await other.stop()).code, 4)
  assert.is(started.exitFile().stopped, true)
})

test('kill during the pause ends it too', async () => {
  const started = await begin(plan('exit 4', 'always', { delayMs: 60_000 }))
  await eventually(() => started.status().state === 'restarting')
  await started.client.signal(9)
  assert.is((await started.client.wait()).code, 4)
})

test('what a user stops or kills does not come back; a signal that only tells something does not count', async () => {
  const started = await begin(plan('trap "echo told" HUP; echo ready; while :; do sleep 0.02; done', 'always'))
  await eventually(() => contentOf(started.log()).includes('ready'))
  await started.client.signal(1)
  await eventually(() => contentOf(started.log()).includes('told'))
  process.kill((await (await MonitorClient.connect(started.socketPath)).hello).pid, 'SIGKILL')
  await eventually(() => started.status().restarts === 1)
  await started.client.signal(9)
  assert.equal(await started.client.wait(), { code: 137, signal: 9, oomKilled: false })
  assert.is(started.exitFile().stopped, true)
})

test('a SIGTERM to the monitor ends the container for now, but nobody has stopped it', async () => {
  const started = await begin(plan('trap "exit 0" TERM; while :; do sleep 0.02; done', 'unlessStopped'))
  const { pid } = started.status()
  process.kill(parentOf(pid), 'SIGTERM')
  await started.client.wait()
  assert.is(started.exitFile().stopped, false)
})

test('a program that is missing at a restart is a failed run, whose reason is told', async () => {
  const script = join(sandbox.layer, 'once')
  writeFileSync(script, '#!/bin/sh\nrm /once\nexit 1\n', { mode: 0o755 })
  const started = await begin({ ...plan('', 'always'), process: { ...plan('', 'no').process, args: ['/once'] } })
  await eventually(() => started.status().restarts === 2)
  const { exitCode, failure } = started.status()
  assert.is(exitCode, 127)
  assert.equal(failure, { step: 'exec', index: 0, syscall: 'execve', errno: 2, path: '/once' })
  assert.match(started.log().at(-1) ?? '', /stderr F caisson: .* exec: execve \/once: No such file/)
  await started.client.stop()
  assert.equal(started.exitFile().failure, failure)
})

test('whoever is attached hears and feeds every run', async () => {
  const started = startMonitor(sandbox, plan('read line; echo "got $line"; exit 1', 'always', {}, { openStdin: true }))
  const { client } = started
  let output = ''
  const end = client.attach({ stdin: true, onOutput: (_, data) => (output += data) })
  client.commit()
  await client.go()
  await client.sendStdin(Buffer.from('one\n'))
  await eventually(() => started.status().restarts === 1 && started.status().state === 'running')
  await client.sendStdin(Buffer.from('two\n'))
  await eventually(() => output === 'got one\ngot two\n')
  client.stop({ graceMs: 0 }).catch(() => {})
  await end
})

test('a terminal comes anew in the size it had last', async () => {
  const base = plan('while [ "$(stty size)" = "24 80" ]; do sleep 0.02; done; stty size; exit 1', 'always')
  const started = startMonitor(sandbox, { ...base, process: { ...base.process, tty: true, rows: 24, columns: 80 } })
  started.client.commit()
  await started.client.go()
  started.client.resize(40, 100)
  await eventually(() => started.status().restarts > 0 && contentOf(started.log()).length > 1)
  assert.is(contentOf(started.log())[1]?.trim(), '40 100')
  await started.client.stop({ graceMs: 0 })
})

test('kill -9 of the monitor in the pause leaves no process', async () => {
  const started = startMonitor(sandbox, plan('exit 1', 'always', { delayMs: 60_000 }))
  const monitor = parentOf(await started.client.created)
  started.client.commit()
  await started.client.go()
  await eventually(() => started.status().state === 'restarting')
  process.kill(monitor, 'SIGKILL')
  await eventually(() => !isAlive(monitor))
})

test('a row of restarts costs the machine little, and leaves nothing of a run to the next', async () => {
  const started = await begin(plan('ls /proc/self/fd | wc -l; cat /proc/self/mountinfo | wc -l; exit 1', 'always'))
  await eventually(() => started.status().restarts >= 5)
  await started.client.stop()
  const lines = contentOf(started.log()).slice(0, 10)
  assert.is(new Set(lines.filter((_, index) => index % 2 === 0)).size, 1, lines.join(' '))
  assert.is(new Set(lines.filter((_, index) => index % 2 === 1)).size, 1, lines.join(' '))
  assert.match(readFileSync(join(started.stateDirectory, 'exit'), 'utf8'), /"restarts":\d/)
})

test.run()
