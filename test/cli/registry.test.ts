import { spawn } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { typed } from '../../src/cli/prompt.ts'
import { cli } from '../helpers/caisson.ts'
import { skipTest } from '../helpers/root.ts'
import { hasTerminal, NO_TERMINAL, Terminal } from '../helpers/terminal.ts'
import { begin, end, newWorld, serve, type World } from '../image/registry/world.ts'

const test = suite<World>('registry commands', newWorld())
test.before.each(begin)
test.after.each(end)

/** Beside the registry of this process, which has to answer meanwhile. As nobody in particular: none of it needs root. */
const run = ({ home }: World, line: string, input = '') =>
  new Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }>((resolve) => {
    const environment = { PATH: '/usr/bin:/bin', HOME: home, CAISSON_ROOT: `${home}/root`, CAISSON_RUN: `${home}/run` }
    const child = spawn(process.execPath, [cli, 'registry', ...line.split(' ')], { env: environment, cwd: home })
    const [out, err]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (part: Buffer) => out.push(part))
    child.stderr.on('data', (part: Buffer) => err.push(part))
    child.once('close', (status) =>
      resolve({ status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    )
    child.stdin.end(input)
  })

test('login takes the password from stdin, search lists, logout forgets', async (world) => {
  const registry = await serve(world, { access: { kind: 'basic', user: 'jo', password: 'secret' } })
  registry.addManifest('shop/web', '1', Buffer.from('{}'), 'application/json')
  const login = `login -u jo --password-stdin ${registry.host}`
  assert.is((await run(world, login, 'wrong\n')).status, 1)
  assert.equal((await run(world, login, 'secret\n')).stdout, 'Login Succeeded\n')
  const found = await run(world, `search --format {{.Name}} ${registry.host}/web`)
  assert.is(found.stdout, `${registry.host}/shop/web\n`)
  assert.match((await run(world, `logout ${registry.host}`)).stdout, /^Removed/)
  assert.is((await run(world, `search ${registry.host}/web`)).status, 1)
})

test('login never waits for a terminal that is not there, and shows no password', async (world) => {
  for (const line of ['login', 'login -u jo', 'login --password-stdin', 'login -u jo -p x --password-stdin'])
    assert.is((await run(world, line)).status, 2)
  const { stdout, stderr, status } = await run(world, 'login -u jo -p hidden-word 127.0.0.1:1')
  assert.is(status, 1)
  assert.not.match(stdout + stderr, 'hidden-word')
})

test('a filter or limit that is none is a usage error', async (world) => {
  for (const line of ['search --filter stars=many a', 'search --filter name=a b', 'search --limit 101 a', 'search'])
    assert.is((await run(world, line)).status, 2)
})

test('keys make a line: one is taken back, all are, the end ends it, and Ctrl-C interrupts', () => {
  assert.is(typed('ab', 'c'), 'abc')
  assert.is(typed('a😀', '\x7f'), 'a')
  assert.is(typed('ab', '\x15'), '')
  assert.is(typed('ab', '\x1b'), 'ab')
  assert.is(typed('ab', '\r'), undefined)
  assert.throws(() => typed('ab', '\x03'))
})

const onTerminal = 'login asks at the terminal, and shows nothing of the password'
if (hasTerminal)
  test(onTerminal, async (world) => {
    const registry = await serve(world, { access: { kind: 'basic', user: 'jo', password: 'hidden-word' } })
    const env = { CAISSON_ROOT: `${world.home}/root`, CAISSON_RUN: `${world.home}/run` }
    const terminal = new Terminal([process.execPath, cli, 'registry', 'login', registry.host], { cwd: world.home, env })
    await terminal.shows(/Username: /)
    terminal.type('jo\r')
    await terminal.shows(/Password: /)
    terminal.type('hidden-wot\x7frd\r')
    await terminal.shows(/Login Succeeded/)
    assert.is(await terminal.ended, 0)
    assert.not.match(terminal.raw, /hidden/)
    const command = [process.execPath, cli, 'registry', 'login', '-u', 'jo', registry.host]
    const interrupted = new Terminal(command, { cwd: world.home, env })
    await interrupted.shows(/Password: /)
    interrupted.type('hid\x03')
    assert.is(await interrupted.ended, 130)
  })
else skipTest(test, onTerminal, NO_TERMINAL)

test.run()
