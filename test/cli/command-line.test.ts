import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findCommand, interpret, parseGlobals } from '../../src/cli/command-line.ts'
import { COMMANDS } from '../../src/cli/registry.ts'
import { UsageError } from '../../src/cli/usage.ts'

/** What a whole command line means. */
const read = async (line: string) => {
  const globals = parseGlobals(line.split(' '))
  const { name, call } = await interpret(findCommand(globals.positionals))
  return { globals: globals.values, name, values: call.values as Record<string, unknown>, words: call.positionals }
}

const failure = async (line: string): Promise<UsageError> => {
  try {
    await read(line)
  } catch (error) {
    assert.instance(error, UsageError)
    return error as UsageError
  }
  throw new Error(`"${line}" was accepted`)
}

test('logs -f web follows web', async () => {
  const { name, values, words, globals } = await read('logs -f web')
  assert.equal([name, values.follow, words, globals.file], ['logs', true, ['web'], []])
})

test('-f a -f b logs web reads two files', async () => {
  const { globals, name, values, words } = await read('-f a -f b logs web')
  assert.equal([globals.file, name, values.follow, words], [['a', 'b'], 'logs', false, ['web']])
})

test('exec -e A=1 web ls -la leaves the options of ls alone', async () => {
  const { values, words } = await read('exec -e A=1 web ls -la')
  assert.equal([values.env, words], [['A=1'], ['web', 'ls', '-la']])
})

test('exec takes a second dash dash as a word of the command', async () => {
  assert.equal((await read('exec web sh -c -- x')).words, ['web', 'sh', '-c', '--', 'x'])
})

test('up web -d detaches', async () => {
  const { values, words } = await read('up web -d')
  assert.equal([values.detach, words], [true, ['web']])
})

test('rm -f forces, down -v removes volumes', async () => {
  assert.is((await read('rm -f')).values.force, true)
  assert.is((await read('down -v')).values.volumes, true)
})

test('compose in front of the command is accepted, with options before and behind it', async () => {
  const { globals, name, values } = await read('-p shop compose --profile a up -d')
  assert.equal([globals.projectName, globals.profile, name, values.detach], ['shop', ['a'], 'up', true])
})

test('compose as the name of a service is not in the way', async () => {
  assert.equal((await read('logs compose')).words, ['compose'])
})

test('nouns have commands of their own', async () => {
  assert.is((await read('image ls -q')).name, 'image ls')
  for (const verb of ['import', 'load', 'ls', 'pull', 'push', 'rm'])
    assert.match((await failure('image')).message, new RegExp(`\\b${verb}\\b`))
  assert.is((await failure('image list')).message, 'unknown command image list')
})

test('short forms of docker mean the command of their noun', async () => {
  for (const [words, name] of [
    ['save a', 'image save'],
    ['tag a b', 'image tag'],
    ['rmi a', 'image rm'],
    ['load', 'image load'],
    ['history a', 'image history'],
  ] as const)
    assert.is((await read(words)).name, name)
})

test('a command that was meant is named', async () => assert.is((await failure('dwon')).hint, 'did you mean "down"?'))

test('a command of Compose that is not there yet says so', async () =>
  assert.match((await failure('watch')).message, 'not supported yet'))

test('names of Object.prototype are no commands', async () =>
  assert.match((await failure('constructor')).message, 'unknown'))

test('the number of arguments is checked', async () => {
  assert.match((await failure('port web')).message, 'more')
  assert.match((await failure('version x')).message, 'fewer')
  assert.match((await failure('exec web')).hint ?? '', 'usage: caisson exec SERVICE COMMAND')
})

test('--help needs no arguments', async () => assert.is((await read('port --help')).values.help, true))

/** Options of `docker compose COMMAND --help`, Compose 2.40; long names, and short ones in front of them. */
const COMPOSE: Readonly<Record<string, string>> = {
  up: 'abort-on-container-exit abort-on-container-failure always-recreate-deps attach attach-dependencies build d:detach dry-run exit-code-from force-recreate menu no-attach no-build no-color no-deps no-log-prefix no-recreate no-start pull quiet-build quiet-pull remove-orphans V:renew-anon-volumes scale t:timeout timestamps wait wait-timeout w:watch y:yes',
  down: 'dry-run remove-orphans rmi t:timeout v:volumes',
  ps: 'a:all dry-run filter format no-trunc orphans q:quiet services status',
  logs: 'dry-run f:follow index no-color no-log-prefix since n:tail t:timestamps until',
  exec: 'd:detach dry-run e:env index T:no-tty privileged u:user w:workdir',
  stop: 'dry-run t:timeout',
  start: 'dry-run',
  restart: 'dry-run no-deps t:timeout',
  kill: 'dry-run remove-orphans s:signal',
  rm: 'dry-run f:force s:stop v:volumes',
  port: 'dry-run index protocol',
  ls: 'a:all dry-run filter format q:quiet',
  config:
    'dry-run environment format hash images lock-image-digests models networks no-consistency no-env-resolution no-interpolate no-normalize no-path-resolution o:output profiles q:quiet resolve-image-digests services variables volumes',
  version: 'dry-run f:format short',
  create: 'build dry-run force-recreate no-build no-recreate pull quiet-pull remove-orphans scale y:yes',
}

for (const [name, options] of Object.entries(COMPOSE)) {
  test(`${name} knows every option of docker compose ${name}`, async () => {
    const { longName } = await import('../../src/cli/grammar.ts')
    const { commonOptions } = await import('../../src/cli/command.ts')
    const command = await COMMANDS[name]?.load()
    const own = Object.entries({ ...command?.options, ...commonOptions } as Record<string, { short?: string }>).map(
      ([key, { short }]) => `${short === undefined ? '' : `${short}:`}${longName(key).slice(2)}`,
    )
    assert.equal(
      options.split(' ').filter((option) => !own.includes(option)),
      [],
    )
  })
}

test('no command gives two options one letter', async () => {
  for (const [name, entry] of Object.entries(COMMANDS)) {
    const command = await entry.load()
    const letters = Object.values(command.options as Record<string, { short?: string }>).flatMap(
      ({ short }) => short ?? [],
    )
    assert.is(new Set(letters).size, letters.length, name)
  }
})

test.run()
