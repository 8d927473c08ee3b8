/** The command line on a terminal, with real services: Ctrl-C, exec with a terminal, the live list. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { caisson, cli, projectWith } from '../helpers/caisson.ts'
import { needsRoot, skipFile } from '../helpers/root.ts'
import { hasTerminal, NO_TERMINAL, Terminal } from '../helpers/terminal.ts'

needsRoot(test)
if (!hasTerminal) skipFile(NO_TERMINAL)

const NAME = process.env.CAISSON_TEST_PREFIX ?? `p${process.pid}`
const COMPOSE = `name: ${NAME}
services:
  polite:
    image: caisson/host
    network_mode: none
    command: sh -c 'trap "echo bye; exit" TERM; echo ready; while :; do sleep 0.05; done'
  stubborn:
    image: caisson/host
    network_mode: none
    command: sh -c 'trap "echo no" TERM; echo ready; while :; do sleep 0.05; done'
    stop_grace_period: 60s
`
const cwd = projectWith({ 'compose.yaml': COMPOSE })
const env = {
  CAISSON_ROOT: process.env.CAISSON_ROOT ?? `${cwd}/.root`,
  CAISSON_RUN: process.env.CAISSON_RUN ?? `${cwd}/.run`,
}
const run = (...args: string[]) => caisson(args, { cwd, env })
const open = (...args: string[]): Terminal => new Terminal([process.execPath, cli, ...args], { cwd, env })

const states = (): string[] =>
  run('ps', '-a', '--format', '{{.Service}} {{.State}} {{.ExitCode}}').stdout.trimEnd().split('\n')

test.after(() => {
  run('down', '-t', '0')
})

test('Ctrl-C stops what was named, in order, and exits 130', async () => {
  const terminal = open('up', 'polite')
  await terminal.shows(/polite-1 {2}\| ready/)
  terminal.type('\x03')
  assert.is(await terminal.ended, 130, terminal.text)
  assert.match(terminal.text, 'Gracefully Stopping... press Ctrl+C again to force')
  assert.match(terminal.text, /polite-1 {2}\| bye/)
  assert.equal(states(), ['polite exited 0'])
})

test('a second Ctrl-C kills what does not stop', async () => {
  const terminal = open('up')
  await terminal.shows(/stubborn-1 {2}\| ready/)
  terminal.type('\x03')
  await terminal.shows(/stubborn-1 {2}\| no/)
  await terminal.shows(/polite-1 exited with code 0/)
  terminal.type('\x03')
  assert.is(await terminal.ended, 130, terminal.text)
  assert.equal(states(), ['polite exited 0', 'stubborn exited 137'])
})

test('prefixes are coloured on a terminal, and exits are told', async () => {
  const terminal = open('up', '--abort-on-container-exit')
  await terminal.shows(/stubborn-1 {2}\| ready/)
  run('kill', '-s', 'KILL', 'stubborn')
  assert.is(await terminal.ended, 137, terminal.text)
  assert.match(terminal.raw, /\x1b\[36mpolite-1 {4}\|\x1b\[0m /)
  assert.match(terminal.text, 'stubborn-1 exited with code 137')
})

test('keys of the menu help, and leave the services running', async () => {
  const terminal = open('up', '--menu', 'polite')
  await terminal.shows(/d detach .* \? help/)
  await terminal.shows(/polite-1 {2}\| ready/)
  terminal.type('?')
  await terminal.shows(/leave the containers running/)
  terminal.type('w')
  await terminal.shows(/watch is not there yet/)
  terminal.type('d')
  assert.is(await terminal.ended, 0, terminal.text)
  assert.match(states().join('\n'), 'polite running')
})

test('Ctrl-C is heard by the menu too, once to stop and twice to kill', async () => {
  const terminal = open('up', '--menu')
  await terminal.shows(/stubborn-1 {2}\| ready/)
  terminal.type('\x03')
  await terminal.shows(/stubborn-1 {2}\| no/)
  terminal.type('\x03')
  assert.is(await terminal.ended, 130, terminal.text)
  assert.match(states().join('\n'), 'stubborn exited 137')
})

test('Ctrl-C while a dependency is waited for stops what was begun', async () => {
  const waiting = projectWith({
    'compose.yaml': `name: ${NAME}w
services:
  job: {image: caisson/host, network_mode: none, command: "sh -c 'echo working; sleep 1000'", stop_signal: SIGKILL}
  web: {image: caisson/host, network_mode: none, command: sleep 1000, depends_on: {job: {condition: service_completed_successfully}}}
`,
  })
  const terminal = new Terminal([process.execPath, cli, 'up'], { cwd: waiting, env })
  await terminal.shows(/job-1 {2}\| working/)
  terminal.type('\x03')
  assert.is(await terminal.ended, 130, terminal.text)
  const { stdout } = caisson(['ps', '-a', '--format', '{{.Service}} {{.State}}'], { cwd: waiting, env })
  assert.match(stdout, 'job exited')
  assert.not.match(stdout, 'running')
  assert.is(caisson(['down', '-t', '0'], { cwd: waiting, env }).status, 0)
})

test('exec has a terminal of the size of its own, and passes the exit code on', async () => {
  assert.is(run('up', '-d', 'polite').status, 0)
  const terminal = open('exec', 'polite', 'sh', '-c', 'tty; stty size; read line; echo "got $line"; exit 7')
  await terminal.shows(/30 100/)
  terminal.type('hello\n')
  assert.is(await terminal.ended, 7, terminal.text)
  assert.match(terminal.text, /\/dev\/(?:pts\/\d|console)/)
  assert.match(terminal.text, 'got hello')
})

test('Ctrl-C in exec goes to the command inside', async () => {
  const terminal = open(
    'exec',
    'polite',
    'sh',
    '-c',
    'trap "echo caught; exit 3" INT; echo waiting; while :; do sleep 0.05; done',
  )
  await terminal.shows(/waiting/)
  terminal.type('\x03')
  assert.is(await terminal.ended, 3, terminal.text)
  assert.match(terminal.text, 'caught')
})

test('exec -T has none', () => {
  const { status, stdout } = run('exec', '-T', 'polite', 'sh', '-c', 'tty; exit 5')
  assert.equal([status, stdout], [5, 'not a tty\n'])
})

test('exec of what is not there exits 127, into a service that does not run 1', () => {
  assert.is(run('exec', '-T', 'polite', 'no-such-program').status, 127)
  assert.is(run('exec', '-T', 'stubborn', 'true').status, 1)
})

test('a change on a terminal that takes a while is drawn', async () => {
  const terminal = open('stop', '-t', '1')
  assert.is(await terminal.ended, 0, terminal.text)
  assert.match(terminal.text, new RegExp(`Container ${NAME}-polite-1 +Stopped`))
})

test.run()
