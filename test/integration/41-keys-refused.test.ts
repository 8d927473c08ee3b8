/** Values that cannot be had, by us or by the kernel, and links. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, folder, ps } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const refused = (service: string, rest = '', files = {}) => {
  const other = folder(
    `services:\n  web:\n    image: caisson/host\n    network_mode: none\n    command: sleep 9\n${service}\n${rest}`,
    files,
  )
  const { status, stderr } = other.try(['up', '-d'])
  assert.equal(ps(other), [])
  return `${status} ${stderr}`
}

test('what cannot be is refused at its place before anything starts', () => {
  assert.match(refused('    devices: [/dev/nowhere]'), /^3 .*compose\.yaml:6:\d+.*\/dev\/nowhere/)
  assert.match(refused('    sysctls: {kernel.core_pattern: x}'), /^3 .*compose\.yaml:6:\d+.*kernel\.core_pattern/)
  assert.match(refused('    security_opt: [seccomp=none.json]'), /^3 .*compose\.yaml:6:\d+.*none\.json/)
  assert.match(refused('    platform: linux/s390x'), /^3 .*compose\.yaml:6:\d+.*s390x/)
  assert.match(refused('    secrets: [s]', 'secrets: {s: {file: ./missing}}'), /^3 .*compose\.yaml:6:\d+.*missing/)
  assert.match(refused('    secrets: [s]', 'secrets: {s: {file: /dev/zero}}'), /^3 .*neither a file nor a directory/)
  assert.match(refused('    secrets: [s]', 'secrets: {s: {external: true}}'), /^3 .*external/)
  assert.match(
    refused('    configs: [{source: s, target: /proc/version}]', 'configs: {s: {content: x}}'),
    /^3 .*\/proc\/version/,
  )
})

test('a FIFO as secret does not keep anybody waiting', () => {
  const other = folder(
    'services: {web: {image: caisson/host, network_mode: none, command: sleep 9, secrets: [s]}}\nsecrets: {s: {file: ./fifo}}\n',
  )
  execFileSync('mkfifo', [join(other.directory, 'fifo')])
  assert.match(other.try(['up', '-d'], { timeoutMs: 20_000 }).stderr, /neither a file nor a directory/)
})

test('what only the kernel can refuse has its place too', () => {
  assert.match(refused('    sysctls: {net.core.no_such_thing: 1}'), /compose\.yaml:6:\d+.*net\.core\.no_such_thing/)
})

test('a link is a name for one service only, and follows the service', () => {
  const linked = folder(`
services:
  db: {image: caisson/host, command: sleep 1000, stop_signal: SIGKILL}
  web: {image: caisson/host, command: sleep 1000, stop_signal: SIGKILL, links: ["db:database"]}
  other: {image: caisson/host, command: sleep 1000, stop_signal: SIGKILL}
`)
  linked.run('up', '-d')
  const ask = (service: string, name: string) =>
    linked.try(['exec', '-T', service, 'getent', 'ahostsv4', name]).stdout.split(' ')[0]
  assert.ok(ask('web', 'database'))
  assert.is(ask('web', 'database'), ask('web', 'db'))
  assert.is(ask('other', 'database'), '')
  linked.run('up', '-d', '--force-recreate', '--no-deps', 'db')
  assert.is(ask('web', 'database'), ask('web', 'db'))
  linked.run('down', '-t', '0')
})

test.run()
