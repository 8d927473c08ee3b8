import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, folder, ps } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const project = folder(`
services:
  limited:
    image: caisson/host
    network_mode: none
    command: sleep 1000
    stop_signal: SIGKILL
    init: true
    user: "1000:1000"
    mem_limit: 64m
    cpus: 0.5
    pids_limit: 20
    shm_size: 1m
    hostname: box
    ulimits:
      nofile: {soft: 100, hard: 200}
      core: 0
  greedy:
    image: caisson/host
    network_mode: none
    mem_limit: 32m
    command: node -e "const a=[];for(;;)a.push(Buffer.alloc(1<<20,1))"
  signalled:
    image: caisson/host
    network_mode: none
    command: sh -c 'trap "echo got USR1; exit 5" USR1; sleep 1000 & wait'
    stop_signal: SIGUSR1
  deaf:
    image: caisson/host
    network_mode: none
    stop_grace_period: 3s
    command: sh -c 'trap "echo asked" TERM; while :; do sleep 1000 & wait; done'
`)
const sh = (script: string): string => project.run('exec', '-T', 'limited', 'sh', '-c', script).trim()

test('the containers start', () => {
  project.run('up', '-d')
})

test('stats counts against the limit, and top finds the processes, in whatever cgroup version the machine has', () => {
  const stats = project.run('stats', '--no-stream', '--format', '{{.MemUsage}} {{.PIDs}} {{.CPUPerc}}', 'limited')
  const [, used = '', pids] = /^(\S+)B \/ 64MiB (\d+) \d+\.\d\d%\n$/.exec(stats) ?? []
  assert.ok(Number.parseFloat(used) > 0 && pids === '2', stats)
  assert.match(project.run('top', 'limited'), /^limited +1 +\S+ +\d+ +\d+ +\d+ .* sleep 1000$/m)
})

test('limits are set in whatever cgroup version the machine has', () => {
  assert.match(
    sh('cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || true'),
    /67108864/,
  )
  assert.match(sh('cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null || true'), /20/)
  assert.match(sh('cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || true'), /50000/)
})

test('a fork bomb stops at the pids limit', () => {
  const outcome = project.try([
    'exec',
    '-T',
    'limited',
    'sh',
    '-c',
    'i=0; while [ $i -lt 60 ]; do sleep 2 & i=$((i+1)); done; wait; echo all',
  ])
  assert.not.match(outcome.stdout, /all/)
})

test('rlimits, hostname and shm size are as asked', async () => {
  await eventually(() => project.try(['exec', '-T', 'limited', 'true']).status === 0, 'the end of the fork bomb')
  assert.is(sh('ulimit -Sn; ulimit -Hn; ulimit -c'), '100\n200\n0')
  assert.is(sh('hostname'), 'box')
  assert.match(sh('grep " /dev/shm " /proc/mounts'), /size=1024k/)
})

test('an OOM kill is recorded as such', async () => {
  const row = await eventually(
    () => ps(project).find((each) => each.Service === 'greedy' && each.State === 'exited'),
    'the OOM kill',
    20_000,
  )
  assert.is(row.ExitCode, 137)
})

test('stop uses stop_signal, and SIGKILL after the grace period', () => {
  project.run('stop', 'signalled', 'deaf')
  // By the container's own times: the command itself may be slow, and in an emulated machine so is the shell that says when it was asked.
  const asked = Date.parse(project.run('logs', '-t', '--no-log-prefix', 'deaf').split(' ')[0] ?? '')
  const [{ State }] = JSON.parse(project.run('inspect', 'deaf')) as [{ State: { FinishedAt: string } }]
  const graceMs = Date.parse(State.FinishedAt) - asked
  assert.ok(graceMs >= 500 && graceMs < 15_000, `${graceMs} ms`)
  assert.is(ps(project).find((row) => row.Service === 'signalled')?.ExitCode, 5)
  assert.is(ps(project).find((row) => row.Service === 'deaf')?.ExitCode, 137)
})

test('down', () => {
  project.run('down', '-t', '1')
})

test.run()
