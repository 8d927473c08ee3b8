// takes: 25 s
/** Commands that look at real containers: ps, stats, top, images, volumes, ls. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { hasTerminal, NO_TERMINAL, Terminal } from '../helpers/terminal.ts'
import { CLI, cleanUp, eventually, folder, ps, runRoot, stateRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const project = folder(`
services:
  busy:
    image: caisson/host
    network_mode: none
    stop_signal: SIGKILL
    mem_limit: 64m
    command: sh -c 'sleep 1001 & while :; do :; done'
    labels: {colour: blue}
  keeper:
    image: caisson/host
    network_mode: none
    stop_signal: SIGKILL
    command: sleep 1000
    volumes: [data:/data, /scratch]
  shot:
    image: caisson/host
    network_mode: none
    command: sh -c 'exit 3'
volumes: {data: {labels: {a: b}}}
`)
const lines = (...args: string[]): string[] =>
  project
    .run(...args)
    .split('\n')
    .filter(Boolean)

test.before(async () => {
  project.run('up', '-d')
  await eventually(() => lines('ps', '-q', '--status', 'exited').length === 1, 'shot has ended')
})

test('ps filters by state, name and label, and prints templates', () => {
  assert.equal(lines('ps', '--services', '--filter', 'label=colour=blue'), ['busy'])
  assert.equal(lines('ps', '--services', '--filter', 'name=keeper', '--filter', 'status=running'), ['keeper'])
  assert.equal(lines('ps', '--format', '{{.Service | upper}} {{.State}}', '--status', 'exited'), ['SHOT exited'])
  assert.is(project.try(['ps', '--filter', 'nonsense']).status, 2)
})

test('ps --orphans=false follows the Compose file', () => {
  const elsewhere = folder('services: {keeper: {image: caisson/host}}', {}, `${project.name}-less`)
  assert.equal(elsewhere.run('-p', project.name, 'ps', '--services', '--orphans=false').split('\n').filter(Boolean), [
    'keeper',
  ])
})

test('ps --json is a document that keeps to its schema', () => {
  const schema = JSON.parse(readFileSync(new URL('../../schemas/ps.schema.json', import.meta.url), 'utf8')) as object
  const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema)
  const document = JSON.parse(project.run('ps', '-a', '--json')) as {
    containers: { service: string; exitCode: number | null; pid: number | null }[]
  }
  assert.ok(validate(document), JSON.stringify(validate.errors))
  const { exitCode, pid } = document.containers.find(({ service }) => service === 'shot') ?? {}
  assert.equal([exitCode, pid], [3, null])
})

test('stats shows what is used, against the limit', () => {
  const [header = '', ...rows] = lines('stats', '--no-stream')
  assert.match(header, /^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS$/)
  assert.is(rows.length, 2)
  const [busy] = lines('stats', '--no-stream', '--format', 'json', 'busy').map(
    (line) => JSON.parse(line) as Record<string, string>,
  )
  assert.ok(Number.parseFloat(busy?.CPUPerc ?? '') > 1, busy?.CPUPerc)
  assert.match(busy?.MemUsage ?? '', /^\d.* \/ 64MiB$/)
  assert.is(busy?.PIDs, '2')
  assert.equal(lines('stats', '--no-stream', '-a', '--format', '{{.Name}} {{.PIDs}}', 'shot'), [
    `${project.name}-shot-1 0`,
  ])
})

test('stats without a terminal prints again and again, and ends at a signal', async () => {
  const { start } = await import('./scenario.ts')
  const child = start(['stats', '--format', '{{.Name}}', 'keeper'], { cwd: project.directory })
  await eventually(() => child.text().split('\n').length > 2, 'two rounds')
  assert.not.match(child.text(), '\x1b')
  const ended = new Promise((resolve) => child.on('exit', resolve))
  child.kill('SIGTERM')
  assert.is(await ended, 130)
})

test('top shows the processes by the pids of this machine', () => {
  const [header = '', ...rows] = lines('top', 'busy')
  assert.match(header, /^SERVICE +# +UID +PID +PPID +C +STIME +TTY +TIME +CMD$/)
  assert.is(rows.length, 2)
  const pids = rows.map((row) => Number(row.split(/ +/)[3]))
  for (const pid of pids) assert.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /sleep/)
  assert.match(rows[1] ?? '', /^busy +1 +root .*sleep 1001$/)
  assert.equal(lines('top', 'shot').length, 1)
})

test('images, volumes and ls list what the project has', () => {
  assert.match(lines('images')[1] ?? '', new RegExp(`^${project.name}-busy-1 +caisson/host +latest +linux/`))
  const used = JSON.parse(project.run('images', '--format', 'json', 'keeper')) as { ContainerName: string }[]
  assert.equal(
    used.map(({ ContainerName }) => ContainerName),
    [`${project.name}-keeper-1`],
  )
  assert.is(lines('images', '-q').length, 1)
  assert.equal(lines('volumes', '-q'), [`${project.name}_data`])
  assert.equal(lines('volumes', '-q', 'busy'), [])
  assert.match(project.run('volumes', '--format', 'json'), /"Labels":"a=b,com\.docker\.compose\.project=/)
  assert.equal(lines('ls', '-q', '--filter', `name=^${project.name}$`), [project.name])
})

test('a service that is not there is named', () => {
  for (const verb of ['ps', 'stats', 'top', 'images', 'volumes']) {
    const { status, stderr } = project.try([verb, 'keper'])
    assert.is(status, 1, verb)
    assert.match(stderr, /no such service: keper/)
  }
})

test('a service of the file that has no container is known: nothing is to be stopped, paused or shown', () => {
  const partly = folder(`services:
  here: {image: caisson/host, network_mode: none, command: sleep 1000, stop_signal: SIGKILL}
  later: {image: caisson/host, network_mode: none, command: sleep 1000, stop_signal: SIGKILL}
`)
  partly.run('up', '-d', 'here')
  const begun = ps(partly)[0]?.ID
  for (const verb of ['stop', 'pause', 'kill', 'logs']) assert.is(partly.run(verb, 'later'), '', verb)
  for (const verb of ['restart', 'start']) assert.match(partly.try([verb, 'later']).stderr, /no containers to start/)
  assert.is(partly.try(['rm', '-sf', 'later']).stderr, 'No stopped containers\n')
  for (const verb of ['stop', 'pause', 'kill', 'logs', 'restart', 'start', 'rm']) {
    const { status, stderr } = partly.try([verb, 'nosuch'])
    assert.is(status, 1, verb)
    assert.match(stderr, /no such service: nosuch/)
  }
  assert.equal(
    ps(partly).map(({ ID, State }) => [ID, State]),
    [[begun, 'running']],
  )
  assert.match(partly.run('ls', '--filter', `name=^${partly.name}$`), /running\(1\)/)
  partly.run('up', '-d')
  partly.run('kill', 'later')
  const status = (...args: string[]) =>
    JSON.parse(partly.run('ls', '--format', 'json', '--filter', `name=^${partly.name}$`, ...args))[0]?.Status
  assert.is(status(), 'running(1)')
  assert.is(status('-a'), 'exited(1), running(1)')
})

test('stats on a terminal is drawn anew, and q and Ctrl-C leave it as it was', async () => {
  if (!hasTerminal) {
    console.log(`skipped: ${NO_TERMINAL}`)
    return
  }
  const shell = 'stty -g >before; "$@"; echo "ended $?"; stty -g | cmp - before && echo same'
  const open = (): Terminal =>
    new Terminal(['sh', '-c', shell, 'sh', process.execPath, CLI, 'stats'], {
      cwd: project.directory,
      env: { CAISSON_ROOT: stateRoot(), CAISSON_RUN: runRoot() },
    })
  for (const [key, code] of [
    ['q', 0],
    ['\x03', 130],
  ] as const) {
    const terminal = open()
    await eventually(() => terminal.raw.split('\x1b[H').length > 3, 'drawn three times')
    terminal.type(key)
    await terminal.shows(/same/)
    assert.match(terminal.text, `ended ${code}`)
    assert.not.match(terminal.raw, '\x1b[?', 'no mode of the terminal is switched')
    await terminal.ended
  }
})

test.run()
