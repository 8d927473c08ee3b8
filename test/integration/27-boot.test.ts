import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Status } from '../../src/state/records.ts'
import { needsRoot } from '../helpers/root.ts'
import { caisson, cleanUp, eventually, folder, ps, runRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const compose = `
x-idle: &idle
  image: caisson/host
  command: sleep 1000
  stop_signal: SIGKILL
services:
  always:
    <<: *idle
    restart: always
    ports: ["127.0.0.1::80"]
    depends_on: [base]
  base:
    <<: *idle
    restart: unless-stopped
  stopped:
    <<: *idle
    restart: unless-stopped
    network_mode: none
  plain:
    <<: *idle
    network_mode: none
`
const project = folder(compose)
const states = () => Object.fromEntries(ps(project).map((row) => [row.Service, row.State]))
const monitors = (): number[] =>
  readdirSync(join(runRoot(), 'containers')).flatMap((id) => {
    const { pid } = JSON.parse(readFileSync(join(runRoot(), 'containers', id, 'status'), 'utf8')) as Status
    return pid === 0 ? [] : [Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])]
  })
const haveEnded = (pids: readonly number[]) =>
  eventually(() => pids.every((pid) => !isRunning(pid)), 'the end of the monitors', 20_000)
const isRunning = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** What a machine forgets: processes, what lies below /run, links. */
const reboot = async (signal: NodeJS.Signals): Promise<void> => {
  const pids = monitors()
  for (const pid of pids) process.kill(pid, signal)
  await haveEnded(pids)
  rmSync(runRoot(), { recursive: true, force: true })
  for (const link of execFileSync('ip', ['-o', 'link', 'show', 'type', 'bridge'], { encoding: 'utf8' }).split('\n')) {
    const name = /^\d+: (cs-[^:@]+)/.exec(link)?.[1]
    if (name !== undefined) execFileSync('ip', ['link', 'del', name])
  }
}

for (const [how, signal] of [
  ['an orderly shutdown', 'SIGTERM'],
  ['a power cut', 'SIGKILL'],
] as const) {
  test(`after ${how}, boot brings back what its policy asks for and nobody stopped`, async () => {
    project.run('up', '-d')
    project.run('stop', 'stopped')
    await reboot(signal)
    assert.is(caisson(['--dry-run', 'system', 'boot'], {}).status, 0)
    assert.is.not(states().always, 'running')
    const outcome = caisson(['system', 'boot'], {})
    assert.is(outcome.status, 0, outcome.stderr)
    const { always, base, stopped, plain } = states()
    assert.equal({ always, base, stopped }, { always: 'running', base: 'running', stopped: 'exited' })
    assert.is.not(plain, 'running')
    assert.match(project.run('port', 'always', '80'), /^127\.0\.0\.1:\d+/)
    assert.is(project.run('exec', 'always', 'getent', 'hosts', 'base').includes('base'), true)
  })
}

test('a second boot changes nothing', () => {
  const before = ps(project).map(({ ID, State }) => `${ID} ${State}`)
  assert.is(caisson(['system', 'boot'], {}).status, 0)
  assert.equal(
    ps(project).map(({ ID, State }) => `${ID} ${State}`),
    before,
  )
})

test('the unit of doctor names this very program', () => {
  const unit = caisson(['doctor', '--systemd-unit'], {}).stdout
  assert.match(unit, /^ExecStart="\/.*" "\/.*" "system" "boot"$/m)
  assert.match(unit, /^KillMode=process$/m)
})

test.run()
