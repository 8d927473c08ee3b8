import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, folder, stateRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const project = folder(
  `
services:
  a:
    image: caisson/host
    stop_signal: SIGKILL
    network_mode: none
    command: sleep 1000
    volumes:
      - data:/data
      - ./src:/src
      - ./src/file.txt:/etc/file.txt:ro
      - ./made/deep:/made
      - /anonymous
      - type: tmpfs
        target: /scratch
        tmpfs: {size: 1m, mode: 0700}
    tmpfs: /run/t:size=64k
  b:
    image: caisson/host
    stop_signal: SIGKILL
    network_mode: none
    command: sleep 1000
    read_only: true
    volumes: ["data:/data:ro"]
volumes:
  data:
`,
  { 'src/file.txt': 'from the host\n' },
)
const sh = (service: string, script: string): string => project.run('exec', '-T', service, 'sh', '-c', script).trim()

test('bind, named, anonymous and tmpfs mounts are where the file says', () => {
  project.run('up', '-d')
  assert.is(sh('a', 'cat /src/file.txt /etc/file.txt'), 'from the host\nfrom the host')
  assert.match(sh('a', 'grep " /scratch " /proc/mounts'), /tmpfs.*size=1024k.*mode=700/)
  assert.match(sh('a', 'grep " /run/t " /proc/mounts'), /size=64k/)
})

test('a write into a bind reaches the host, a read-only one is refused', () => {
  sh('a', 'echo new > /src/new.txt')
  assert.is(readFileSync(join(project.directory, 'src/new.txt'), 'utf8'), 'new\n')
  assert.match(sh('a', 'echo x > /etc/file.txt || true; cat /etc/file.txt'), /from the host/)
  assert.is(readFileSync(join(project.directory, 'src/file.txt'), 'utf8'), 'from the host\n')
})

test('a missing bind source is created as a directory', () => {
  assert.ok(statSync(join(project.directory, 'made/deep')).isDirectory())
})

test('services share a named volume, read-only where asked', () => {
  sh('a', 'echo shared > /data/x')
  assert.is(sh('b', 'cat /data/x'), 'shared')
  assert.is(sh('b', 'touch /data/y 2>/dev/null && echo written || echo refused'), 'refused')
  assert.is(sh('b', 'touch /y 2>/dev/null && echo written || echo refused'), 'refused', 'read_only root')
})

test('a named volume keeps its content over down and up', () => {
  project.run('down')
  project.run('up', '-d')
  assert.is(sh('b', 'cat /data/x'), 'shared')
})

test('an anonymous volume survives a recreate', () => {
  sh('a', 'echo kept > /anonymous/f')
  project.run('up', '-d', '--force-recreate')
  assert.is(sh('a', 'cat /anonymous/f'), 'kept')
})

test('down -v removes the volumes', () => {
  project.run('down', '-v')
  assert.not.ok(existsSync(join(stateRoot(), 'volumes', `${project.name}_data`)))
})

test.run()
