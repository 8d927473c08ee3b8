/** What commands print and return about real services. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { caisson, projectWith } from '../helpers/caisson.ts'
import { needsRoot } from '../helpers/root.ts'

needsRoot(test)

const NAME = process.env.CAISSON_TEST_PREFIX ?? `p${process.pid}`
const COMPOSE = `name: ${NAME}
services:
  talker:
    image: caisson/host
    network_mode: none
    stop_signal: SIGKILL
    command: sh -c 'for i in 1 2 3 4 5; do echo line $$i; done; echo oops >&2; exec sleep 60'
    labels: {colour: blue}
  shot:
    image: caisson/host
    network_mode: none
    command: sh -c 'echo bang; exit 4'
`
const cwd = projectWith({ 'compose.yaml': COMPOSE })
const env = {
  CAISSON_ROOT: process.env.CAISSON_ROOT ?? `${cwd}/.root`,
  CAISSON_RUN: process.env.CAISSON_RUN ?? `${cwd}/.run`,
}
const attempt = (line: string) => caisson(line.split(' '), { cwd, env })
const run = (line: string): string => {
  const { status, stdout, stderr } = attempt(line)
  assert.is(status, 0, `${line}: ${stdout}${stderr}`)
  return stdout
}
const states = (): string[] => run('ps -a --format {{.Service}}={{.State}}').trimEnd().split('\n').filter(Boolean)

test.after(() => {
  attempt('down -t 0')
})

test('create creates and does not start; start starts', () => {
  run('create')
  assert.equal(states(), ['shot=created', 'talker=created'])
  assert.is(run('ps -q'), '')
  run('start talker')
  assert.equal(states(), ['shot=created', 'talker=running'])
})

test('progress is lines on stderr, JSON where asked, or nothing', () => {
  assert.is(
    attempt('stop talker').stderr,
    ` Container ${NAME}-talker-1  Stopping\n Container ${NAME}-talker-1  Stopped\n`,
  )
  const lines = attempt('--progress json start talker').stderr.trimEnd().split('\n')
  assert.equal(JSON.parse(lines.at(-1) ?? ''), {
    id: `Container ${NAME}-talker-1`,
    status: 'Done',
    text: 'Started',
    details: 'exited (137)',
  })
  assert.is(attempt('--progress quiet stop talker').stderr, '')
  run('start talker')
})

test('ps has the columns and fields of docker compose', () => {
  const [header = '', row = ''] = run('ps').split('\n')
  assert.match(header, /^NAME +IMAGE +COMMAND +SERVICE +CREATED +STATUS +PORTS$/)
  assert.match(row, new RegExp(`^${NAME}-talker-1 +caisson/host +"sh -c 'for i in 1 2?.*…" +talker +.+ ago +Up `))
  const view = JSON.parse(run('ps --format json')) as Record<string, unknown>
  const fields =
    'Command CreatedAt ExitCode Health ID Image Labels LocalVolumes Mounts Name Names Networks Ports Project Publishers RunningFor Service Size State Status'
  assert.is(Object.keys(view).join(' '), fields)
  assert.match(String(view.Labels), 'colour=blue')
  assert.match(String(view.Labels), `com.docker.compose.project=${NAME}`)
  assert.match(String(view.ID), /^[0-9a-f]{12}/)
})

test('ps selects by state and service', () => {
  run('start shot')
  assert.is(run('ps --services'), 'talker\n')
  assert.is(run('ps -a --services --status exited'), 'shot\n')
  assert.is(run('ps -a --services --filter status=running'), 'talker\n')
  assert.match(run('ps -a shot'), /Exited \(4\) .* ago/)
})

test('logs have prefixes, ends, times and bounds', () => {
  run('stop')
  run('up -d --force-recreate talker')
  assert.is(run('logs --no-log-prefix talker'), 'line 1\nline 2\nline 3\nline 4\nline 5\noops\n')
  assert.is(run('logs -n 2 talker'), 'talker-1  | line 5\ntalker-1  | oops\n')
  assert.match(run('logs -t -n 1 talker'), /^talker-1 {2}\| \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z oops\n$/)
  assert.is(run('logs --since 2099-01-01T00:00:00Z'), '')
  assert.is(run('logs --until 1h talker'), '')
  assert.is(run('logs --since 1h -n 1 --index 1 --no-log-prefix talker'), 'oops\n')
  assert.is(attempt('logs --since tomorrow').status, 2)
})

test('up --scale makes more of one service', () => {
  run('up -d --scale talker=3 talker')
  assert.is(run('ps --services -q').split('\n').length - 1, 3)
  run('up -d talker')
  assert.is(run('ps -q').split('\n').length - 1, 1)
})

test('ls shows the project with its files, -a also without a running container', () => {
  assert.match(
    run('ls'),
    new RegExp(`^NAME +STATUS +CONFIG FILES\n${NAME} +running\\(1\\) +${cwd}/compose.yaml\n$`),
  )
  run('stop')
  assert.is(run('ls -q'), '')
  assert.is(run(`ls -a -q --filter name=${NAME}`), `${NAME}\n`)
})

test('restart starts what was running, rm removes what is stopped', () => {
  run('start talker')
  run('restart talker')
  assert.equal(states(), ['shot=exited', 'talker=running'])
  assert.is(attempt('rm').status, 2)
  run('rm -f')
  assert.equal(states(), ['talker=running'])
  run('rm -f -s')
  assert.equal(states(), [])
})

test('a published port is there again after restart, and after stop and start', () => {
  const door = projectWith({
    'compose.yaml': `name: ${NAME}door\nservices: {door: {image: caisson/host, stop_signal: SIGKILL, command: sleep 60, ports: ["127.0.0.1:18099:80"]}}\n`,
  })
  const does = (line: string): string => {
    const { status, stdout, stderr } = caisson(line.split(' '), { cwd: door, env })
    assert.is(status, 0, `${line}: ${stderr}`)
    return stdout
  }
  does('up -d')
  for (let round = 0; round < 5; round++) does('restart')
  does('stop')
  assert.is(caisson(['port', 'door', '80'], { cwd: door, env }).status, 1)
  does('up -d')
  assert.is(does('port door 80'), '127.0.0.1:18099\n')
  does('down')
})

test('--exit-code-from gives the code of the service and stops the rest', () => {
  const { status, stdout } = attempt('up --exit-code-from shot')
  assert.is(status, 4)
  assert.match(stdout, /shot-1 +\| bang\n/)
  assert.match(stdout, 'shot-1 exited with code 4\n')
  assert.equal(states(), ['shot=exited', 'talker=exited'])
})

test('attached output can be chosen', () => {
  const { status, stdout, stderr } = attempt('up --abort-on-container-exit --no-attach talker')
  assert.is(status, 4)
  assert.match(stderr, 'Attaching to shot-1\n')
  assert.not.match(stdout, 'line 1')
})

test('kill sends what is asked', () => {
  run('up -d --wait talker')
  run('kill talker')
  assert.match(run('ps -a talker'), 'Exited (137)')
})

test('down takes everything away, and what is not there is no error', () => {
  run('down')
  assert.equal(states(), [])
  assert.is(run('ls -a'), `${'NAME'.padEnd(20)}${'STATUS'.padEnd(20)}CONFIG FILES\n`)
  run('down')
})

test('a project is found by name alone', () => {
  run('up -d talker')
  const elsewhere = projectWith({})
  const ps = caisson(['-p', NAME, 'ps', '--services'], { cwd: elsewhere, env })
  assert.is(ps.stdout, 'talker\n')
  assert.is(caisson(['-p', NAME, 'down'], { cwd: elsewhere, env }).status, 0)
  assert.equal(states(), [])
})

test.run()
