// takes: 45 s
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, folder, ps, start, stateRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const base = 'image: caisson/host, stop_signal: SIGKILL, network_mode: none'
const project = folder(
  `
services:
  web:
    image: caisson/host
    network_mode: none
    command: sh -c 'echo of the service'
    restart: always
    stop_signal: SIGKILL
    environment: {A: file, B: file}
    labels: {colour: blue}
    volumes: [/anonymous, "data:/data"]
  all: {${base}, command: sleep 1000, depends_on: [one]}
  one: {${base}, command: sleep 1000}
volumes: {data: {}}
`,
  { 'more.env': 'A=env-file\nC=env-file\n' },
)
const inside = (...args: string[]): string => project.run('run', '--rm', ...args).trim()
const volumes = (): string[] => (existsSync(`${stateRoot()}/volumes`) ? readdirSync(`${stateRoot()}/volumes`) : [])
const oneOffs = (): string[] =>
  ps(project)
    .map(({ Name }) => Name)
    .filter((name) => name.includes('-run-'))

for (const [what, args, expected] of [
  ['the command of the service', ['web'], 'of the service'],
  ['a command', ['web', 'echo', '-n', 'x'], 'x'],
  ['--entrypoint takes the command away', ['--entrypoint', 'echo "a b"', 'web'], 'a b'],
  ['-e over the file', ['-e', 'A=1', '-e', 'HOME', 'web', 'sh', '-c', 'echo $A $B'], '1 file'],
  ['--env-from-file', ['--env-from-file', 'more.env', '-e', 'C=2', 'web', 'sh', '-c', 'echo $A $C'], 'env-file 2'],
  ['-u', ['-u', '1000:5', 'web', 'sh', '-c', 'echo $(id -u):$(id -g)'], '1000:5'],
  ['-w makes it', ['-w', '/new/place', 'web', 'pwd'], '/new/place'],
  ['--cap-drop', ['--cap-drop', 'ALL', 'web', 'grep', 'CapEff', '/proc/self/status'], 'CapEff:\t0000000000000000'],
  [
    '--cap-add',
    ['--cap-drop', 'ALL', '--cap-add', 'KILL', 'web', 'sh', '-c', 'grep CapEff /proc/self/status | cut -f2'],
    '0000000000000020',
  ],
  [
    '-v of a path, read-only',
    ['-v', './:/here:ro', 'web', 'sh', '-c', 'ls /here; touch /here/x 2>/dev/null || echo ro'],
    'compose.yaml\nmore.env\nro',
  ],
  ['it is PID 1', ['web', 'sh', '-c', 'echo $$'], '1'],
  ['no terminal here', ['web', 'sh', '-c', 'tty || true'], 'not a tty'],
  [
    'no descriptor of ours',
    ['web', 'sh', '-c', 'for n in 3 4 5 6 7 8 9; do [ -e /proc/1/fd/$n ] && echo $n; done; true'],
    '',
  ],
] as const)
  test(`run: ${what}`, () => assert.is(inside(...args), expected))

test('nothing stays of run --rm: no container, no anonymous volume, no network, no record', () => {
  assert.equal(ps(project), [])
  assert.equal(volumes(), [`${project.name}_data`])
})

test('stdin goes in to its end, stdout and stderr come out apart, the exit code is the command`s', () => {
  const script = 'cat; echo err >&2; exit 42'
  const outcome = project.try(['run', '--rm', '-T', 'web', 'sh', '-c', script], { input: 'in\n'.repeat(100_000) })
  assert.is(outcome.status, 42)
  assert.is(outcome.stdout, 'in\n'.repeat(100_000))
  assert.is(outcome.stderr, 'err\n')
})

test('with --interactive=false there is no stdin', () => {
  const outcome = project.try(['run', '--rm', '--interactive=false', 'web', 'cat'], { input: 'x' })
  assert.is(outcome.stdout, '')
})

test('all output arrives where the reader takes its time, and none is lost at the end', async () => {
  const script = 'i=0; while [ $i -lt 60 ]; do head -c 100000 /dev/zero; i=$((i+1)); done'
  const child = start(['run', '--rm', 'web', 'sh', '-c', script], { cwd: project.directory })
  let size = 0
  child.stdout?.on('data', (data: Buffer) => {
    size += data.length
    child.stdout?.pause()
    setTimeout(() => child.stdout?.resume(), size <= 65_536 ? 2500 : 0) // longer than a monitor waits for others
  })
  assert.is(await new Promise((resume) => child.once('close', resume)), 0, child.text().slice(0, 200))
  assert.is(size, 6_000_000)
})

for (const [what, args, status] of [
  ['no such program', ['web', 'no-such-program'], 127],
  ['not executable', ['web', '/etc/passwd'], 126],
  ['no such user', ['-u', 'no-such-user', 'web', 'true'], 125],
  ['a directory that is no absolute path', ['-w', 'relative', 'web', 'true'], 2],
  ['no such service', ['nothing', 'true'], 3],
  ['-p and -P', ['-p', '80', '-P', 'web', 'true'], 2],
  ['a port that is none', ['-p', 'x', 'web', 'true'], 2],
  ['a volume that is none', ['-v', 'a:b', 'web', 'true'], 2],
  ['no such file of variables', ['--env-from-file', 'nothing', 'web', 'true'], 2],
] as const)
  test(`run fails: ${what}`, () => {
    const outcome = project.try(['run', '--rm', ...args])
    assert.is(outcome.status, status, outcome.stderr)
    assert.equal(oneOffs(), [])
    assert.equal(volumes(), [`${project.name}_data`])
  })

test('-d prints the name; what has ended stays without --rm, labelled as a one-off; down takes it', async () => {
  const name = project.run('run', '-d', '-l', 'colour=red', 'web', 'sh', '-c', 'exit 3').trim()
  assert.match(name, new RegExp(`^${project.name}-web-run-[0-9a-f]{12}$`))
  await eventually(() => ps(project)[0]?.State === 'exited', 'the end')
  const [row] = ps(project) as unknown as [{ Name: string; ExitCode: number; Labels: string }]
  assert.is(row.Name, name)
  assert.is(row.ExitCode, 3)
  assert.match(row.Labels, /com\.docker\.compose\.oneoff=True/)
  assert.match(row.Labels, /colour=red/)
  project.run('down')
  assert.equal(ps(project), [])
})

test('--name names it, and a name is one container`s', () => {
  const name = `${project.name}-mine`
  project.run('run', '-d', '--name', name, 'web', 'sleep', '1000')
  const again = project.try(['run', '--name', name, 'web', 'true'])
  assert.is(again.status, 125)
  assert.match(again.stderr, /is used by/)
  project.run('down', '-t', '0')
})

test('dependencies are started first and go on; --no-deps leaves them; --down takes them down', () => {
  assert.is(inside('--no-deps', 'all', 'echo', 'x'), 'x')
  assert.equal(ps(project), [])
  assert.is(inside('--down', 'all', 'echo', 'x'), 'x')
  assert.equal(ps(project), [])
  assert.is(inside('all', 'echo', 'x'), 'x')
  assert.equal(
    ps(project).map(({ Service, State }) => `${Service} ${State}`),
    ['one running'],
  )
  assert.is(inside('--down', 'all', 'echo', 'x'), 'x')
  assert.equal(ps(project).length, 1, 'it ran before')
  project.run('down', '-t', '0')
})

test('conditions of dependencies are waited for; where one fails, nothing of the command stays', () => {
  const job = (code: number) =>
    folder(`
services:
  web: {${base}, command: sleep 1000, depends_on: {job: {condition: service_completed_successfully}}}
  job: {${base}, command: sh -c 'sleep 0.3; exit ${code}'}
`)
  const good = job(0)
  assert.is(good.run('run', '--rm', 'web', 'echo', 'x'), 'x\n')
  assert.is(good.try(['run', '--rm', 'web', 'no-such-program']).status, 127)
  assert.equal(
    ps(good).map(({ Service }) => Service),
    ['job'],
  )
  good.run('down', '-t', '0')
  const bad = job(3)
  assert.is(bad.try(['run', '--rm', 'web', 'echo', 'x']).status, 125)
  assert.equal(
    ps(bad).map(({ Service }) => Service),
    ['job'],
  )
  bad.run('down', '-t', '0')
})

test('killed with -9, run --rm leaves the container to its end, which comes with its stdin; then nothing is left', async () => {
  const child = start(['run', '--rm', 'web', 'sh', '-c', 'echo up; cat; sleep 0.2'], {
    cwd: project.directory,
    stdin: 'pipe',
  })
  await eventually(() => child.text().includes('up'), 'the start')
  assert.equal(oneOffs().length, 1)
  const before = volumes().length
  child.kill('SIGKILL')
  await eventually(() => oneOffs().length === 0, 'the end')
  assert.is(volumes().length, before - 1)
})

test('signals reach the process once each', async () => {
  const script = 'trap "echo int" INT; trap "echo term; exit 7" TERM; echo up; while :; do sleep 0.05; done'
  const child = start(['run', '--rm', 'web', 'sh', '-c', script], { cwd: project.directory, stdin: 'pipe' })
  await eventually(() => child.text().includes('up'), 'the start')
  child.kill('SIGINT')
  await eventually(() => child.text().includes('int'), 'the first signal')
  child.kill('SIGTERM')
  assert.is(await new Promise((resume) => child.once('close', resume)), 7)
  assert.is(child.text(), 'up\nint\nterm\n')
})

test('the third interrupt kills what does not listen', async () => {
  const child = start(['run', '--rm', 'web', 'sh', '-c', 'trap "" INT; echo up; while :; do sleep 0.05; done'], {
    cwd: project.directory,
    stdin: 'pipe',
  })
  const closed = new Promise((resume) => child.once('close', resume)) // it may end during the last pause
  await eventually(() => child.text().includes('up'), 'the start')
  for (let i = 0; i < 3; i++) {
    child.kill('SIGINT')
    await new Promise((resume) => setTimeout(resume, 50)) // signals that wait are one
  }
  assert.is(await closed, 137)
})

test('the container ends when nobody reads its output any more', async () => {
  const child = start(['run', '--rm', 'web', 'sh', '-c', 'while :; do echo y; done'], {
    cwd: project.directory,
    stdin: 'pipe',
  })
  await eventually(() => child.text().length > 100, 'output')
  child.stdout?.destroy()
  await new Promise((resume) => child.once('close', resume))
  assert.equal(oneOffs(), [])
})

test('ports and names: none of the service`s unless asked for', () => {
  const net = folder(`
services:
  web: {image: caisson/host, command: sleep 1000, stop_signal: SIGKILL, ports: ["80"], networks: {default: {aliases: [www]}}}
`)
  const shows = (...args: string[]): string => {
    const name = net.run('run', '-d', ...args, 'web', 'sleep', '1000').trim()
    const row = net
      .run('ps', '-a', '--format', 'json')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { Name: string; Publishers: unknown[] })
    const published = row.find(({ Name }) => Name === name)?.Publishers.length ?? 0 // one for each family
    const answers = ['web', 'www', name].filter(
      (host) => net.try(['run', '--rm', 'web', 'getent', 'hosts', host]).status === 0,
    )
    net.run('down', '-t', '0')
    return `${published} ${answers.length}`
  }
  assert.is(shows(), '0 1')
  assert.is(shows('-P'), '2 1')
  assert.is(shows('-p', '81'), '2 1')
  assert.is(shows('--use-aliases'), '0 3')
})

test('--dry-run shows the plan and does nothing', () => {
  assert.match(project.run('--dry-run', 'run', 'all', 'true'), /createContainer .*-all-run-/)
  assert.equal(ps(project), [])
})

test.run()
