// deadline: 600 s
// takes: 150 s
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEngine } from '../../src/index.ts'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, folder, runRoot, stateRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

/**
 * The command line is killed (SIGKILL to itself) just before each single change that it makes to the world, one after the
 * other; after each death the next ordinary command must bring the project to the wanted state. What leaks then is found
 * by the runner's look at the machine after this file.
 */
const crash = resolve(import.meta.dirname, 'crash.cjs')
const project = folder(`
services:
  a:
    image: caisson/host
    command: sleep 1000
    stop_signal: SIGKILL
    ports: ["19080:80"]
    volumes: [data:/data]
  b:
    image: caisson/host
    command: sleep 1000
    stop_signal: SIGKILL
    depends_on: [a]
volumes: {data: {}}
`)
const counted = join(tmpdir(), `caisson-crash-${process.pid}`)

const changes = (...args: string[]): number => {
  const outcome = project.try(args, { node: ['--require', crash], env: { CAISSON_TEST_CRASH_COUNT: counted } })
  assert.is(outcome.status, 0, outcome.stderr)
  return Number(readFileSync(counted, 'utf8'))
}
const killAt = (at: number, ...args: string[]): void => {
  const outcome = project.try(args, { node: ['--require', crash], env: { CAISSON_TEST_CRASH_AT: String(at) } })
  assert.ok(outcome.signal === 'SIGKILL' || outcome.status === 0, `${at}: ${outcome.status} ${outcome.stderr}`)
}
/** What `ps -a` lists; asked after each death, so without a process of its own. */
const engine = createEngine({
  root: stateRoot(),
  run: runRoot(),
  networkNamespace: undefined,
  environment: {},
  emit: () => {},
})
const containers = async (): Promise<string[]> =>
  (await engine.ps(project.name)).map((row) => `${row.service} ${row.state}`).sort()
const BOTH = ['a running', 'b running']

test('the first up of a machine, killed while it prepares caisson/host, is finished by the next', async () => {
  const forget = (): void => rmSync(stateRoot(), { recursive: true, force: true })
  const total = changes('up', '-d')
  for (let at = 5; at < total; at += Math.ceil(total / 8)) {
    project.run('down', '-v')
    forget()
    killAt(at, 'up', '-d')
    project.run('up', '-d')
    assert.equal(await containers(), BOTH, `killed before change ${at} of ${total}`)
  }
  project.run('down', '-v')
})

test('up and down, killed before each change, are finished by the next up and the next down', async () => {
  const upChanges = changes('up', '-d')
  const downChanges = changes('down', '-v')
  assert.ok(upChanges > 20 && downChanges > 10, `${upChanges} and ${downChanges} changes counted`)
  for (let at = 1; at <= Math.max(upChanges, downChanges); at++) {
    killAt(at, 'up', '-d')
    const next = project.try(['up', '-d'])
    assert.is(next.status, 0, next.stderr)
    assert.equal(await containers(), BOTH, `up killed before ${at} of ${upChanges}: ${next.stderr}`)
    killAt(at, 'down', '-v')
    project.run('down', '-v')
    assert.equal(await containers(), [], `down killed before change ${at} of ${downChanges}`)
  }
})

test('up, killed before each change, is undone by down', async () => {
  const total = changes('up', '-d')
  project.run('down', '-v')
  for (let at = 1; at <= total; at += 3) {
    killAt(at, 'up', '-d')
    project.run('down', '-v')
    assert.equal(await containers(), [], `killed before change ${at} of ${total}`)
  }
})

test.run()
