// takes: 30 s
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, folder } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const project = folder(`
x-base: &base
  image: caisson/host
  stop_signal: SIGKILL
  network_mode: none
  command: sleep 1000
services:
  plain: *base
  user:
    <<: *base
    user: "1000:1000"
    security_opt: [no-new-privileges]
  all:
    <<: *base
    privileged: true
  caps:
    <<: *base
    cap_drop: [ALL]
    cap_add: [NET_BIND_SERVICE]
`)
const sh = (service: string, script: string): string => project.run('exec', '-T', service, 'sh', '-c', script).trim()
const DOCKER_DEFAULT = 0xa80425fbn

/** The main process as /proc shows it, from inside. */
const status = (service: string, key: string, pid = '1'): string =>
  new RegExp(`^${key}:\\s+(.*)$`, 'm').exec(sh(service, `cat /proc/${pid}/status`))?.[1] ?? ''

test('the containers start', () => {
  project.run('up', '-d')
})

for (const pid of ['1', 'self']) {
  test(`capabilities are Docker's default set, nothing inheritable (/proc/${pid})`, () => {
    assert.is(BigInt(`0x${status('plain', 'CapEff', pid)}`), DOCKER_DEFAULT)
    assert.is(BigInt(`0x${status('plain', 'CapBnd', pid)}`), DOCKER_DEFAULT)
    for (const service of ['plain', 'user', 'all', 'caps'])
      assert.is(BigInt(`0x${status(service, 'CapInh', pid)}`), 0n, service)
    assert.is(BigInt(`0x${status('user', 'CapEff', pid)}`), 0n)
    assert.is(BigInt(`0x${status('caps', 'CapBnd', pid)}`), 1n << 10n)
  })

  test(`seccomp filters and no_new_privs are as asked (/proc/${pid})`, () => {
    assert.is(status('plain', 'Seccomp', pid), '2')
    assert.is(status('plain', 'NoNewPrivs', pid), '0')
    assert.is(status('user', 'NoNewPrivs', pid), '1')
    assert.is(status('all', 'Seccomp', pid), '0')
  })
}

test('no descriptor of the host is open', () => {
  const links = sh('plain', 'for f in /proc/1/fd/*; do readlink $f; done')
  for (const link of links.split('\n')) assert.match(link, /^(pipe:|\/dev\/null$)/)
})

test('masked paths show nothing, read-only ones refuse a write', () => {
  assert.is(sh('plain', 'cat /proc/kcore /proc/keys /proc/timer_list 2>/dev/null | wc -c'), '0')
  assert.is(sh('plain', 'ls /sys/firmware 2>/dev/null | wc -l'), '0')
  assert.is(sh('plain', 'echo h > /proc/sysrq-trigger 2>/dev/null && echo written || echo refused'), 'refused')
  assert.is(
    sh('plain', 'echo x > /proc/sys/kernel/core_pattern 2>/dev/null && echo written || echo refused'),
    'refused',
  )
})

test('only the default device nodes are there, others cannot be used', () => {
  assert.is(
    sh('plain', 'ls /dev | sort | tr "\\n" " "').trim(),
    'core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero',
  )
  assert.is(sh('plain', 'mknod /tmp/disk b 254 0 && cat /tmp/disk 2>/dev/null | head -c1 | wc -c'), '0')
  assert.is(sh('plain', 'echo x > /dev/null && head -c3 /dev/zero | wc -c'), '3')
})

test('cgroup files cannot be written', () => {
  assert.is(
    sh(
      'plain',
      'find /sys/fs/cgroup -name cgroup.procs -writable 2>/dev/null | while read f; do echo 0 > $f 2>/dev/null && echo $f; done | wc -l',
    ),
    '0',
  )
  assert.is(
    sh('plain', 'mkdir /tmp/c; mount -t cgroup -o memory cgroup /tmp/c 2>/dev/null && echo mounted || echo refused'),
    'refused',
  )
})

const node = (service: string, script: string): string =>
  project.run('exec', '-T', service, 'node', '-e', script).trim()

test('user namespaces, mounts and keyrings are refused by the filter', () => {
  assert.is(sh('user', 'unshare -U true 2>/dev/null && echo made || echo refused'), 'refused')
  assert.is(sh('plain', 'unshare -n true 2>/dev/null && echo made || echo refused'), 'refused')
  assert.is(sh('plain', 'mount -t tmpfs none /mnt 2>/dev/null && echo mounted || echo refused'), 'refused')
})

test('processes of the host are not visible', () => {
  assert.is(
    node('plain', `console.log(require('fs').readdirSync('/proc').filter(n=>/^\\d+$/.test(n)).length<6)`),
    'true',
  )
})

test('WORKDIR and exec -w on a leaked descriptor path are refused', () => {
  for (let n = 3; n < 12; n++) {
    const outcome = project.try(['exec', '-T', '-w', `/proc/self/fd/${n}`, 'plain', 'cat', '../../../../etc/hostname'])
    assert.is.not(outcome.status, 0)
  }
  const hostile = folder(`
services:
  a: {image: caisson/host, network_mode: none, working_dir: /proc/self/fd/7, command: [ls, ..]}
`)
  const outcome = hostile.try(['up', '-d'])
  assert.is(outcome.status, 1, outcome.stderr)
})

test('exec as another user resolves as docker does', () => {
  const id = (user: string): string => project.run('exec', '-T', '-u', user, 'plain', 'id', '-u').trim()
  assert.is(id('1'), '1')
  assert.is(id('nobody'), '65534')
  assert.is(id('1:2'), '1')
  for (const user of ['-1', '4294967296', 'no-such-user'])
    assert.is.not(project.try(['exec', '-T', '-u', user, 'plain', 'id']).status, 0, user)
})

test('our own binary cannot be overwritten from inside', () => {
  const init = folder(`
services:
  a: {image: caisson/host, network_mode: none, init: true, command: sleep 1000}
`)
  init.run('up', '-d')
  const outcome = init.run(
    'exec',
    '-T',
    'a',
    'sh',
    '-c',
    'cp /proc/1/exe /tmp/x && echo bad > /proc/1/exe 2>/dev/null && echo written || echo refused',
  )
  assert.is(outcome.trim(), 'refused')
  assert.is(init.run('exec', '-T', 'a', 'sh', '-c', 'cat /proc/2/comm').trim(), 'sleep')
  init.run('down', '-t', '1')
})

test('a privileged service has every capability and device of the host, on request only', () => {
  assert.is(sh('all', 'mount -t tmpfs none /mnt && echo mounted'), 'mounted')
})

test('environment of one service does not reach another', () => {
  assert.not.match(sh('plain', 'env'), /CAISSON|XDG|NODE_/)
})

test('down', () => {
  project.run('down', '-t', '1')
})

test.run()
