/** JUnit files of `run` and `wait`. That of `up`: test/cli/render/junit.test.ts and the jobs of CI. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { parseXml } from '../helpers/xml.ts'
import { cleanUp, folder, ps } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const base = 'image: caisson/host, network_mode: none, stop_signal: SIGKILL'
const project = folder(`services:
  tests: {${base}, command: "true", depends_on: [db]}
  db: {${base}, command: sleep 1000}
  sick: {${base}, command: sleep 1000, healthcheck: {test: echo no; false, interval: 50ms, retries: 1}}
  picky: {${base}, command: "true", depends_on: {sick: {condition: service_healthy}}}
  three: {${base}, command: sh -c 'echo three; exit 3'}
`)

/** Name, then what was not passed and its type, then stdout. */
const casesOf = (): readonly (readonly string[])[] => {
  const path = join(project.directory, 'report.xml')
  const suite = parseXml(readFileSync(path, 'utf8')).children[0]
  rmSync(path)
  return (suite?.children ?? []).map(({ attributes, children }) => [
    attributes.name ?? '',
    ...children.map(({ name, attributes: { type }, text }) => (name.startsWith('system') ? text : (type ?? name))),
  ])
}

test('run --rm --junit tells of the one-off and of what it depends on', () => {
  const script = 'echo seen; echo bad >&2; exit 3'
  assert.is(project.try(['run', '--rm', '--junit', 'report.xml', 'tests', 'sh', '-c', script]).status, 3)
  assert.equal(casesOf(), [['tests', 'exit', 'seen', 'bad'], ['db']])
  assert.is(project.try(['run', '--rm', '--no-deps', '--junit', 'report.xml', 'tests', 'echo', 'well']).status, 0)
  assert.equal(casesOf(), [['tests', 'well']])
})

test('run --junit tells of one-offs that did not come to run', () => {
  assert.is(project.try(['run', '--rm', '--junit', 'report.xml', 'tests', '/no/such/program']).status, 127)
  assert.equal(casesOf()[0], ['tests', 'failure'])
  assert.is(project.try(['run', '--down', '--junit', 'report.xml', 'picky']).status, 125)
  assert.equal(
    casesOf().map(([name, kind]) => [name, kind]),
    [
      ['sick', 'failure'],
      ['picky', 'skipped'],
    ],
  )
})

test('run --junit and --detach exclude each other, and a dry run writes nothing', () => {
  assert.is(project.try(['run', '-d', '--junit', 'report.xml', 'tests']).status, 2)
  project.run('--dry-run', 'run', '--junit', 'report.xml', 'tests')
  assert.is(existsSync(join(project.directory, 'report.xml')), false)
})

test('what was started is taken down where the file cannot be written', () => {
  project.run('down', '-t', '0')
  const { status, stderr } = project.try(['run', '--rm', '--down', '--junit', 'no/such/directory', 'tests'])
  assert.is(status, 1)
  assert.match(stderr, /cannot write .*no\/such\/directory/)
  assert.equal(ps(project), [])
})

test('wait --junit tells of those that are waited for, before the project is taken down', () => {
  project.run('up', '-d', 'three', 'db')
  assert.is(project.try(['wait', '--junit', 'report.xml', 'three']).status, 3)
  assert.equal(casesOf(), [['three', 'exit', 'three']])
  assert.is(project.try(['wait', '--down-project', '--junit', 'report.xml', 'three', 'db']).status, 3)
  assert.equal(casesOf(), [['three', 'exit', 'three'], ['db']])
  assert.equal(ps(project), [])
})

test.run()
