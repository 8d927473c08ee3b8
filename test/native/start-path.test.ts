import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { constants as osConstants } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CgroupPlan, LaunchPlan, MountPlan, ProcessPlan } from '../../src/native/launch-plan.ts'
import {
  ATTRIBUTE,
  bind,
  createSandbox,
  filesystem,
  launch,
  launcher,
  planFile,
  type Sandbox,
  sampleProcess,
} from '../helpers/launch.ts'
import { needsRoot } from '../helpers/root.ts'

const { ENOENT, EACCES, ELOOP, EPERM, ENOTDIR } = osConstants.errno
const test = suite<{ sandbox: Sandbox }>('start path')
needsRoot(test)

test.before.each((context) => {
  context.sandbox = createSandbox()
})
test.after.each((context) => {
  context.sandbox.remove()
})

const shell = (script: string): string[] => ['sh', '-c', script]
const withProcess = (args: readonly string[], changes: Partial<ProcessPlan>): { process: ProcessPlan } => ({
  process: { ...sampleProcess(args), ...changes },
})
/** Plan of the sample image with further mounts. */
const withMounts = (sandbox: Sandbox, args: readonly string[], ...mounts: readonly MountPlan[]): LaunchPlan => {
  const plan = sandbox.plan(args)
  return { ...plan, mounts: [...plan.mounts, ...mounts] }
}
const statusLines = (stdout: string): Map<string, string> =>
  new Map(
    stdout.split('\n').flatMap((line) => (line.includes(':\t') ? [line.split(':\t', 2) as [string, string]] : [])),
  )

test('the process is PID 1 with names and namespaces of its own', async ({ sandbox }) => {
  const script =
    'echo $$; hostname; cat /proc/sys/kernel/domainname; readlink /proc/self/ns/pid /proc/self/ns/mnt /proc/self/ns/ipc /proc/self/ns/uts /proc/self/ns/cgroup'
  const { code, stdout } = await launch(sandbox, sandbox.plan(shell(script)))
  const [pid, host, domain, ...namespaces] = stdout.trim().split('\n')
  assert.equal([code, pid, host, domain, namespaces.length], [0, '1', 'web', 'example.test', 5])
  const hosts = ['pid', 'mnt', 'ipc', 'uts', 'cgroup'].map((name) => readlinkSync(`/proc/self/ns/${name}`))
  for (const name of hosts) assert.not.ok(namespaces.includes(name), name)
})

test('credentials are the plan`s, and nothing is inheritable', async ({ sandbox }) => {
  const { stdout } = await launch(sandbox, sandbox.plan(['cat', '/proc/self/status']))
  const status = statusLines(stdout)
  assert.is(status.get('CapInh'), '0000000000000000')
  assert.is(status.get('CapAmb'), '0000000000000000')
  for (const set of ['CapPrm', 'CapEff', 'CapBnd']) assert.is(status.get(set), '00000000a80425fb', set)
  assert.is(status.get('NoNewPrivs'), '0')
  assert.is(status.get('SigBlk'), '0000000000000000')
  assert.is(status.get('SigIgn'), '0000000000000000')
})

test('a user other than root has groups, umask, and no capability but an ambient one', async ({ sandbox }) => {
  const netBindService = 1n << 10n
  const capabilities = {
    ...sampleProcess([]).capabilities,
    inheritable: netBindService,
    ambient: netBindService,
    permitted: netBindService,
    effective: netBindService,
  }
  const args = shell('id -u; id -g; id -G; umask; cat /proc/self/status')
  const { stdout } = await launch(
    sandbox,
    sandbox.plan([], withProcess(args, { uid: 1000, gid: 1001, groups: [5, 44], umask: 0o27, capabilities })),
  )
  assert.equal(stdout.split('\n').slice(0, 4), ['1000', '1001', '1001 5 44', '0027'])
  assert.is(statusLines(stdout).get('CapEff'), '0000000000000400')
})

test('only stdio is open, and it belongs to the user', async ({ sandbox }) => {
  const args = shell(
    'ls /proc/self/fd; stat -L -c %u /proc/self/fd/1; echo via-path >/dev/stdout; readlink /proc/self/fd/0',
  )
  const { stdout } = await launch(sandbox, sandbox.plan([], withProcess(args, { uid: 1000 })))
  // 3 is the directory that ls reads.
  assert.is(stdout, '0\n1\n2\n3\n1000\nvia-path\n/dev/null\n')
})

test('masked paths are empty, read-only paths refuse writes', async ({ sandbox }) => {
  const script =
    'cat /proc/keys /proc/timer_list; ls -A /sys/firmware; (echo 1 >/proc/sys/kernel/msgmax) 2>/dev/null || echo refused; touch /sys/firmware/x 2>/dev/null || echo refused'
  const { stdout } = await launch(sandbox, sandbox.plan(shell(script)))
  assert.is(stdout, 'refused\nrefused\n')
})

test('host paths do not show in the container`s mount table', async ({ sandbox }) => {
  const { stdout } = await launch(sandbox, sandbox.plan(['cat', '/proc/self/mountinfo']))
  assert.not.match(stdout, sandbox.root)
})

test('with a tmpfs as upper, nothing is written to the disk', async ({ sandbox }) => {
  const { code, stdout } = await launch(sandbox, {
    ...sandbox.plan(shell('echo x >/written; cat /written')),
    upper: '',
    work: '',
  })
  assert.equal([code, stdout], [0, 'x\n'])
  assert.not.ok(readdirSync(sandbox.layer).includes('written'))
})

test('several layers stack, topmost first', async ({ sandbox }) => {
  const top = join(sandbox.root, 'top')
  mkdirSync(join(top, 'etc'), { recursive: true })
  writeFileSync(join(top, 'etc/passwd'), 'top\n')
  writeFileSync(join(sandbox.layer, 'etc/lower'), 'lower\n')
  const { stdout } = await launch(
    sandbox,
    sandbox.plan(['cat', '/etc/passwd', '/etc/lower'], { lower: [top, sandbox.layer] }),
  )
  assert.is(stdout, 'top\nlower\n')
})

test('a read-only root refuses writes, and still has its working directory', async ({ sandbox }) => {
  const changes = withProcess(shell('pwd; touch /x 2>/dev/null || echo refused; touch /dev/shm/x && echo shm'), {
    cwd: '/srv/app',
  })
  const { stdout } = await launch(sandbox, sandbox.plan([], { ...changes, readOnlyRoot: true }))
  assert.is(stdout, '/srv/app\nrefused\nshm\n')
})

test('a read-only bind refuses writes, a writable one takes them', async ({ sandbox }) => {
  const data = join(sandbox.root, 'data')
  mkdirSync(data)
  const script = 'echo x >/rw/file; touch /ro/x 2>/dev/null || echo refused; cat /ro/file'
  const { stdout } = await launch(
    sandbox,
    withMounts(sandbox, shell(script), bind(data, '/rw'), bind(data, '/ro', ATTRIBUTE.readOnly)),
  )
  assert.is(stdout, 'refused\nx\n')
})

test('a file is bound on a file, made behind a dangling link of the image', async ({ sandbox }) => {
  symlinkSync('../run/systemd/resolve/stub-resolv.conf', join(sandbox.layer, 'etc/resolv.conf'))
  const file = join(sandbox.root, 'resolv.conf')
  writeFileSync(file, 'nameserver 127.0.0.11\n')
  const { stdout } = await launch(
    sandbox,
    withMounts(sandbox, ['cat', '/etc/resolv.conf'], bind(file, '/etc/resolv.conf')),
  )
  assert.is(stdout, 'nameserver 127.0.0.11\n')
})

test('a missing bind source is a failure with its place, unless it is optional', async ({ sandbox }) => {
  const plan = withMounts(sandbox, ['true'], bind('/no/such/source', '/data'))
  const { code, failure } = await launch(sandbox, plan)
  assert.is(code, 125)
  assert.equal(failure, {
    section: 'mounts',
    index: plan.mounts.length - 1,
    syscall: 'open_tree',
    errno: ENOENT,
    path: '/no/such/source',
  })
  const optional = { ...bind('/no/such/source', '/data'), optional: true }
  assert.is((await launch(sandbox, withMounts(sandbox, ['true'], optional))).code, 0)
})

const volume = (source: string, target: string): MountPlan => ({ ...bind(source, target), kind: 'volume' })

test('an empty volume is filled from the image with owner, mode, links and special files', async ({ sandbox }) => {
  const image = join(sandbox.layer, 'data')
  mkdirSync(join(image, 'deep'), { recursive: true })
  writeFileSync(join(image, 'deep/file'), 'content')
  chownSync(join(image, 'deep/file'), 12, 34)
  chmodSync(join(image, 'deep/file'), 0o4751)
  linkSync(join(image, 'deep/file'), join(image, 'same'))
  symlinkSync('/etc/passwd', join(image, 'link'))
  chownSync(image, 7, 8)
  chmodSync(image, 0o1770)
  const data = join(sandbox.root, 'volume')
  mkdirSync(data)
  const script =
    'cat /data/deep/file; stat -c "%u %g %a %h" /data/deep/file; stat -c "%u %g %a" /data; readlink /data/link; rm /data/same'
  const mount = volume(data, '/data')
  const first = await launch(sandbox, withMounts(sandbox, shell(script), mount))
  assert.is(first.stdout, 'content12 34 4751 2\n7 8 1770\n/etc/passwd\n')
  const second = await launch(sandbox, withMounts(sandbox, ['ls', '/data'], mount))
  assert.is(second.stdout, 'deep\nlink\n', 'a volume with content is left as it is')
})

test('no symlink of the image leads a mount, a device or a volume out of the root', async ({ sandbox }) => {
  const canary = join(sandbox.root, 'canary')
  mkdirSync(canary)
  const climb = `../../../../../../../..${canary}`
  for (const name of ['dev', 'mnt', 'data', 'work']) symlinkSync(climb, join(sandbox.layer, name))
  const data = join(sandbox.root, 'volume')
  mkdirSync(data)
  const plan = withMounts(
    sandbox,
    ['true'],
    bind('/usr', '/mnt/usr'),
    volume(data, '/data/volume'),
    filesystem('tmpfs', '/work/tmp'),
  )
  const { code } = await launch(sandbox, { ...plan, process: { ...plan.process, cwd: '/work/here' } })
  assert.is(code, 0)
  assert.equal(readdirSync(canary), [])
  assert.equal(readdirSync(data), [])
})

test('an image whose /proc or /sys is a symlink is refused', async ({ sandbox }) => {
  for (const [name, index] of [
    ['proc', 0],
    ['sys', 3],
  ] as const) {
    symlinkSync('etc', join(sandbox.layer, name))
    const { failure } = await launch(sandbox, sandbox.plan(['true']))
    assert.equal([failure?.section, failure?.index, failure?.errno], ['mounts', index, ELOOP])
    unlinkSync(join(sandbox.layer, name))
  }
})

test('a symlink of the image cannot lead a mount into /proc', async ({ sandbox }) => {
  symlinkSync('/proc/self/attr', join(sandbox.layer, 'data'))
  const { failure } = await launch(sandbox, withMounts(sandbox, ['true'], bind('/usr', '/data')))
  assert.equal([failure?.section, failure?.errno], ['mounts', EPERM])
})

test('a working directory behind /proc/self/fd is refused', async ({ sandbox }) => {
  for (let fd = 0; fd < 20; fd++) {
    const { code, failure } = await launch(
      sandbox,
      sandbox.plan([], withProcess(['pwd'], { cwd: `/proc/self/fd/${fd}` })),
    )
    assert.is(code, 125, `fd ${fd}`)
    assert.is(failure?.section, 'exec')
  }
})

test('a program behind /proc/self/fd never is one of the host', async ({ sandbox }) => {
  for (let fd = 0; fd < 20; fd++) {
    const name = `/proc/self/fd/${fd}/../../../../../../usr/../etc/hostname`
    const { code, failure } = await launch(sandbox, sandbox.plan([name]))
    assert.is(code, 125)
    assert.ok(
      failure?.errno === ENOENT || failure?.errno === ENOTDIR || failure?.errno === EACCES,
      `fd ${fd}: ${failure?.errno}`,
    )
  }
})

test('a missing program is ENOENT, a file that cannot be executed EACCES, both before the barrier', async ({
  sandbox,
}) => {
  const missing = await launch(sandbox, sandbox.plan(['no-such-program']))
  assert.equal(missing.failure, {
    section: 'exec',
    index: 0,
    syscall: 'execve',
    errno: ENOENT,
    path: 'no-such-program',
  })
  const closed = await launch(sandbox, sandbox.plan(['/etc/passwd']))
  assert.equal([closed.failure?.section, closed.failure?.errno], ['exec', EACCES])
  const directory = await launch(sandbox, sandbox.plan(['/etc']))
  assert.is(directory.failure?.errno, EACCES)
})

test('a program is looked up in the PATH of the plan and nowhere else', async ({ sandbox }) => {
  const { failure } = await launch(sandbox, sandbox.plan([], withProcess(['sh'], { env: ['PATH=/nowhere:/etc'] })))
  assert.equal([failure?.section, failure?.errno], ['exec', ENOENT])
})

test('nothing of the program runs before go', async ({ sandbox }) => {
  const data = join(sandbox.root, 'data')
  mkdirSync(data)
  const path = join(sandbox.root, 'held')
  writeFileSync(path, planFile(withMounts(sandbox, ['touch', '/data/ran'], bind(data, '/data'))))
  const child = spawn(launcher, ['--hold', path], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [text] = await once(child.stdout, 'data')
  const pid = /created (\d+)/.exec(String(text))?.[1]
  assert.ok(existsSync(`/proc/${pid}`), 'the process stands at the barrier')
  assert.not.ok(existsSync(join(data, 'ran')))
  child.stdin.end()
  const [code] = await once(child, 'close')
  assert.is(code, 0)
  assert.ok(existsSync(join(data, 'ran')))
})

test('a terminal is the container`s own, controlling, and /dev/console', async ({ sandbox }) => {
  const script = 'tty; stty size; echo console >/dev/console; ps -o sid=,tpgid= -p 1; stat -c %u /dev/pts/0'
  const { code, stdout } = await launch(
    sandbox,
    sandbox.plan([], withProcess(shell(script), { tty: true, rows: 33, columns: 99, uid: 1000 })),
  )
  assert.is(code, 0)
  assert.is(stdout.replaceAll('\r', '').replaceAll(/ +/g, ' '), '/dev/pts/0\n33 99\nconsole\n 1 1\n1000\n')
})

test('init reaps, passes signals on, and ends as the process does', async ({ sandbox }) => {
  const run = (script: string) => launch(sandbox, sandbox.plan(shell(script), { init: true }))
  assert.is((await run('exit 7')).code, 7)
  assert.is((await run('kill -9 $$')).code, 137)
  assert.is((await run('trap "exit 5" TERM; kill -TERM 1; while :; do sleep 0.01; done')).code, 5)
  const reaped = await run('sh -c "sleep 0.05 &"; sleep 0.2; cat /proc/1/comm; ps -eo stat= | grep -c Z')
  assert.is(reaped.stdout, 'caisson-init\n0\n')
})

test('our binary inside is on a mount that nobody can write to', async ({ sandbox }) => {
  const own = BigInt(`0x${statusLines(readFileSync('/proc/self/status', 'utf8')).get('CapEff')}`)
  const everything = { ...sampleProcess([]).capabilities, bounding: own, permitted: own, effective: own }
  const args = shell(
    'chmod 777 /proc/1/exe 2>&1; mount -o remount,rw,bind /proc/1/exe 2>/dev/null; chmod 777 /proc/1/exe 2>&1',
  )
  const { stdout } = await launch(
    sandbox,
    sandbox.plan([], { ...withProcess(args, { capabilities: everything }), init: true }),
  )
  assert.is(stdout.match(/Read-only file system/g)?.length, 2)
})

const BPF_LD_NR = Buffer.from([0x20, 0, 0, 0, 0, 0, 0, 0])
const instruction = (code: number, ifTrue: number, ifFalse: number, value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt16LE(code, 0)
  bytes.writeUInt8(ifTrue, 2)
  bytes.writeUInt8(ifFalse, 3)
  bytes.writeUInt32LE(value, 4)
  return bytes
}
/** Allows all but mkdir(2), mkdirat(2) on arm64, which give errno 99. */
const seccomp = Buffer.concat([
  BPF_LD_NR,
  instruction(0x15, 0, 1, process.arch === 'x64' ? 83 : 34),
  instruction(0x06, 0, 0, 0x0005_0063),
  instruction(0x06, 0, 0, 0x7fff_0000),
])

test('the filter holds, with no_new_privs and without', async ({ sandbox }) => {
  const args = shell('mkdir /new 2>/dev/null || echo refused; cat /proc/self/status')
  for (const noNewPrivileges of [true, false]) {
    const { stdout } = await launch(sandbox, sandbox.plan([], withProcess(args, { seccomp, noNewPrivileges })))
    const status = statusLines(stdout)
    assert.match(stdout, /^refused\n/)
    assert.equal([status.get('Seccomp'), status.get('NoNewPrivs')], ['2', noNewPrivileges ? '1' : '0'])
    assert.is(status.get('CapEff'), '00000000a80425fb', 'CAP_SYS_ADMIN does not outlive the installation')
  }
})

test('limits, oom score, sysctls and CPU affinity are the plan`s', async ({ sandbox }) => {
  const args = shell(
    'ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj /proc/sys/kernel/msgmax; grep Cpus_allowed_list /proc/self/status',
  )
  const changes = withProcess(args, {
    rlimits: [{ resource: 7, soft: 123n, hard: 456n }],
    setOomScoreAdj: true,
    oomScoreAdj: 321,
  })
  const { stdout } = await launch(
    sandbox,
    sandbox.plan([], { ...changes, sysctls: [{ path: 'kernel/msgmax', value: '4321' }] }),
  )
  const [soft, hard, oom, msgmax] = stdout.split('\n')
  assert.equal([soft, hard, oom, msgmax], ['123', '456', '321', '4321'])
})

test('a sysctl cannot climb out of /proc/sys', async ({ sandbox }) => {
  const { failure } = await launch(
    sandbox,
    sandbox.plan(['true'], { sysctls: [{ path: '../../../etc/passwd', value: 'x' }] }),
  )
  assert.is(failure?.section, 'sysctl')
})

const cgroupAt = (path: string, changes: Partial<CgroupPlan>): CgroupPlan => ({
  path,
  prepare: [],
  limits: [],
  join: true,
  inheritCpuset: false,
  unified: false,
  ...changes,
})
const hierarchy = '/sys/fs/cgroup'

if (existsSync(`${hierarchy}/pids/tasks`) && existsSync(`${hierarchy}/cpuset/tasks`)) {
  test('v1 cgroups have their limits before the process exists, and it is in them', async ({ sandbox }) => {
    const name = `caisson-test-${process.pid}`
    const paths = ['pids', 'cpuset'].map((controller) => `${hierarchy}/${controller}/${name}/leaf`)
    const [pids = '', cpuset = ''] = paths
    const cgroups = [
      cgroupAt(pids, { limits: [{ path: 'pids.max', value: '5' }] }),
      cgroupAt(cpuset, { inheritCpuset: true }),
    ]
    const script = 'grep -E ":(pids|cpuset):" /proc/self/cgroup; for i in 1 2 3 4 5 6 7; do sleep 1 & done; echo forked'
    const { code, stdout } = await launch(sandbox, sandbox.plan(shell(script), { cgroups }))
    assert.equal(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.replace(/^\d+:/, ''))
        .sort(),
      ['cpuset:/', 'pids:/'],
      'the view starts at its own cgroup',
    )
    assert.is.not(code, 0, 'fork beyond pids.max fails')
    for (const path of paths) {
      rmdirSync(path)
      rmdirSync(join(path, '..'))
    }
  })

  test('a cgroup limit that the kernel refuses is named with its file', async ({ sandbox }) => {
    const path = `${hierarchy}/pids/caisson-test-${process.pid}`
    const { failure } = await launch(
      sandbox,
      sandbox.plan(['true'], { cgroups: [cgroupAt(path, { limits: [{ path: 'pids.max', value: 'many' }] })] }),
    )
    assert.equal([failure?.section, failure?.index, failure?.path], ['cgroup', 0, `${path}/pids.max`])
    rmdirSync(path)
  })
}

test('after success and failure alike, the host`s mount table is as before', async ({ sandbox }) => {
  const before = readFileSync('/proc/self/mountinfo', 'utf8')
  await launch(sandbox, sandbox.plan(['true']))
  await launch(sandbox, sandbox.plan(['no-such-program']))
  await launch(sandbox, withMounts(sandbox, ['true'], bind('/no/such/source', '/data')))
  assert.is(readFileSync('/proc/self/mountinfo', 'utf8'), before)
  assert.ok(lstatSync(sandbox.layer).isDirectory())
})

test.run()
