/** pause and unpause: all processes of a container stand still, and go on. */
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, folder } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const project = folder(`
services:
  busy:
    image: caisson/host
    network_mode: none
    stop_signal: SIGKILL
    command: sh -c 'while :; do :; done'
  quiet:
    image: caisson/host
    network_mode: none
    stop_signal: SIGKILL
    command: sleep 1000
  shot:
    image: caisson/host
    network_mode: none
    command: "true"
`)
const states = (...args: string[]): string[] =>
  project
    .run('ps', '--format', '{{.Service}} {{.State}}', ...args)
    .split('\n')
    .filter(Boolean)
/** Ticks of the processor that the service's first process has had. */
const ticks = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}
const pidOf = (service: string): number =>
  Number(project.run('inspect', '-f', '{{.State.Pid}}', `${project.name}-${service}-1`))

test('a frozen container has no processor time and shows as paused, also without -a', async () => {
  project.run('up', '-d')
  await eventually(() => !states().some((line) => line.startsWith('shot')), 'shot has ended')
  const outcome = project.try(['pause', 'busy'])
  assert.is(outcome.status, 0, outcome.stderr)
  assert.match(outcome.stderr, `Container ${project.name}-busy-1  Paused`)
  assert.equal(states(), ['busy paused', 'quiet running'])
  assert.match(project.run('ps', 'busy'), /Up .* \(Paused\)/)
  const pid = pidOf('busy')
  const before = ticks(pid)
  const quiet = project.run('exec', '-T', 'quiet', 'sh', '-c', 'sleep 0.3; echo slept')
  assert.is(quiet, 'slept\n')
  assert.is(ticks(pid), before)
})

test('a frozen one can be looked at', () => {
  assert.match(project.run('top', 'busy'), /while :/)
  assert.is(project.run('stats', '--no-stream', '--format', '{{.CPUPerc}}', 'busy'), '0.00%\n')
  assert.is(project.run('inspect', '-f', '{{.State.Paused}}', 'busy'), 'true\n')
  assert.equal(states('--status', 'paused'), ['busy paused'])
  const outcome = project.try(['exec', '-T', 'busy', 'true'])
  assert.is(outcome.status, 1)
  assert.match(outcome.stderr, 'is paused')
})

test('freezing what is frozen fails by name, and is nothing for a whole project', () => {
  const outcome = project.try(['pause', 'busy'])
  assert.is(outcome.status, 1)
  assert.match(outcome.stderr, 'is already paused')
  project.run('pause')
  assert.equal(states(), ['busy paused', 'quiet paused'])
  project.run('pause', 'shot')
})

test('unpause lets it go on, and is an error for what is not frozen', async () => {
  const outcome = project.try(['unpause', 'busy'])
  assert.match(outcome.stderr, `Container ${project.name}-busy-1  Unpaused`)
  const pid = pidOf('busy')
  const before = ticks(pid)
  await eventually(() => ticks(pid) > before, 'it works again')
  assert.is(project.try(['unpause', 'busy']).status, 1)
  project.run('unpause')
  assert.equal(states(), ['busy running', 'quiet running'])
})

test('a frozen container can be stopped, killed, and taken down', () => {
  project.run('pause')
  project.run('stop', 'quiet')
  project.run('kill', 'busy')
  assert.equal(states(), [])
  project.run('start', 'quiet')
  project.run('pause')
  project.run('down')
  assert.equal(states('-a'), [])
})

test('the journal tells of it', () => {
  const told = project
    .run('events', '--json', '--since', '1h', '--until', '0s')
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { action: string }).action)
  assert.ok(told.includes('pause') && told.includes('unpause'), told.join(' '))
})

test.run()
