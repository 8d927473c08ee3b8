/** cgroup_parent: several containers under one group of ours, and nowhere else. */
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, folder, ps } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const NAME = `t${process.pid}`
const of = (parent: string): ReturnType<typeof folder> =>
  folder(
    `services:\n  a: {image: caisson/host, network_mode: none, cgroup: host, cgroup_parent: "${parent}", mem_limit: 64m, pids_limit: 20, stop_signal: SIGKILL, command: [sleep, "1000"]}\n`,
  )
const groupsOf = (project: ReturnType<typeof folder>): string[] =>
  project
    .run('exec', '-T', 'a', 'cat', '/proc/1/cgroup')
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\d+:[^:]*:/, ''))
    .filter((path) => path.includes('/caisson/'))

/** Mount points of the hierarchies. */
const hierarchies = (): string[] =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap(([, at = '', type = '']) => (type.startsWith('cgroup') ? [at] : []))
const remains = (name: string): string[] => hierarchies().filter((mount) => existsSync(`${mount}/caisson/@/${name}`))

test('containers of several projects stand under it, with their limits, and it goes with the last of them', () => {
  const [one, two] = [of(`/${NAME}/deep/`), of(NAME)]
  one.run('up', '-d')
  two.run('up', '-d')
  const [id = ''] = ps(one).map(({ ID }) => ID)
  const groups = groupsOf(one)
  assert.ok(groups.length > 0)
  for (const group of groups) assert.match(group, new RegExp(`/caisson/@/${NAME}/deep/${one.name}@${id}$`))
  for (const group of groupsOf(two)) assert.match(group, new RegExp(`/caisson/@/${NAME}/${two.name}@[0-9a-f]{12}$`))
  assert.match(one.run('stats', '--no-stream', '--format', '{{.MemUsage}} {{.PIDs}}'), /\/ 64MiB 1\n$/)
  assert.match(one.run('top', 'a'), /sleep 1000/)
  one.run('restart')
  assert.equal(groupsOf(one).length, groups.length)
  one.run('down')
  for (const mount of remains(NAME)) assert.not(existsSync(`${mount}/caisson/@/${NAME}/deep`))
  assert.ok(remains(NAME).length > 0)
  two.run('down')
  assert.equal(remains(NAME), [])
})

test('no name leads out of our own groups, or into that of a container', () => {
  for (const parent of [
    '..',
    'a/../../..',
    '.',
    'shop@0123456789ab',
    'a/@',
    'a b',
    'a\\nb',
    'x/'.repeat(9),
    'x'.repeat(101),
  ]) {
    const { status, stderr } = of(parent).try(['up', '-d'])
    assert.is(status, 3, parent)
    assert.match(stderr, /compose\.yaml:2:\d+: error: cgroup_parent .*\[ECGROUP\]/)
  }
})

test('names that are also those of a project or of our own groups are no trouble', () => {
  const project = of('monitors')
  project.run('up', '-d')
  const other = of(`${project.name}/monitors`)
  other.run('up', '-d')
  assert.match(groupsOf(other)[0] ?? '', /monitors/)
  other.run('down')
  project.run('down')
  assert.equal(remains('monitors'), [])
})

test.run()
