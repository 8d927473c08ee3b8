import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Status } from '../../src/state/records.ts'
import { readHealth } from '../../src/state/snapshot.ts'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, folder, ps, runRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const compose = `
x-idle: &idle
  image: caisson/host
  command: sleep 1000
  stop_signal: SIGKILL
  network_mode: none
services:
  flag:
    <<: *idle
    user: "65534"
    healthcheck: {test: "id -u; test -e /tmp/up", interval: 200ms, retries: 2}
  hangs:
    <<: *idle
    healthcheck: {test: [CMD, sh, -c, "setsid sleep 777 & sleep 778"], interval: 200ms, timeout: 200ms, retries: 1}
  leaves:
    <<: *idle
    healthcheck: {test: [CMD, sh, -c, "(setsid sleep 779 &); exit 0"], interval: 100ms}
  lenient:
    <<: *idle
    healthcheck: {test: "exit 1", interval: 100ms, retries: 1, start_period: 10m}
  missing:
    <<: *idle
    healthcheck: {test: [CMD, /no/such/program], interval: 100ms, retries: 1}
  loud:
    <<: *idle
    healthcheck: {test: "yes '\\"\\\\' | head -c 1000000", interval: 200ms}
  crashes:
    <<: *idle
    command: sh -c 'sleep 1; exit 1'
    restart: always
    healthcheck: {test: "true", interval: 10m}
  without:
    <<: *idle
    healthcheck: {test: [NONE]}
  web:
    image: caisson/host
    stop_signal: SIGKILL
    command: sh -c 'cd /usr/share && exec python3 -m http.server 8000'
    x-caisson-probe: {http: 8000/}
    healthcheck: {interval: 200ms}
  bad:
    image: caisson/host
    stop_signal: SIGKILL
    command: sh -c 'cd /usr/share && exec python3 -m http.server 8000'
    x-caisson-probe: {http: 8000/no-such-page}
    healthcheck: {interval: 100ms, retries: 1}
  port:
    image: caisson/host
    stop_signal: SIGKILL
    command: python3 -m http.server 8000
    x-caisson-probe: {tcp: "8000"}
  closed:
    <<: *idle
    x-caisson-probe: {tcp: 8001}
    healthcheck: {interval: 100ms, retries: 1}
`
const project = folder(compose)

const idOf = (service: string): string =>
  ps(project)
    .find((row) => row.Service === service)
    ?.ID.slice(0, 12) ?? ''
const ids = new Map<string, string>()
const id = (service: string): string => {
  const known = ids.get(service) ?? idOf(service)
  ids.set(service, known)
  return known
}
const statusOf = (service: string): Status =>
  JSON.parse(readFileSync(join(runRoot(), 'containers', id(service), 'status'), 'utf8')) as Status
const becomes = (service: string, health: Status['health']) =>
  eventually(() => statusOf(service).health === health, `${service} ${health}`, 20_000)
const probesOf = (service: string) => readHealth({ root: '', run: runRoot() }, id(service))
const processes = (): string => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })

test('each service becomes what its probe says', async () => {
  project.run('up', '-d')
  await becomes('web', 'healthy')
  await becomes('port', 'healthy')
  await becomes('leaves', 'healthy')
  await becomes('loud', 'healthy')
  for (const service of ['flag', 'hangs', 'missing', 'bad', 'closed']) await becomes(service, 'unhealthy')
  assert.is(statusOf('lenient').health, 'starting')
  assert.is(statusOf('without').health, 'none')
})

test('a healthy service turns unhealthy after its retries, and one success heals it', async () => {
  project.run('exec', 'flag', 'touch', '/tmp/up')
  await becomes('flag', 'healthy')
  assert.match(project.run('ps', 'flag'), /\(healthy\)/)
  assert.is(probesOf('flag')?.log.at(-1)?.output, '65534\n', 'it runs as the service does')
  project.run('exec', 'flag', 'rm', '/tmp/up')
  await becomes('flag', 'unhealthy')
  assert.ok((probesOf('flag')?.failingStreak ?? 0) >= 2)
  assert.ok((probesOf('flag')?.log.length ?? 99) <= 5)
})

test('what times out is ended with all that it has started', async () => {
  const { exitCode, output } = probesOf('hangs')?.log.at(-1) ?? {}
  assert.is(exitCode, -1)
  assert.match(output ?? '', /did not end/)
  project.run('pause', 'hangs')
  project.run('unpause', 'hangs')
  await eventually(() => (processes().match(/^sleep 77[78]$/gm) ?? []).length <= 2, 'no more than of one probe')
})

test('what a probe leaves running ends with it, and no zombie stays', async () => {
  await eventually(() => (probesOf('leaves')?.log.length ?? 0) === 5, 'five probes')
  const left = processes().match(/^sleep 779$/gm) ?? []
  assert.ok(left.length <= 1, left.join(' '))
  const { pid } = statusOf('leaves')
  assert.is(spawnSync('ps', ['-o', 'stat=', '--ppid', String(pid)], { encoding: 'utf8' }).stdout, '')
})

test('a program that is not there is told, and output is cut and never parsed', async () => {
  assert.match(probesOf('missing')?.log.at(-1)?.output ?? '', /\/no\/such\/program: No such file/)
  assert.is(probesOf('missing')?.log.at(-1)?.exitCode, -1)
  assert.is(probesOf('loud')?.log.at(-1)?.output.length, 4096)
  assert.match(probesOf('bad')?.log.at(-1)?.output ?? '', /status 404/)
})

test('a restart begins with starting again', async () => {
  const restarts = () => statusOf('crashes').restarts
  await eventually(() => restarts() >= 1 && statusOf('crashes').health === 'healthy', 'healthy again', 20_000)
})

test('while a service is paused nothing probes it', async () => {
  project.run('pause', 'flag')
  assert.is(statusOf('flag').state, 'paused')
  const before = probesOf('flag')?.log.at(-1)?.start
  await eventually(() => (probesOf('hangs')?.failingStreak ?? 0) > 3, 'time passes')
  assert.is(probesOf('flag')?.log.at(-1)?.start, before)
  project.run('unpause', 'flag')
  await eventually(() => probesOf('flag')?.log.at(-1)?.start !== before, 'the next probe')
})

test('a paused service is stopped, and killed, as one that runs', async () => {
  project.run('pause', 'without', 'lenient')
  project.run('stop', 'without')
  project.run('kill', 'lenient')
  await eventually(
    () =>
      ps(project).filter(({ Service, State }) => ['without', 'lenient'].includes(Service) && State === 'exited')
        .length === 2,
    'both ended',
  )
})

test('kill -9 of a monitor during a probe leaves no process', async () => {
  const { pid } = statusOf('hangs')
  const monitor = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  await eventually(() => /^sleep 778$/m.test(processes()), 'a probe')
  process.kill(monitor, 'SIGKILL')
  await eventually(() => !/^sleep 77[78]$/m.test(processes()), 'the end of the probe')
  project.run('down')
  assert.is(existsSync(join(runRoot(), 'containers', id('hangs'))), false)
})

test.run()
