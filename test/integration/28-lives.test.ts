import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Status } from '../../src/state/records.ts'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, folder, ps, runRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

/** Restarts, health and pauses in few steps: what depends on the cgroup version, for 20-cgroup-v2. */
const compose = `
services:
  web:
    image: caisson/host
    command: sh -c 'n=0; while :; do sleep 0.1; n=$$((n+1)); echo $$n > /tmp/tick; done'
    restart: always
    mem_limit: 64m
    network_mode: none
    stop_signal: SIGKILL
    healthcheck: {test: "test -e /tmp/tick; (sleep 888 &)", interval: 500ms}
`
const DEADLINE_MS = 60_000
const project = folder(compose)
let id = ''
const status = (): Status => JSON.parse(readFileSync(join(runRoot(), 'containers', id, 'status'), 'utf8')) as Status
const tick = () => readFileSync(`/proc/${status().pid}/root/tmp/tick`, 'utf8')

test('it becomes healthy, and healthy again after a restart', async () => {
  project.run('up', '-d')
  id = ps(project)[0]?.ID.slice(0, 12) ?? ''
  await eventually(() => status().health === 'healthy', 'health', DEADLINE_MS)
  process.kill(status().pid, 'SIGKILL')
  await eventually(() => status().restarts === 1 && status().health === 'healthy', 'health again', DEADLINE_MS)
  assert.is(status().exitCode, 137)
})

test('while it is paused nothing of it runs, and then it goes on', async () => {
  project.run('pause')
  assert.is(status().state, 'paused')
  const before = tick()
  project.run('ps')
  assert.is(tick(), before)
  project.run('unpause')
  await eventually(() => tick() !== before, 'the next tick', DEADLINE_MS)
})

test('a paused one is taken down', () => {
  project.run('pause')
  project.run('down')
  assert.equal(ps(project), [])
})

test.run()
