/** run, exec and attach on a terminal of their own. */
import { spawnSync } from 'node:child_process'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot, skipFile } from '../helpers/root.ts'
import { hasTerminal, NO_TERMINAL, Terminal } from '../helpers/terminal.ts'
import { CLI, cleanUp, eventually, folder, ps, runRoot, stateRoot } from './scenario.ts'

needsRoot(test)
if (!hasTerminal) skipFile(NO_TERMINAL)
test.after(cleanUp)

const project = folder(`
services:
  web: {image: caisson/host, network_mode: none, command: sleep 1000, stop_signal: SIGKILL}
  shell: {image: caisson/host, network_mode: none, command: sh, tty: true, stdin_open: true, stop_signal: SIGKILL}
`)
const on = (line: readonly string[]): Terminal => {
  const command = [process.execPath, CLI, ...line]
  const env = { CAISSON_ROOT: stateRoot(), CAISSON_RUN: runRoot() }
  // What the terminal is like afterwards tells whether raw mode was left.
  const script = `echo pty=$(tty); "$@"; code=$?; stty -a | grep -o -- '-\\?icanon'; exit $code`
  return new Terminal(['sh', '-c', script, 'sh', ...command], { cwd: project.directory, env, columns: 91, rows: 33 })
}

for (const [name, line] of [
  ['run', ['run', '--rm', 'web']],
  ['exec', ['exec', 'web']],
] as const) {
  test(`${name}: window size, Ctrl-C, Ctrl-D, exit code, and the terminal as it was`, async () => {
    if (name === 'exec') project.run('up', '-d')
    const terminal = on([...line, 'sh'])
    terminal.type('echo ready-$((1+1)); stty size\n')
    await terminal.shows(/ready-2\s+33 91/)
    terminal.type("trap 'echo caught-$((2+2))' INT; echo set-$((3+3)); sleep 1000\n")
    await terminal.shows(/set-6/)
    terminal.type('\x03')
    await terminal.shows(/caught-4/)
    terminal.type('cat\n')
    terminal.type('through-cat\n')
    await terminal.shows(/through-cat\s+through-cat/)
    terminal.type('\x04')
    terminal.type('exit 43\n')
    assert.is(await terminal.ended, 43)
    assert.match(terminal.text, /(?<!-)icanon/, terminal.text)
  })
}

test('the detach keys leave what is run, and the terminal as it was', async () => {
  const terminal = on(['run', 'web', 'sh', '-c', 'echo ready; exec sleep 1000'])
  await terminal.shows(/ready/)
  terminal.type('\x10\x11')
  assert.is(await terminal.ended, 0)
  assert.match(terminal.text, /\nicanon/)
  assert.equal(
    ps(project)
      .filter(({ Name }) => Name.includes('-run-'))
      .map(({ State }) => State),
    ['running'],
  )
})

test('a start that fails leaves the terminal as it was', async () => {
  const terminal = on(['run', '--rm', 'web', 'no-such-program'])
  assert.is(await terminal.ended, 127)
  assert.match(terminal.text, /\nicanon/)
})

test('attach: keys go in, output comes out, keys of one`s own detach, its end is our exit code', async () => {
  const first = on(['attach', '--detach-keys', 'ctrl-a,d', 'shell'])
  first.type('echo in-$((4+4)); stty size\n')
  await first.shows(/in-8\s+33 91/)
  first.type('\x01d')
  assert.is(await first.ended, 0)
  const second = on(['attach', 'shell'])
  second.type('echo again-$((5+5)); exit 6\n')
  await second.shows(/again-10/)
  assert.is(await second.ended, 6)
  await eventually(() => ps(project).find(({ Service }) => Service === 'shell')?.State === 'exited', 'the end')
  const outcome = project.try(['attach', 'shell'])
  assert.is(outcome.status, 1)
})

test('the size of the window is followed', async () => {
  const terminal = on([
    'run',
    '--rm',
    'web',
    'sh',
    '-c',
    'trap "stty size" WINCH; echo ready; while :; do sleep 0.05; done',
  ])
  await terminal.shows(/ready/)
  const tty = /pty=(\S+)/.exec(terminal.text)?.[1] ?? ''
  assert.is(spawnSync('stty', ['-F', tty, 'cols', '77', 'rows', '22']).status, 0)
  await terminal.shows(/22 77/)
  terminal.type('\x03')
  terminal.type('\x10\x11')
  await terminal.ended
})

test('down', () => {
  project.run('down', '-t', '0')
})

test.run()
