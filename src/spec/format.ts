/** LaunchPlan as text: one line for each item, in the order in which the start path applies it. For golden tests and people. */
import { capabilityNames } from '../linux/capabilities.ts'
import { MOUNT_ATTR, PROPAGATION } from '../linux/mount-flags.ts'
import type { CgroupPlan, ExecPlan, LaunchPlan, MountPlan, ProcessPlan } from '../native/launch-plan.ts'

type Line = readonly (string | number | bigint | false)[]

const octal = (mode: number): string => mode.toString(8).padStart(4, '0')
const quoted = (words: readonly string[]): string => words.map((word) => JSON.stringify(word)).join(' ')
/** Programs are compared by their own tests: here only that there is one. */
const program = (name: string, bytes: Uint8Array): string => (bytes.length === 0 ? `${name} none` : `${name} program`)
const yesNo = (value: boolean): string => (value ? 'yes' : 'no')
const address = (bytes: Uint8Array): string => [...bytes].join('.')
const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':')

const flagNames = (flags: bigint, names: Readonly<Record<string, bigint>>): string[] =>
  Object.entries(names).flatMap(([name, bit]) => (flags & bit ? [name] : []))

const mountLine = (mount: MountPlan): Line => [
  mount.kind,
  mount.fsType || mount.source,
  '->',
  mount.target,
  [
    ...(mount.recursive ? ['rec'] : []),
    ...flagNames(mount.attributes, MOUNT_ATTR),
    ...flagNames(mount.propagation, PROPAGATION),
    ...mount.options,
    ...(mount.create === 'directory' ? [] : [`create=${mount.create}`]),
    ...(mount.optional ? ['optional'] : []),
  ].join(','),
]

const DEVICE_LETTER = new Map([
  [0o020000, 'c'],
  [0o060000, 'b'],
  [0o010000, 'p'],
])
const deviceLine = (node: LaunchPlan['devices'][number]): Line => [
  node.path,
  `${DEVICE_LETTER.get(node.type) ?? '?'} ${node.major}:${node.minor}`,
  octal(node.mode),
  `${node.uid}:${node.gid}`,
]

const cgroupLines = (section: string, cgroup: CgroupPlan): [string, Line][] => [
  ...cgroup.prepare.map(({ path, value }): [string, Line] => [`${section} prepare`, [path, '=', value]]),
  [section, [cgroup.path, cgroup.unified && 'v2', cgroup.join && 'join', cgroup.inheritCpuset && 'cpuset']],
  ...cgroup.limits.map(({ path, value }): [string, Line] => [
    `${section} limit`,
    [`${cgroup.path}/${path}`, '=', value],
  ]),
]

const restartLine = ({ policy, maximumRetries, delayMs, windowMs, freshNetwork }: LaunchPlan['restart']): Line =>
  policy === 'no'
    ? [policy]
    : [
        policy,
        maximumRetries > 0 && `at most ${maximumRetries} times`,
        delayMs > 0 ? `after ${delayMs} ms` : 'backing off',
        `window ${windowMs} ms`,
        freshNetwork && 'fresh network',
      ]

const healthLine = (health: LaunchPlan['health']): Line =>
  health.probe === 'none'
    ? ['none']
    : [
        health.probe,
        health.port > 0 && health.port,
        health.path,
        `every ${health.intervalMs} ms, at most ${health.timeoutMs} ms,`,
        `start ${health.startPeriodMs} ms every ${health.startIntervalMs || 'few'} ms,`,
        `${health.retries} failures`,
      ]

const infinite = (value: bigint): string => (value === (1n << 64n) - 1n ? 'unlimited' : String(value))
const names = (set: bigint): string =>
  capabilityNames(set)
    .map((name) => name.slice('CAP_'.length))
    .join(' ') || 'none'

const processLines = (process: ProcessPlan): [string, Line][] => [
  ['args', [quoted(process.args)]],
  ...process.env.map((variable): [string, Line] => ['env', [variable]]),
  ['cwd', [process.cwd]],
  ['user', [`${process.uid}:${process.gid}`, 'groups', process.groups.join(',')]],
  ['umask', [octal(process.umask)]],
  ...Object.entries(process.capabilities).map(([set, value]): [string, Line] => [
    `capabilities ${set}`,
    [names(value)],
  ]),
  ...process.rlimits.map((limit): [string, Line] => [
    'rlimit',
    [limit.resource, infinite(limit.soft), infinite(limit.hard)],
  ]),
  ...(process.setOomScoreAdj ? [['oomScoreAdj', [process.oomScoreAdj]] as [string, Line]] : []),
  ['noNewPrivileges', [yesNo(process.noNewPrivileges)]],
  ['seccomp', [program('filter', process.seccomp)]],
  ['keyring', [process.keyring || 'none']],
  ['tty', [yesNo(process.tty), process.rows > 0 && `${process.rows}x${process.columns}`]],
]

const networkLines = (network: LaunchPlan['network']): [string, Line][] => [
  ['network', [network.mode]],
  ...network.endpoints.map((endpoint): [string, Line] => [
    'endpoint',
    [
      endpoint.name,
      `${address(endpoint.address)}/${endpoint.prefixLength}`,
      hex(endpoint.mac),
      `mtu ${endpoint.mtu}`,
      `on ${endpoint.bridge} as ${endpoint.hostName}`,
      endpoint.gateway.length > 0 && `via ${address(endpoint.gateway)}`,
    ],
  ]),
  ...network.settings.map(({ path, value }): [string, Line] => ['network setting', [path, '=', value]]),
  ['firewall', [program('inside', network.firewall), program('host', network.hostFirewall)]],
  ...network.names.map((name): [string, Line] => ['name', [name]]),
  [
    'dns',
    [
      network.dns.port === 0 ? 'none' : `port ${network.dns.port}`,
      network.dns.port > 0 && program('filter', network.dns.seccomp),
    ],
  ],
  ...network.dns.networks.map(({ path, internal }): [string, Line] => ['dns network', [path, internal && 'internal']]),
  ...network.listeners.map((listener): [string, Line] => [
    'listener',
    [
      listener.protocol,
      listener.splice ? `splice ${address(listener.containerAddress)}:${listener.containerPort}` : 'held',
    ],
  ]),
]

const formatLines = (lines: readonly (readonly [string, Line])[]): string =>
  lines
    .map(([section, words]) => `${section}: ${words.filter((word) => word !== false).join(' ')}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('')

export const formatLaunchPlan = (plan: LaunchPlan): string =>
  formatLines([
    ['container', [plan.id, plan.name]],
    ['journal', [plan.journal, plan.journalAttributes]],
    ...plan.monitorCgroups.flatMap((cgroup) => cgroupLines('monitor cgroup', cgroup)),
    ...plan.cgroups.flatMap((cgroup) => cgroupLines('cgroup', cgroup)),
    ['device filter', [program('eBPF', plan.deviceFilter)]],
    ['memory events', [plan.memoryEvents.kind, plan.memoryEvents.path]],
    ...networkLines(plan.network),
    ['clone', [`0x${plan.cloneFlags.toString(16)}`]],
    ...plan.lower.map((layer): [string, Line] => ['lower', [layer]]),
    ['upper', [plan.upper || 'tmpfs', plan.work]],
    ['root', [plan.readOnlyRoot ? 'read-only' : 'read-write', ...flagNames(plan.rootPropagation, PROPAGATION)]],
    ...plan.mounts.map((mount): [string, Line] => ['mount', mountLine(mount)]),
    ...plan.devices.map((node): [string, Line] => ['device', deviceLine(node)]),
    ...plan.symlinks.map(({ path, target }): [string, Line] => ['symlink', [path, '->', target]]),
    ...plan.maskedPaths.map((path): [string, Line] => ['masked', [path]]),
    ...plan.readonlyPaths.map((path): [string, Line] => ['read-only', [path]]),
    ['hostname', [plan.hostname || 'as the host', plan.domainname]],
    ...plan.sysctls.map(({ path, value }): [string, Line] => ['sysctl', [path, '=', value]]),
    ...processLines(plan.process),
    ['init', [yesNo(plan.init)]],
    ['stdin', [plan.openStdin ? 'open' : 'null']],
    ['log', [String(plan.logMaxBytes), 'bytes', plan.logMaxFiles, 'files']],
    ['stop', [plan.stopSignal, plan.stopGraceMs, 'ms']],
    ['restart', restartLine(plan.restart)],
    ['health', healthLine(plan.health)],
  ])

export const formatExecPlan = (plan: ExecPlan): string =>
  formatLines([
    ...processLines(plan.process),
    ...plan.cgroups.map((path): [string, Line] => ['cgroup', [path]]),
    ['control socket', [plan.controlSocket]],
    ['stdin', [plan.interactive ? 'forwarded' : 'null']],
  ])
