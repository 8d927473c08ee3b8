// takes: 30 s
/** Attached up: what the ends of containers and interrupts of every kind lead to. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, folder, ps, start } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const service = (script: string, more = ''): string =>
  `{image: caisson/host, network_mode: none, command: [sh, -c, ${JSON.stringify(script.replaceAll('$', '$$$$'))}]${more}}`
const FOREVER = 'while :; do sleep 0.05; done'
const ended = (child: ReturnType<typeof start>): Promise<number | null> =>
  new Promise((resume) => child.once('close', resume))

const project = folder(`services:
  ok: ${service('echo ok; exit 0')}
  bad: ${service('echo bad words >&2; sleep 0.3; exit 3')}
  long: ${service(`trap "exit 0" USR1; ${FOREVER}`, ', stop_signal: SIGKILL')}
  polite: ${service(`trap "exit 42" TERM; ${FOREVER}`)}
  init: ${service('exit 0')}
  after: ${service('sleep 0.5; exit 5', ', depends_on: {init: {condition: service_completed_successfully}}')}
`)

const CASES: readonly [args: string, code: number][] = [
  ['--abort-on-container-exit ok long', 0],
  ['--abort-on-container-exit bad long', 3],
  ['--abort-on-container-failure ok bad long', 3],
  ['--exit-code-from long bad long', 137],
  ['--exit-code-from polite bad polite', 42],
  ['--abort-on-container-exit init after long', 5],
]
for (const [args, code] of CASES) {
  test(`up ${args} gives ${code}, and nothing goes on`, () => {
    const { status, stderr } = project.try(['up', ...args.split(' ')])
    assert.is(status, code, stderr)
    assert.equal(
      ps(project).filter(({ State }) => State === 'running'),
      [],
    )
  })
}

test('the service that failed is told with its last words, as JSON where that is asked for', () => {
  const args = ['up', '--abort-on-container-failure', 'bad', 'long']
  assert.match(project.try(args).stderr, /service bad: .*-bad-1 exited with code 3\n {2}\| bad words/)
  const { stderr } = project.try(['--progress', 'json', ...args])
  const failure = stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .find(({ kind }) => kind === 'failure')
  assert.equal([failure?.version, failure?.service, failure?.exitCode, failure?.stderr], [1, 'bad', 3, ['bad words']])
})

test('names of options have to be services of this up, and exclude one another as in Compose', () => {
  assert.is(project.try(['up', '--exit-code-from', 'none', 'ok']).status, 1)
  assert.is(project.try(['up', '--attach', 'none', 'ok']).status, 1)
  for (const flags of [
    '-d --attach ok',
    '-d --exit-code-from ok',
    '--abort-on-container-exit --abort-on-container-failure',
  ])
    assert.is(project.try(['up', ...flags.split(' ')]).status, 2, flags)
})

test('output is shown of whom it is asked for', () => {
  const shown = (...args: string[]) => project.try(['up', '--force-recreate', ...args, 'ok', 'bad']).stdout
  assert.equal([/ok-1 /.test(shown('--no-attach', 'ok')), /bad words/.test(shown('--attach', 'ok'))], [false, false])
  assert.match(shown('--no-log-prefix'), /^bad words$/m)
  assert.match(shown('--timestamps'), /bad-1 +\| \d{4}-\d\d-\d\dT\S+Z bad words/)
})

for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} stops what was named, and leaves the others`, async () => {
    project.run('up', '-d', 'polite')
    const child = start(['up', 'long'], { cwd: project.directory })
    await eventually(
      () => ps(project).some(({ Service, State }) => Service === 'long' && State === 'running'),
      'the start',
    )
    await eventually(() => child.text().includes('Attaching'), 'the logs')
    child.kill(signal)
    assert.is(await ended(child), 130, child.text())
    const running = ps(project).filter(({ State }) => State === 'running')
    assert.equal(
      running.map(({ Service }) => Service),
      ['polite'],
    )
    project.run('down', '-t', '0')
  })
}

test('a reader that goes away ends it as Ctrl-C does', async () => {
  const child = start(['up', 'long', 'bad'], { cwd: project.directory })
  await eventually(() => child.text().includes('Attaching'), 'the logs')
  child.stdout?.destroy()
  assert.is(await ended(child), 130, child.text())
  assert.equal(
    ps(project).filter(({ State }) => State === 'running'),
    [],
  )
  project.run('down', '-t', '0')
})

test('a restart by another command, and a container made anew, are followed', async () => {
  const child = start(['up', 'long'], { cwd: project.directory })
  await eventually(() => child.text().includes('Attaching'), 'the logs')
  const begin = ps(project).find(({ Service }) => Service === 'long')?.ID
  project.run('restart', '-t', '0', 'long')
  await eventually(() => /long-1 exited with code 137/.test(child.text()), 'the end of the first run')
  project.run('up', '-d', '--force-recreate', '-t', '0', 'long')
  assert.is.not(ps(project).find(({ Service }) => Service === 'long')?.ID, begin)
  await eventually(() => child.text().match(/exited with code 137/g)?.length === 2, 'the end of the second run')
  assert.is(child.exitCode, null)
  project.run('kill', '-s', 'USR1', 'long')
  assert.is(await ended(child), 0, child.text())
  assert.match(child.text(), /long-1 exited with code 0/)
  project.run('down', '-t', '0')
})

test('a container that its policy starts again is told of, and is no end of up', () => {
  const flapping = folder(
    `services:\n  r: ${service('sleep 0.7; echo run; exit 3', ', restart: "on-failure:2"')}\n  long: ${service(FOREVER, ', stop_signal: SIGKILL')}\n`,
  )
  const { status, stdout } = flapping.try(['up', 'r'])
  assert.is(status, 0)
  assert.equal(
    stdout.split('\n').map((line) => line.replace(/ +\|/, ' |')),
    [0, 1]
      .flatMap(() => ['r-1 | run', 'r-1 exited with code 3 (restarting)'])
      .concat('r-1 | run', 'r-1 exited with code 3', ''),
  )
  assert.is(flapping.try(['up', '--abort-on-container-failure']).status, 3)
})

const TRIES = `n=$(cat /data/n 2>/dev/null || echo 0); echo $((n + 1)) >/data/n; echo try $n; exit $((n < 2 ? 5 - n : 0))`

test('ends and restarts before the logs are on the screen are told once, each with its code, and count', () => {
  const early = folder(`services:
  tries: ${service(TRIES, ', restart: on-failure, volumes: ["data:/data"]')}
  late: ${service('exit 9', ', depends_on: {ready: {condition: service_healthy}}')}
  ready: ${service('trap "exit 0" TERM; sleep 2 & wait', ', healthcheck: {test: sleep 0.5}')}
  long: ${service(FOREVER, ', stop_signal: SIGKILL')}
volumes: {data: {}}
`)
  const told = (...args: string[]) => {
    const { status, stdout } = early.try(['up', ...args])
    early.run('down', '-v', '-t', '0')
    return { status, lines: stdout.split('\n').map((line) => line.replace(/ +\|/, ' |')) }
  }
  const whole = [
    ...['tries-1 | try 0', 'tries-1 exited with code 5 (restarting)'],
    ...['tries-1 | try 1', 'tries-1 exited with code 4 (restarting)'],
    ...['tries-1 | try 2', 'tries-1 exited with code 0'],
  ]
  assert.equal(told('tries'), { status: 0, lines: [...whole, ''] })
  const { status, lines } = told('tries', 'late')
  assert.is(status, 0)
  assert.equal(
    lines.filter((line) => line.startsWith('tries')),
    whole,
  )
  assert.equal(
    lines.filter((line) => line.startsWith('late')),
    ['late-1 exited with code 9'],
  )
  for (const flags of ['--abort-on-container-failure', '--abort-on-container-exit', '--exit-code-from tries']) {
    const { status, lines } = told(...flags.split(' '), 'tries', 'late', 'long')
    assert.is(status, 5, flags)
    assert.equal(lines.slice(0, 2), whole.slice(0, 2))
  }
})

test('restarts before this up are not told', async () => {
  const before = folder(`services:
  r: ${service('trap "exit 6" USR1; while :; do sleep 0.02; done', ', restart: "on-failure:9", stop_signal: SIGKILL')}
`)
  const restarts = async (count: number) => {
    before.run('kill', '-s', 'USR1', 'r')
    await eventually(() => JSON.parse(before.run('inspect', 'r'))[0]?.RestartCount === count, `restart ${count}`)
  }
  before.run('up', '-d')
  await restarts(1)
  const child = start(['up'], { cwd: before.directory })
  await eventually(() => child.text().includes('Attaching'), 'the logs')
  await restarts(2)
  await eventually(() => child.text().includes('(restarting)'), 'the restart')
  before.run('kill', 'r')
  assert.is(await ended(child), 0)
  assert.equal(child.text().match(/exited with code.*/g), ['exited with code 6 (restarting)', 'exited with code 137'])
})

test('under GitHub Actions services cannot give commands, and failures stand beside their key', () => {
  const hostile = folder(`services:
  web: ${service('printf "\\r::error::forged\\n::set-output name=x::y\\n##[error]old\\n"; sleep 0.2; exit 3')}
`)
  const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: hostile.directory }
  const { status, stdout, stderr } = hostile.try(['up', '--abort-on-container-failure', '--no-log-prefix'], { env })
  assert.is(status, 3)
  const [, token = ''] = /^::stop-commands::([0-9a-f]{32})$/m.exec(stdout) ?? []
  assert.ok(stdout.startsWith(`::stop-commands::${token}\n`) && stdout.endsWith(`\n::${token}::\n`), stdout)
  assert.is(stdout.split(token).length, 3)
  const commands = stderr.split(/\r\n|\r|\n/).filter((line) => /^\s*::|##\[/.test(line))
  assert.equal(
    commands.map((line) => line.replace(/::[^:]*exited.*/, '::…')),
    [
      `::group::Changes of project ${hostile.name}`,
      '::endgroup::',
      '::error file=compose.yaml,line=2,col=3,title=service web::…',
      '::…',
      '::endgroup::',
    ].map((line) => (line === '::…' ? commands[3]?.replace(/::[^:]*exited.*/, '::…') : line)),
  )
  hostile.run('down')
  hostile.write('compose.yaml', 'services:\n  web: {image: 3x, nonsense: 1}\n')
  assert.match(hostile.try(['up'], { env }).stderr, /^::error file=compose\.yaml,line=2,col=\d+,title=Compose file::/m)
  hostile.write('compose.yaml', 'services: {}\n')
})

test('under GitLab changes are a section', () => {
  const { stderr } = project.try(['up', 'ok'], { env: { GITLAB_CI: 'true' } })
  assert.match(stderr, /^\x1b\[0Ksection_start:\d+:change_\S+\r\x1b\[0KChanges of project/m)
  assert.match(stderr, /^\x1b\[0Ksection_end:\d+:change_\S+\r\x1b\[0K$/m)
})

test.run()
