/** Containers without monitor or engine: a hand-written LaunchPlan through native/test/launch.cc. Needs root. */
import { spawn, type StdioOptions } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encode } from '../../src/native/encode.ts'
import {
  type LaunchPlan,
  launchPlan,
  MAGIC,
  type MountPlan,
  PLAN_VERSION,
  type ProcessPlan,
} from '../../src/native/launch-plan.ts'

export const launcher = join(import.meta.dirname, '../../build/launch-test')

const CLONE_NEWNS = 0x00020000n
const CLONE_NEWCGROUP = 0x02000000n
const CLONE_NEWUTS = 0x04000000n
const CLONE_NEWIPC = 0x08000000n
const CLONE_NEWPID = 0x20000000n
export const ATTRIBUTE = { readOnly: 1n, noSuid: 2n, noDev: 4n, noExec: 8n } as const
const S_IFCHR = 0x2000

/** Docker's default capabilities. */
export const DEFAULT_CAPABILITIES = 0xa80425fbn

export const filesystem = (
  fsType: string,
  target: string,
  options: readonly string[] = [],
  attributes = 0n,
): MountPlan => ({
  kind: 'filesystem',
  fsType,
  source: fsType,
  ...{ subpath: '', layers: [] },
  target,
  options,
  attributes,
  recursive: false,
  propagation: 0n,
  create: 'directory',
  optional: false,
})

export const bind = (source: string, target: string, attributes = 0n): MountPlan => ({
  kind: 'bind',
  fsType: '',
  source,
  ...{ subpath: '', layers: [] },
  target,
  options: [],
  attributes,
  recursive: true,
  propagation: 0n,
  create: 'directory',
  optional: false,
})

export const sampleProcess = (args: readonly string[]): ProcessPlan => ({
  args,
  env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'],
  cwd: '/',
  uid: 0,
  gid: 0,
  groups: [],
  umask: 0o22,
  capabilities: {
    bounding: DEFAULT_CAPABILITIES,
    permitted: DEFAULT_CAPABILITIES,
    effective: DEFAULT_CAPABILITIES,
    inheritable: 0n,
    ambient: 0n,
  },
  rlimits: [],
  oomScoreAdj: 0,
  setOomScoreAdj: false,
  noNewPrivileges: false,
  seccomp: new Uint8Array(),
  keyring: '_ses.test',
  tty: false,
  rows: 0,
  columns: 0,
})

const character = (path: string, major: number, minor: number) => ({
  path,
  type: S_IFCHR,
  major,
  minor,
  mode: 0o666,
  uid: 0,
  gid: 0,
})

const { noSuid, noDev, noExec, readOnly } = ATTRIBUTE

/** Folders of one container: `layer` is its image. */
export interface Sandbox {
  readonly root: string
  readonly layer: string
  readonly plan: (args: readonly string[], changes?: Partial<LaunchPlan>) => LaunchPlan
  readonly remove: () => void
}

/** An image of symlinks into a bound /usr, with fresh upper and work directories. */
export const createSandbox = (): Sandbox => {
  const root = mkdtempSync(join(tmpdir(), 'caisson-launch-'))
  const layer = join(root, 'layer')
  mkdirSync(layer)
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(layer, name))
  mkdirSync(join(layer, 'etc'))
  writeFileSync(join(layer, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
  let runs = 0
  const plan = (args: readonly string[], changes: Partial<LaunchPlan> = {}): LaunchPlan => {
    runs++
    const upper = join(root, `upper${runs}`)
    const work = join(root, `work${runs}`)
    mkdirSync(upper)
    mkdirSync(work)
    return { ...samplePlan(args, layer), upper, work, ...changes }
  }
  return { root, layer, plan, remove: () => rmSync(root, { recursive: true, force: true }) }
}

const samplePlan = (args: readonly string[], layer: string): LaunchPlan => ({
  id: '0123456789ab',
  name: 'sample-web-1',
  journalAttributes: '{}',
  journal: '/dev/null',
  cloneFlags: CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP,
  joins: [],
  hostname: 'web',
  domainname: 'example.test',
  lower: [layer],
  upper: '',
  work: '',
  readOnlyRoot: false,
  rootPropagation: 0n,
  mounts: [
    filesystem('proc', '/proc', [], noSuid | noDev | noExec),
    filesystem('tmpfs', '/dev', ['mode=755', 'size=65536k'], noSuid),
    filesystem('devpts', '/dev/pts', ['newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'], noSuid | noExec),
    filesystem('sysfs', '/sys', [], noSuid | noDev | noExec | readOnly),
    filesystem('mqueue', '/dev/mqueue', [], noSuid | noDev | noExec),
    filesystem('tmpfs', '/dev/shm', ['mode=1777', 'size=65536k'], noSuid | noDev | noExec),
    bind('/usr', '/usr', readOnly),
  ],
  devices: [
    character('/dev/null', 1, 3),
    character('/dev/zero', 1, 5),
    character('/dev/full', 1, 7),
    character('/dev/random', 1, 8),
    character('/dev/urandom', 1, 9),
    character('/dev/tty', 5, 0),
  ],
  symlinks: [
    { path: '/dev/fd', target: '/proc/self/fd' },
    { path: '/dev/stdin', target: '/proc/self/fd/0' },
    { path: '/dev/stdout', target: '/proc/self/fd/1' },
    { path: '/dev/stderr', target: '/proc/self/fd/2' },
    { path: '/dev/ptmx', target: 'pts/ptmx' },
  ],
  maskedPaths: ['/proc/kcore', '/proc/keys', '/proc/timer_list', '/proc/scsi', '/sys/firmware', '/proc/no-such-thing'],
  readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
  sysctls: [],
  process: sampleProcess(args),
  init: false,
  openStdin: false,
  cgroups: [],
  monitorCgroups: [],
  deviceFilter: new Uint8Array(),
  memoryEvents: { kind: 'none', path: '' },
  network: {
    mode: 'none',
    endpoints: [],
    settings: [],
    firewall: new Uint8Array(),
    hostFirewall: new Uint8Array(),
    conntrackAddress: new Uint8Array(),
    names: [],
    dns: { port: 0, networks: [], aliases: [], forward: false, upstreams: [], seccomp: new Uint8Array() },
    listeners: [],
  },
  logMaxBytes: 0n,
  logMaxFiles: 1,
  stopSignal: 15,
  stopGraceMs: 10_000,
  autoRemove: false,
  restart: { policy: 'no', maximumRetries: 0, delayMs: 0, windowMs: 10_000, freshNetwork: false },
  health: {
    ...{ probe: 'none' as const, port: 0, path: '', seccomp: new Uint8Array(), intervalMs: 0, timeoutMs: 0 },
    ...{ startPeriodMs: 0, startIntervalMs: 0, retries: 1 },
  },
})

const header = (magic: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(magic, 0)
  bytes.writeUInt32LE(PLAN_VERSION, 4)
  return bytes
}

export const planFile = (plan: LaunchPlan): Buffer => Buffer.concat([header(MAGIC.launch), encode(launchPlan, plan)])

export interface Failure {
  readonly section: string
  readonly index: number
  readonly syscall: string
  readonly errno: number
  readonly path: string
}

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly failure: Failure | undefined
}

const failureIn = (stderr: string): Failure | undefined => {
  const match = /^failure (\S+) (\d+) (\S*) (\d+) (.*)$/m.exec(stderr)
  if (match === null) return undefined
  const [, section = '', index, syscall = '', errno, path = ''] = match
  return { section, index: Number(index), syscall, errno: Number(errno), path }
}

/** Starts the plan's container and waits for its end. */
export const launch = async (
  sandbox: Sandbox,
  plan: LaunchPlan,
  options: readonly string[] = [],
  stdio: StdioOptions = 'pipe',
): Promise<Outcome> => {
  const path = join(sandbox.root, 'plan')
  writeFileSync(path, planFile(plan))
  const child = spawn(launcher, [...options, path], { stdio, timeout: 20_000 })
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  child.stdin?.end()
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, ...output, failure: failureIn(output.stderr) }
}
