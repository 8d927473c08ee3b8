// takes: 40 s
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, eventually, type Folder, folder, ps, runRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const sleeping = 'image: caisson/host\n    command: sleep 1000\n    stop_signal: SIGKILL'
const project = folder(`
services:
  owner:
    ${sleeping}
    hostname: box
    ipc: shareable
  net:
    ${sleeping}
    network_mode: service:owner
  chained:
    ${sleeping}
    network_mode: service:net
  ipc:
    ${sleeping}
    network_mode: none
    ipc: service:owner
  pid:
    ${sleeping}
    network_mode: none
    pid: service:owner
    user: "1000:1000"
  host:
    ${sleeping}
    network_mode: none
    ipc: host
    pid: host
    uts: host
    cgroup: host
    userns_mode: host
  none:
    ${sleeping}
    network_mode: none
    ipc: none
  other:
    ${sleeping}
    network_mode: none
`)
const inside = (of: Folder, service: string, script: string): string =>
  of.run('exec', '-T', service, 'sh', '-c', script).trim()
const sh = (service: string, script: string): string => inside(project, service, script)
const namespace = (service: string, name: string): string => sh(service, `readlink /proc/self/ns/${name}`)
const own = (name: string): string => sh('host', `readlink /proc/self/ns/${name}`)
const idOf = (of: Folder, service: string): string => ps(of).find((row) => row.Service === service)?.ID ?? ''
const stateOf = (of: Folder, service: string): string => ps(of).find((row) => row.Service === service)?.State ?? ''
const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim()
  } catch {
    return '' // it has ended
  }
}
/** The monitor: parent of the init. */
const monitorOf = (of: Folder, service: string): number => {
  const status = readFileSync(`${runRoot()}/containers/${idOf(of, service)}/status`, 'utf8')
  const { pid } = JSON.parse(status) as { readonly pid: number }
  return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

test('the containers start', () => {
  project.run('up', '-d')
})

test('network_mode: service shares network, hosts, hostname and resolv.conf, and nothing else', async () => {
  for (const service of ['net', 'chained']) {
    assert.is(namespace(service, 'net'), namespace('owner', 'net'))
    for (const name of ['ipc', 'pid', 'uts', 'mnt']) assert.is.not(namespace(service, name), namespace('owner', name))
    assert.is(
      sh(service, 'hostname; cat /etc/hosts /etc/resolv.conf /etc/hostname'),
      sh('owner', 'hostname; cat /etc/hosts /etc/resolv.conf /etc/hostname'),
    )
    assert.is(sh(service, 'hostname'), 'box')
  }
  const program = "require('net').createServer(s => s.end('hello')).listen(8080, '127.0.0.1')"
  project.run('exec', '-d', 'owner', 'node', '-e', program)
  const client =
    "require('net').connect(8080, '127.0.0.1').on('data', d => process.stdout.write(d)).on('error', e => process.exit(1))"
  await eventually(() => project.try(['exec', '-T', 'net', 'node', '-e', client]).stdout === 'hello', 'the shared lo')
})

test('names resolve through the resolver of the owner', () => {
  const lookup = "require('dns').promises.lookup('owner').then(r => console.log(r.address))"
  assert.match(project.run('exec', '-T', 'net', 'node', '-e', lookup), /^10\./)
})

test('ipc: service shares System V objects and /dev/shm', () => {
  assert.is(namespace('ipc', 'ipc'), namespace('owner', 'ipc'))
  sh('owner', 'echo shared > /dev/shm/file')
  assert.is(sh('ipc', 'cat /dev/shm/file'), 'shared')
  assert.match(sh('ipc', 'grep " /dev/shm " /proc/mounts'), /tmpfs rw,nosuid,nodev,noexec/)
  assert.is(project.try(['exec', '-T', 'other', 'cat', '/dev/shm/file']).status, 1)
  assert.is(sh('none', 'grep -c " /dev/shm " /proc/mounts || true'), '0')
})

test('pid: service sees the processes of the owner, and /proc is of that namespace', () => {
  assert.is(namespace('pid', 'pid'), namespace('owner', 'pid'))
  assert.is(sh('pid', 'tr "\\0" " " < /proc/1/cmdline').trim(), 'sleep 1000')
  assert.match(sh('owner', 'cat /proc/[0-9]*/status | grep ^Uid:'), /1000/)
})

test('host namespaces are the machine, and masked paths stay masked', () => {
  for (const name of ['ipc', 'pid', 'uts', 'cgroup']) assert.is(own(name), readlinkSync(`/proc/self/ns/${name}`), name)
  assert.is(sh('host', 'cat /proc/keys 2>/dev/null | wc -c'), '0')
  assert.is(project.try(['exec', '-T', 'host', 'sh', '-c', 'echo x > /proc/sys/kernel/hostname']).status === 0, false)
})

test('what shares runs anew with its owner, also when that alone is brought up, and keeps what it wrote', () => {
  project.run('restart', '-t', '0', 'owner')
  assert.is(namespace('net', 'net'), namespace('owner', 'net'))
  assert.is(namespace('ipc', 'ipc'), namespace('owner', 'ipc'))
  assert.is(namespace('pid', 'pid'), namespace('owner', 'pid'))
  sh('net', 'echo kept > /root/file')
  project.run('up', '-d', '--force-recreate', 'owner')
  assert.is(sh('net', 'cat /root/file'), 'kept')
  assert.is(namespace('chained', 'net'), namespace('owner', 'net'))
  assert.is(namespace('pid', 'pid'), namespace('owner', 'pid'))
})

test('after the death of the owner who shares its network goes on, and up brings it right', async () => {
  project.run('kill', 'owner')
  await eventually(() => stateOf(project, 'owner') === 'exited' && stateOf(project, 'pid') === 'exited', 'the ends')
  assert.is(stateOf(project, 'net'), 'running')
  project.run('up', '-d')
  assert.is(namespace('net', 'net'), namespace('owner', 'net'))
  assert.is(namespace('pid', 'pid'), namespace('owner', 'pid'))
  assert.is(project.run('up', '-d'), '')
})

test('a killed monitor takes nobody with it but who shares its pid namespace', async () => {
  process.kill(monitorOf(project, 'owner'), 'SIGKILL')
  await eventually(() => stateOf(project, 'pid') === 'exited', 'the end of the shared pid namespace')
  assert.is(stateOf(project, 'net'), 'running')
  project.run('up', '-d')
  assert.is(namespace('chained', 'net'), namespace('owner', 'net'))
})

test('a container in the pid namespace of the machine ends with its cgroup when its monitor was killed', async () => {
  const pid = JSON.parse(readFileSync(`${runRoot()}/containers/${idOf(project, 'host')}/status`, 'utf8')).pid as number
  process.kill(monitorOf(project, 'host'), 'SIGKILL')
  await eventually(() => !isAlive(pid), 'the parent-death signal')
  project.run('up', '-d')
  assert.is(stateOf(project, 'host'), 'running')
})

test('in the pid namespace of the machine nothing outlives a killed monitor, whatever user it has become', async () => {
  const other = folder(`
services:
  changes:
    image: caisson/host
    network_mode: none
    pid: host
    command: sh -c 'setsid setpriv --reuid 1000 --clear-groups sleep 1001 & exec setpriv --reuid 1001 --clear-groups sleep 1002'
`)
  other.run('up', '-d')
  const processes = () =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => /^sleep 100[12]$/.test(commandLine(pid)))
  await eventually(() => processes().length === 2, 'both processes')
  process.kill(monitorOf(other, 'changes'), 'SIGKILL')
  await eventually(() => processes().length === 0, 'the end of both', 2000)
  await eventually(() => stateOf(other, 'changes') === 'exited' || stateOf(other, 'changes') === 'dead', 'the state')
  other.run('up', '-d')
  assert.is(processes().length > 0, true)
  other.run('down', '-t', '0')
})

test('container: reaches into another project; what is missing, stopped or private is an error with its place', () => {
  const owner = `${project.name}-owner-1`
  const guest = folder(`
services:
  net:
    ${sleeping}
    network_mode: container:${owner}
  ipc:
    ${sleeping}
    network_mode: none
    ipc: container:${owner}
`)
  guest.run('up', '-d')
  assert.is(inside(guest, 'net', 'readlink /proc/self/ns/net'), namespace('owner', 'net'))
  assert.is(inside(guest, 'ipc', 'readlink /proc/self/ns/ipc'), namespace('owner', 'ipc'))
  project.run('restart', '-t', '0', 'owner')
  guest.run('up', '-d')
  assert.is(inside(guest, 'net', 'readlink /proc/self/ns/net'), namespace('owner', 'net'))
  guest.run('down')
  for (const mode of [
    'network_mode: container:nosuch',
    `ipc: container:${project.name}-other-1`,
    'pid: service:gone',
  ]) {
    const wrong = folder(`services:\n  a:\n    image: caisson/host\n    ${mode}\n`)
    const outcome = wrong.try(['up', '-d'])
    assert.is.not(outcome.status, 0)
    assert.match(outcome.stderr, /compose\.yaml:4:/)
    assert.is(wrong.try(['ps', '-a', '--format', 'json']).stdout, '')
  }
})

test('down leaves nothing', () => {
  project.run('down', '-t', '0')
  assert.equal(ps(project), [])
})

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test.run()
