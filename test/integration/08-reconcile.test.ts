import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, folder, ps } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const compose = (a: string, extra = ''): string => `
services:
  a:
    image: caisson/host
    stop_signal: SIGKILL
    command: sleep 1000
    environment: {A: "${a}"}
  b:
    image: caisson/host
    stop_signal: SIGKILL
    command: sleep 1000
    depends_on: [a]
${extra}`
const project = folder(compose('1'))
const ids = (): Record<string, string> =>
  Object.fromEntries(ps(project).map((row) => [row.Name.slice(project.name.length + 1), row.ID]))

test('--dry-run prints the plan with its causes and does nothing', () => {
  const outcome = project.try(['--dry-run', 'up', '-d'])
  assert.is(outcome.status, 0, outcome.stderr)
  assert.match(outcome.stdout + outcome.stderr, /createContainer|create/i)
  assert.equal(ps(project), [])
})

test('only what changed is recreated', () => {
  project.run('up', '-d')
  const before = ids()
  project.write('compose.yaml', compose('2'))
  project.run('up', '-d')
  const after = ids()
  assert.is.not(after['a-1'], before['a-1'])
  assert.is(after['b-1'], before['b-1'])
  assert.match(project.run('exec', '-T', 'a', 'env'), /^A=2$/m)
})

test('scale adds and removes the highest numbers', () => {
  project.run('up', '-d', '--scale', 'a=3')
  const before = ids()
  assert.equal(Object.keys(before).sort(), ['a-1', 'a-2', 'a-3', 'b-1'])
  project.run('up', '-d', '--scale', 'a=2')
  const after = ids()
  assert.equal(Object.keys(after).sort(), ['a-1', 'a-2', 'b-1'])
  assert.is(after['a-1'], before['a-1'])
})

test('an orphan is reported, and removed only when asked', () => {
  project.write('compose.yaml', compose('2').replace(/ {2}b:[\s\S]*/, ''))
  const outcome = project.try(['up', '-d'])
  assert.match(outcome.stderr, /orphan/i)
  assert.ok(ids()['b-1'])
  project.run('up', '-d', '--remove-orphans')
  assert.not.ok(ids()['b-1'])
})

test('an override file and .env take part', () => {
  project.write('.env', 'FROM_ENV=yes\n')
  project.write('compose.override.yaml', 'services: {a: {environment: {B: "${FROM_ENV}"}}}\n')
  project.run('up', '-d')
  assert.match(project.run('exec', '-T', 'a', 'env'), /^B=yes$/m)
})

test('a mistake is shown with its line before anything changes', () => {
  const before = ids()
  project.write('compose.yaml', compose('3').replace('command', 'comand'))
  const outcome = project.try(['up', '-d'])
  assert.is(outcome.status, 3)
  assert.match(outcome.stderr, /compose\.yaml:6:5/)
  assert.match(outcome.stderr, /command/)
  assert.equal(ids(), before)
  project.write('compose.yaml', compose('2'))
})

test('ls lists the project, down empties it', () => {
  assert.match(project.run('ls', '--format', 'json'), project.name)
  project.run('down', '--remove-orphans')
  assert.not.match(project.run('ls', '--format', 'json'), project.name)
})

test.run()
