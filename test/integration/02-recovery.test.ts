import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { caisson, cleanUp, eventually, folder, ps, runRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const compose = `
services:
  a:
    image: caisson/host
    command: sh -c 'sleep 1000 & exec sleep 1000'
    stop_signal: SIGKILL
    user: "65534"
  b:
    image: caisson/host
    command: sleep 1000
    stop_signal: SIGKILL
    network_mode: none
    depends_on: [a]
`
const project = folder(compose)

/** Pid in this namespace of the container's init. */
const pidOf = (service: string): number => {
  const id = ps(project).find((row) => row.Service === service)?.ID ?? ''
  const status = JSON.parse(readFileSync(join(runRoot(), 'containers', id.slice(0, 12), 'status'), 'utf8')) as {
    pid: number
  }
  return status.pid
}
const parentOf = (pid: number): number =>
  Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
const gone = (pid: number): boolean => {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return true
  }
}

test('the services outlive the command line', () => {
  project.run('up', '-d')
  assert.equal(
    ps(project).map((row) => row.State),
    ['running', 'running'],
  )
})

test('kill -9 of a monitor ends everything in its container at once, also what changed its uid', async () => {
  const pid = pidOf('a')
  process.kill(parentOf(pid), 'SIGKILL')
  await eventually(() => gone(pid), 'the end of the payload')
})

test('the next command notices the dead monitor, and up brings the service back', () => {
  project.run('up', '-d')
  assert.equal(
    ps(project).map((row) => row.State),
    ['running', 'running'],
  )
})

test('SIGTERM to a monitor stops its container cleanly', async () => {
  const pid = pidOf('b')
  process.kill(parentOf(pid), 'SIGTERM')
  await eventually(() => ps(project).find((row) => row.Service === 'b')?.State === 'exited', 'the end', 15_000)
})

test('down cleans up after a killed monitor too', async () => {
  const pid = pidOf('a')
  process.kill(parentOf(pid), 'SIGKILL')
  await eventually(() => gone(pid), 'the end of the payload')
  project.run('down')
  assert.equal(ps(project), [])
})

test('the same project name from another folder is refused with both paths', () => {
  project.run('up', '-d')
  const other = folder(compose, {}, project.name)
  const outcome = other.try(['up', '-d'])
  assert.is(outcome.status, 1)
  assert.match(outcome.stderr, project.directory)
  assert.match(outcome.stderr, other.directory)
  project.run('down')
})

test('two up at once in one project end with one set of containers', async () => {
  const { start } = await import('./scenario.ts')
  const both = [start(['up', '-d'], { cwd: project.directory }), start(['up', '-d'], { cwd: project.directory })]
  const codes = await Promise.all(both.map((child) => new Promise((resume) => child.once('close', resume))))
  assert.equal(codes, [0, 0], both.map((child) => child.text()).join(''))
  assert.equal(
    ps(project)
      .map((row) => `${row.Name} ${row.State}`)
      .sort(),
    [`${project.name}-a-1 running`, `${project.name}-b-1 running`],
  )
  assert.is(caisson(['down'], { cwd: project.directory }).status, 0)
})

test.run()
