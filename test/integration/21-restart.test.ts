import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Status } from '../../src/state/records.ts'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, folder, ps, runRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

/** Serves one connection at a time and ends after the first: the socket is left in TIME_WAIT, without SO_REUSEADDR. */
const server = `
import os, socket
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
listener.bind(('', 80))
listener.listen()
peer, _ = listener.accept()
peer.sendall(socket.gethostbyname(socket.gethostname()).encode())
peer.close()
os._exit(7)
`

const compose = `
x-quiet: &quiet
  image: caisson/host
  stop_signal: SIGKILL
  network_mode: none
services:
  server:
    image: caisson/host
    command: [python3, /server.py]
    restart: always
    ports: ["127.0.0.1::80"]
    volumes: ["./server.py:/server.py:ro"]
    stop_signal: SIGKILL
  failing:
    <<: *quiet
    command: sh -c 'exit 5'
    restart: on-failure:2
  done:
    <<: *quiet
    command: "true"
    restart: on-failure
  loop:
    <<: *quiet
    command: sh -c 'echo round; exit 1'
    deploy: {restart_policy: {condition: any, delay: 30s}}
  tunnel:
    image: caisson/host
    command: sh -c 'ip link add tun0 type bridge && ip addr add 10.99.0.1/24 dev tun0 && getent hosts server && ip -4 -o addr show eth0 && sleep 1; exit 1'
    cap_add: [NET_ADMIN]
    stop_signal: SIGKILL
    restart: always
    ports: ["127.0.0.1::80"]
  steady:
    <<: *quiet
    command: sleep 1000
    restart: unless-stopped
`
const project = folder(compose, { 'server.py': server })

const rowOf = (service: string) => ps(project).find((row) => row.Service === service)
const statusOf = (service: string): Status =>
  JSON.parse(
    readFileSync(join(runRoot(), 'containers', rowOf(service)?.ID.slice(0, 12) ?? '', 'status'), 'utf8'),
  ) as Status

const read = (port: number): Promise<string> =>
  new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1')
    socket
      .on('data', (data) => (text += data))
      .on('error', () => resolve(''))
      .on('close', () => resolve(text))
  })

test('up starts them; on-failure:2 gives up after two restarts, and a success is final', async () => {
  project.run('up', '-d')
  await eventually(() => rowOf('failing')?.State === 'exited', 'the end of the failing service')
  assert.is(rowOf('failing')?.ExitCode, 5)
  assert.is(rowOf('done')?.State, 'exited')
})

test('a crash loop is shown as restarting by ps, without -a too', async () => {
  await eventually(() => rowOf('loop')?.State === 'restarting', 'the pause')
  assert.match(project.run('ps'), /-loop-1 .*Restarting \(1\)/)
})

test('a restarted service keeps its address and stays reachable at its published port', async () => {
  const port = Number(project.run('port', 'server', '80').trim().split(':')[1])
  const addresses = new Set<string>()
  for (let round = 0; round < 3; round++) {
    await eventually(() => statusOf('server').restarts === round && statusOf('server').state === 'running', 'its start')
    let address = ''
    for (const end = Date.now() + 5000; address === '' && Date.now() < end; ) address = await read(port)
    addresses.add(address)
  }
  assert.is(addresses.size, 1, [...addresses].join(' '))
  assert.match([...addresses][0] ?? '', /^\d+\.\d+\.\d+\.\d+$/)
})

test('what may configure its network finds nothing of its last run, at the same address', async () => {
  await eventually(() => statusOf('tunnel').restarts >= 2 && statusOf('tunnel').state === 'running', 'its third run')
  assert.not.match(project.run('logs', '--no-log-prefix', 'tunnel'), /exists/)
  const lines = await eventually(() => {
    const found = project.run('logs', '--no-log-prefix', 'tunnel').match(/eth0\s+inet \S+/g) ?? []
    return found.length >= 3 && found
  }, 'three addresses')
  assert.is(new Set(lines).size, 1, lines.join(' '))
  project.run('stop', 'tunnel')
})

test('exec into a service between two runs says so', () => {
  const outcome = project.try(['exec', 'loop', 'true'])
  assert.is.not(outcome.status, 0)
  assert.match(outcome.stderr, /restarting/)
})

test('stop ends a pause at once, kill ends always; up brings both back', async () => {
  project.run('stop', 'loop')
  assert.is(rowOf('loop')?.State, 'exited')
  project.run('kill', 'steady')
  await eventually(() => rowOf('steady')?.State === 'exited', 'the end of the killed service')
  project.run('up', '-d', 'steady')
  assert.is(rowOf('steady')?.State, 'running')
})

test('up leaves alone what is between two runs, restart begins a new row', async () => {
  project.run('start', 'loop')
  await eventually(() => rowOf('loop')?.State === 'restarting', 'the pause')
  const before = rowOf('loop')?.ID
  project.run('up', '-d', 'loop')
  assert.is(rowOf('loop')?.ID, before)
  assert.is(rowOf('loop')?.State, 'restarting')
  project.run('restart', '-t', '0', 'loop')
  await eventually(() => rowOf('loop')?.State === 'restarting', 'the pause')
  assert.is(statusOf('loop').restarts, 0)
})

test('down takes everything, also between two runs', () => {
  project.run('down')
  assert.equal(ps(project), [])
})

test.run()
