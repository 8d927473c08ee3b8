import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { caisson, cli, projectWith } from '../helpers/caisson.ts'

const SHOP = `name: shop
services:
  web:
    image: caisson/host
    command: sleep 60
    depends_on: [store]
  store:
    image: caisson/host
    command: sleep 60
`
const shop = projectWith({ 'compose.yaml': SHOP })
const run = (line: string, env: Record<string, string> = {}) =>
  caisson(line === '' ? [] : line.split(' '), { cwd: shop, env })

test('version says the number in three ways', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  assert.is(run('version').stdout, `Caisson version v${version}\n`)
  assert.is(run('version --short').stdout, `${version}\n`)
  assert.equal(JSON.parse(run('version -f json').stdout), { version: `v${version}` })
  assert.is(run('-v').stdout, run('version').stdout)
})

test('without a command there is short help, with --help all of it', () => {
  const { status, stdout } = run('')
  assert.is(status, 0)
  assert.match(stdout, 'caisson up -d')
  assert.match(run('--help').stdout, /Images and this machine:/)
  assert.match(run('help up').stdout, /Usage: caisson up \[OPTIONS\] \[SERVICE…\]/)
  assert.is(run('up --help').stdout, run('help up').stdout)
})

test('help keeps to 80 columns', () => {
  const long = ['--help', 'up --help', 'ps --help', 'config --help', 'logs --help'].flatMap((line) =>
    run(line)
      .stdout.split('\n')
      .filter((text) => [...text].length > 80),
  )
  assert.equal(long, [])
})

test('a usage error exits 2 and says what was meant, on stderr', () => {
  const { status, stdout, stderr } = run('up --detatch')
  assert.equal([status, stdout], [2, ''])
  assert.is(stderr, 'error: unknown flag --detatch of up\n  hint: did you mean "--detach"?\n')
})

test('an env file that is not there is our mistake to tell, not that of node', () => {
  const outcome = spawnSync(cli, ['--env-file', 'none.env', 'config', '-q'], { cwd: shop, encoding: 'utf8' })
  assert.is(outcome.status, 3, outcome.stderr)
  assert.match(outcome.stderr, 'env-file-not-found')
})

test('flags that exclude each other are a usage error', () => {
  assert.is(run('up -d --abort-on-container-exit').status, 2)
  assert.is(run('up --force-recreate --no-recreate').status, 2)
})

test('an invalid project exits 3 and shows every mistake at its place', () => {
  const cwd = projectWith({ 'compose.yaml': 'services:\n  web:\n    imagee: x\n    ports: [nonsense]\n' })
  const { status, stderr } = caisson(['config'], { cwd })
  assert.is(status, 3)
  assert.match(stderr, /compose\.yaml:3:5: error: .*imagee/)
  assert.match(stderr, /compose\.yaml:4:13: error/)
  assert.match(stderr, /\^{6}/)
})

test('no Compose file exits 3 and says what to do', () => {
  const { status, stderr } = caisson(['config'], { cwd: projectWith({}) })
  assert.is(status, 3)
  assert.match(stderr, 'There is no Compose file')
  assert.match(stderr, '-f FILE')
})

test('config prints the canonical form, and lists of names', () => {
  assert.match(run('config').stdout, /^name: shop\nservices:\n {2}store:\n/)
  assert.is(run('config --services').stdout, 'store\nweb\n')
  assert.is((JSON.parse(run('config --format json').stdout) as { name: string }).name, 'shop')
  assert.equal({ ...run('config -q') }, { status: 0, stdout: '', stderr: '' })
  assert.match(run('config --hash web').stdout, /^web [0-9a-f]{64}\n$/)
})

test('a file seen before reads the same', () => assert.is(run('config').stdout, run('config').stdout))

test('a Compose file may come from standard input', () => {
  const { stdout } = caisson(['-f', '-', 'config', '--services'], { cwd: shop, input: 'services: {one: {image: x}}' })
  assert.is(stdout, 'one\n')
})

test('COMPOSE_FILE and COMPOSE_PROJECT_NAME count, the command line over them', () => {
  const cwd = projectWith({ 'a.yaml': SHOP, 'b.yaml': 'services: {web: {working_dir: /b}}' })
  const env = { COMPOSE_FILE: 'a.yaml:b.yaml', COMPOSE_PROJECT_NAME: 'named' }
  assert.match(caisson(['config'], { cwd, env }).stdout, /^name: named\n[\s\S]*working_dir: \/b/)
  assert.match(caisson(['-p', 'flag', '-f', 'a.yaml', 'config'], { cwd, env }).stdout, /^name: flag\n/)
})

test('an unset variable is warned of, with its place', () => {
  const cwd = projectWith({ 'compose.yaml': 'services:\n  web:\n    image: "x:$' + 'TAG"\n' })
  const { status, stderr } = caisson(['config', '-q'], { cwd })
  assert.is(status, 0)
  assert.match(stderr, /compose\.yaml:3:\d+: warning: .*TAG/)
})

test('a dry run prints the plan with causes and needs no root', () => {
  const { status, stdout, stderr } = run('--dry-run up')
  assert.is(status, 0, stderr)
  assert.match(stdout, /createContainer shop-store-1 \(.+\)/)
  assert.is(run('up --dry-run').stdout, stdout)
})

test('ps of a project that never ran is an empty table', () => {
  assert.is(run('ps').stdout, 'NAME      IMAGE     COMMAND   SERVICE   CREATED   STATUS    PORTS\n')
  assert.is(run('ps --format json').stdout, '')
  assert.is(run('ps -q').stdout, '')
})

test('an unknown service is named', () => {
  const { status, stderr } = run('ps weeb')
  assert.is(status, 1)
  assert.match(stderr, 'no such service: weeb')
  assert.match(stderr, 'did you mean "web"?')
})

test('a wrong status is a usage error', () => assert.is(run('ps --status sleeping').status, 2))

test('ls without projects is an empty list', () => {
  assert.is(run('ls').stdout, `${'NAME'.padEnd(20)}${'STATUS'.padEnd(20)}CONFIG FILES\n`)
  assert.is(run('ls --format json').stdout, '[]\n')
})

test('nothing prints colours where there is no terminal, unless asked', () => {
  const ESCAPE = '\x1b['
  assert.not.match(run('nonsense').stderr, ESCAPE)
  assert.match(run('nonsense', { FORCE_COLOR: '1' }).stderr, ESCAPE)
  assert.not.match(run('nonsense', { FORCE_COLOR: '1', NO_COLOR: '1' }).stderr, ESCAPE)
})

test('a reader that has seen enough is no error', () => {
  const line = `"${process.execPath}" "${cli}" config | true; "${process.execPath}" "${cli}" --help | head -n 1`
  const { stdout, stderr } = spawnSync('sh', ['-c', line], { cwd: shop, encoding: 'utf8' })
  assert.equal({ stdout, stderr }, { stdout: 'Usage: caisson [OPTIONS] COMMAND\n', stderr: '' })
})

if (process.getuid?.() === 0) {
  const NOBODY = 65_534
  const asNobody = (line: string) => {
    chmodSync(shop, 0o777)
    return caisson(line.split(' '), {
      cwd: shop,
      uid: NOBODY,
      env: { HOME: '/nonexistent', CAISSON_ROOT: join(shop, '.other'), CAISSON_RUN: join(shop, '.other') },
    })
  }

  test('config, version, help and dry runs need no root', () => {
    for (const line of ['config -q', 'version', '--help', '--dry-run up', 'ps', 'ls'])
      assert.is(asNobody(line).status, 0, line)
  })

  test('up without root exits 4 with the line for sudo, paths absolute', () => {
    const { status, stderr } = asNobody('up -d')
    assert.is(status, 4)
    assert.match(stderr, `run: sudo ${process.execPath} /`)
  })
}

test.run()
