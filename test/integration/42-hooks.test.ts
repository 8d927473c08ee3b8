/** post_start and pre_stop: when they run, as whom, what their failure does, and where nothing runs them. */
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, folder, ps, start } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const run = (script: string): string => JSON.stringify(['sh', '-c', script.replaceAll('$', '$$$$')])
const LIVES = 'trap "exit 0" TERM; while :; do sleep 0.05; done'
/** A service that keeps a diary in a folder of the project, as do its hooks. */
const service = (script: string, more: string): string =>
  `{image: caisson/host, network_mode: none, stop_grace_period: 2s, volumes: [./log:/log], command: ${run(script)}, ${more}}`
const say = (word: string): string => `{command: ${run(`echo ${word} >> /log/diary`)}}`
const states = (project: ReturnType<typeof folder>): Record<string, string> =>
  Object.fromEntries(ps(project).map(({ Service, State }) => [Service, State]))

const files = { 'log/diary': '' }
const diary = (project: ReturnType<typeof folder>): string[] => {
  const said = readFileSync(`${project.directory}/log/diary`, 'utf8').split('\n').filter(Boolean)
  project.write('log/diary', '')
  return said
}

const web = service(LIVES, `post_start: [${say('one')}, ${say('two')}], pre_stop: [${say('bye')}]`)
const dependent = service(`echo dependent >> /log/diary; ${LIVES}`, 'depends_on: [web]')
const pair = folder(`services:\n  web: ${web}\n  dependent: ${dependent}\n`, files)

const LIVES_OF_A_CONTAINER: readonly [command: string, said: string[]][] = [
  ['up -d', ['one', 'two', 'dependent']],
  ['up -d', []],
  ['restart web', ['bye', 'one', 'two']],
  ['up -d --force-recreate', ['one', 'two', 'dependent']],
  ['stop', ['bye']],
  ['start', ['one', 'two', 'dependent']],
  ['kill web', []],
  ['start web', ['one', 'two']],
  ['rm -sf web', ['bye']],
  ['up -d --scale web=2', ['one', 'two', 'one', 'two']],
  ['up -d --scale web=1', ['bye']],
  ['run --rm --no-deps web true', []],
  ['down', ['bye']],
]
for (const [command, said] of LIVES_OF_A_CONTAINER) {
  test(`${command}: hooks run ${said.length === 0 ? 'not at all' : 'in their order, before dependents start and before the stop'}`, () => {
    pair.run(...command.split(' '))
    assert.equal(diary(pair).sort(), [...said].sort())
  })
}

test('a dependent starts after the hooks, not after the start alone', () => {
  const slow = `{command: ${run('sleep 0.4; echo late >> /log/diary')}}`
  const project = folder(
    `services:\n  web: ${service(LIVES, `post_start: [${slow}]`)}\n  dependent: ${dependent}\n`,
    files,
  )
  project.run('up', '-d')
  assert.equal(diary(project), ['late', 'dependent'])
})

test('user, working_dir and environment are those of the hook, everything else is the container`s', () => {
  const script = 'echo "$(id -u) $(pwd) $A [$B] $OWN" >> /log/diary'
  const hook = `{command: ${run(script)}, user: "65534", working_dir: /tmp, environment: {A: x, B: }}`
  const more = `environment: {B: unset, OWN: own}, post_start: [{command: [chmod, "666", /log/diary]}, ${hook}]`
  const project = folder(`services:\n  web: ${service(LIVES, more)}\n`, files)
  project.run('up', '-d')
  assert.equal(diary(project), ['65534 /tmp x [] own'])
})

test('only a privileged hook holds every capability', () => {
  const script = 'grep CapEff /proc/self/status | tail -c 17 >> /log/diary'
  const hooks = `[{command: ${run(script)}}, {command: ${run(script)}, privileged: true}]`
  const project = folder(`services:\n  web: ${service(LIVES, `post_start: ${hooks}`)}\n`, files)
  project.run('up', '-d')
  const [plain = 0n, privileged = 0n] = diary(project).map((bits) => BigInt(`0x${bits}`))
  const chownTo31 = (1n << 32n) - 1n
  assert.is(plain & chownTo31, 0xa80425fbn)
  assert.ok(privileged > plain && (privileged & (1n << 21n)) !== 0n, privileged.toString(16))
})

const failing = folder(
  `services:
  web: ${service(LIVES, `post_start: [${say('one')}, {command: ${run('echo words; exit 3')}}, ${say('never')}]`)}
  dependent: ${dependent}
`,
  files,
)

test('a failing post_start fails up with its last words; the container runs on, its dependents do not start', () => {
  const { status, stderr } = failing.try(['up', '-d'])
  assert.is(status, 1)
  assert.match(stderr, /service web: post_start hook 2 \(sh\) exited with code 3/)
  assert.match(stderr, /\| words/)
  assert.equal(diary(failing), ['one'])
  assert.equal(states(failing), { web: 'running' })
})

test('the next up takes the container as it is, as in Compose', () => {
  failing.run('up', '-d')
  assert.equal([diary(failing), states(failing)], [['dependent'], { web: 'running', dependent: 'running' }])
})

test('a hook that cannot be run fails like one that ends badly', () => {
  for (const hook of ['{command: [/no/such]}', '{command: ["true"], user: nobody-here}']) {
    const project = folder(`services:\n  web: ${service(LIVES, `post_start: [${hook}]`)}\n`, files)
    const { status, stderr } = project.try(['up', '-d'])
    assert.equal([status, states(project)], [1, { web: 'running' }], stderr)
    assert.match(stderr, /post_start hook .* could not be run/)
  }
})

test('a failing pre_stop keeps the container and what it depends on; kill and a mended file help', () => {
  const hook = `{command: ${run('exit 5')}}`
  const compose = (stop: string) =>
    `services:\n  store: ${service(LIVES, `pre_stop: [${say('bye')}]`)}\n  web: ${service(LIVES, `depends_on: [store], pre_stop: [${stop}]`)}\n`
  const project = folder(compose(hook), files)
  project.run('up', '-d')
  for (const command of [['stop'], ['down'], ['restart', 'web'], ['rm', '-sf', 'web']]) {
    assert.is(project.try(command).status, 1, command.join(' '))
    assert.equal([states(project), diary(project)], [{ store: 'running', web: 'running' }, []], command.join(' '))
  }
  project.write('compose.yaml', compose(say('mended')))
  project.run('down')
  assert.equal(diary(project), ['mended', 'bye'])
  project.write('compose.yaml', compose(hook))
  project.run('up', '-d')
  project.run('kill', 'web')
  project.run('down')
  assert.equal(states(project), {})
})

test('nothing is run in what is paused or has ended, and that is said', () => {
  const project = folder(
    `services:\n  web: ${web}\n  quick: ${service('true', `post_start: [{command: [sleep, "9"]}], pre_stop: [${say('never')}]`)}\n`,
    files,
  )
  assert.match(project.try(['up', '-d']).stderr, /post_start hook \(sleep\) of .*quick-1 /)
  diary(project)
  project.run('pause', 'web')
  assert.match(project.try(['stop']).stderr, /pre_stop hook \(sh\) of .*web-1 was not run: it is paused/)
  assert.equal([diary(project), states(project)], [[], { quick: 'exited', web: 'exited' }])
})

test('a restart by the policy runs no hooks', async () => {
  const more = `restart: always, post_start: [${say('one')}], pre_stop: [${say('bye')}]`
  const project = folder(
    `services:\n  web: ${service('echo begun >> /log/begun; test $(wc -l < /log/begun) -gt 1 || { sleep 0.5; exit 1; }; sleep 60', more)}\n`,
    files,
  )
  project.run('up', '-d')
  const begun = () => readFileSync(`${project.directory}/log/begun`, 'utf8').split('\n').length - 1
  await eventually(() => begun() === 2, 'the second run')
  assert.equal(diary(project), ['one'])
})

test('attached up shows what hooks write, and interrupting it ends one that hangs', async () => {
  const loud = `{command: ${run('echo out; echo err >&2')}}`
  const more = `post_start: [${loud}, {command: ${run('trap "" TERM; echo hangs; exec sleep 60')}}]`
  const project = folder(`services:\n  web: ${service(LIVES, more)}\n`, files)
  const child = start(['up'], { cwd: project.directory })
  const ended = new Promise((resume) => child.once('close', resume))
  await eventually(() => states(project).web === 'running', 'the start')
  child.kill('SIGINT')
  await eventually(() => child.text().includes('Gracefully'), 'the first interrupt')
  child.kill('SIGINT')
  assert.is(await ended, 130)
  assert.equal(states(project), { web: 'exited' })

  const short = folder(`services:\n  web: ${service('sleep 0.5', `post_start: [${loud}]`)}\n`, files)
  const { stdout } = short.try(['up'])
  assert.match(stdout, /web-1 -> +\| out\n/)
  assert.match(stdout, /web-1 -> +\| err\n/)
  assert.not.match(short.try(['up', '--no-attach', 'web', '--force-recreate']).stdout, /out/)
})

test('output that never ends and lines without ends cost nobody anything', () => {
  const flood = `{command: ${run('head -c 20000000 /dev/zero; yes | head -n 200000; exit 1')}}`
  const project = folder(`services:\n  web: ${service(LIVES, `post_start: [${flood}]`)}\n`, files)
  const { status, stderr } = project.try(['up', '-d'])
  assert.is(status, 1)
  assert.ok(stderr.length < 200_000, `${stderr.length}`)
})

test.run()
