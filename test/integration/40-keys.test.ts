/** What a probe inside sees of limits, devices, sysctls, groups, security options, secrets and configs. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../helpers/root.ts'
import { cleanUp, folder, ps, runRoot, stateRoot } from './scenario.ts'

needsRoot(test)
test.after(cleanUp)

const SECRET = 'correct-horse-battery'
const isV1 = existsSync('/sys/fs/cgroup/memory/memory.limit_in_bytes')

const project = folder(
  `
services:
  keys:
    image: caisson/host
    network_mode: none
    command: sleep 1000
    stop_signal: SIGKILL
    read_only: true
    user: "1000:1000"
    group_add: ["4711"]
    domainname: example.org
    cpu_shares: 512
    cpuset: "0"
    mem_limit: 64m
    mem_reservation: 32m
    oom_score_adj: 321
    devices: ["/dev/zero:/dev/nothing", "/dev/zero:/dev/fd0:r"]
    device_cgroup_rules: ["c 10:229 rw"]
    security_opt: ["no-new-privileges:true", "seccomp=profile.json"]
    sysctls: {net.core.somaxconn: 2048, kernel.msgmax: "9000"}
    secrets:
      - {source: file, target: token, uid: "1000", gid: "7", mode: 0400}
      - variable
      - {source: directory, target: /dir}
    configs:
      - {source: inline, target: /etc/app/app.conf, mode: 0755}
  plain:
    image: caisson/host
    network_mode: none
    command: sleep 1000
    stop_signal: SIGKILL
    logging: {driver: none}
secrets:
  file: {file: ./token.txt}
  variable: {environment: KEYS_SECRET}
  directory: {file: ./dir}
configs:
  inline: {content: "port=80\\n"}
`,
  {
    'token.txt': 'first\n',
    'dir/inner': 'in\n',
    'profile.json': JSON.stringify({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat', 'no_such_call'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }],
    }),
  },
)
const up = () => {
  const outcome = project.try(['up', '-d'], { env: { KEYS_SECRET: SECRET } })
  assert.is(outcome.status, 0, outcome.stderr)
}
const sh = (script: string, service = 'keys'): string => project.run('exec', '-T', service, 'sh', '-c', script).trim()

test('an unset variable of a secret is an error with its place, and starts nothing', () => {
  const { status, stderr } = project.try(['up', '-d'])
  assert.is(status, 3)
  assert.match(stderr, /compose\.yaml:\d+:\d+.*KEYS_SECRET/)
  assert.equal(ps(project), [])
})

test('the containers start', up)

test('limits are those of the group', () => {
  const read = (v1: string, v2: string) => sh(`cat /sys/fs/cgroup/${isV1 ? v1 : v2}`)
  assert.is(read('cpu/cpu.shares', 'cpu.weight'), isV1 ? '512' : '59')
  assert.is(read('memory/memory.soft_limit_in_bytes', 'memory.low'), String(32 << 20))
  assert.is(read('cpuset/cpuset.cpus', 'cpuset.cpus'), '0')
  assert.match(sh('grep Cpus_allowed_list /proc/1/status'), /\t0$/)
  assert.is(sh('cat /proc/1/oom_score_adj'), '321')
})

test('the process has its groups, name and security options', () => {
  assert.match(sh('grep Groups /proc/self/status'), /\b1000 4711\b/)
  assert.is(sh('cat /proc/sys/kernel/domainname'), 'example.org')
  assert.match(sh('grep NoNewPrivs /proc/1/status'), /1$/)
  assert.match(sh('mkdir /tmp/x 2>&1 || true'), /not supported/)
})

test('sysctls are set inside and not outside', () => {
  assert.is(sh('cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax'), '2048\n9000')
  assert.is.not(readFileSync('/proc/sys/kernel/msgmax', 'utf8').trim(), '9000')
})

test('device nodes are made, and the filter lets nothing else through', () => {
  assert.is(sh('stat -c "%t:%T %F" /dev/nothing'), '1:5 character special file')
  assert.is(sh('head -c 3 /dev/nothing | wc -c'), '3')
  const make = (numbers: string) =>
    project.try([
      'exec',
      '-T',
      '-u',
      '0',
      'keys',
      'sh',
      '-c',
      `mknod /dev/shm/n ${numbers} && head -c1 /dev/shm/n; s=$?; rm -f /dev/shm/n; exit $s`,
    ])
  // The file system forbids devices there; the filter is asked with the rules themselves.
  assert.is.not(make('c 1 1').status, 0)
  if (isV1) assert.match(sh('cat /sys/fs/cgroup/devices/devices.list'), /c 10:229 rw/)
})

test('secrets and configs have their owner, mode and content, and cannot be written', () => {
  assert.is(
    sh('stat -c "%u %g %a" /run/secrets/token /run/secrets/variable /etc/app/app.conf'),
    '1000 7 400\n0 0 444\n0 0 755',
  )
  assert.is(
    sh('cat /run/secrets/token /run/secrets/variable; echo; cat /etc/app/app.conf /dir/inner'),
    `first\n${SECRET}\nport=80\nin`,
  )
  const write = project.try(['exec', '-T', '-u', '0', 'keys', 'sh', '-c', 'echo x > /run/secrets/token'])
  assert.is.not(write.status, 0)
})

test('the value of a variable is in no file below the state root', () => {
  const found = spawnSync('grep', ['-rlI', SECRET, join(stateRoot(), 'containers'), join(stateRoot(), 'events')], {
    encoding: 'utf8',
  })
  assert.is(found.stdout, '')
})

test('changed content of a file is no reason to recreate, and there at the next start', () => {
  const [before] = ps(project)
  project.write('token.txt', 'second\n')
  up()
  assert.is(ps(project)[0]?.ID, before?.ID)
  assert.is(sh('cat /run/secrets/token'), 'first')
  project.run('restart', '-t', '0', 'keys')
  assert.is(ps(project)[0]?.ID, before?.ID)
  assert.is(sh('cat /run/secrets/token /run/secrets/variable'), `second\n${SECRET}`)
})

test('a container that logs nothing runs all the same', () => {
  const id = ps(project).find((row) => row.Service === 'plain')?.ID ?? ''
  const logs = join(stateRoot(), 'containers')
  const directory = readdirSync(logs).find((name) => name.startsWith(id.slice(0, 12)))
  assert.ok(directory)
  assert.equal(readdirSync(join(logs, directory, 'log')), [])
})

test('down leaves neither files of secrets nor values of variables', () => {
  project.run('down', '-t', '0')
  const found = spawnSync('grep', ['-rlI', SECRET, runRoot(), join(stateRoot(), 'containers')], { encoding: 'utf8' })
  assert.is(found.stdout, '')
})

test.run()
