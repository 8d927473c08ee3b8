/**
 * LaunchPlan: how to build one container. Numbers and strings only, nothing left to parse or decide; the order in which
 * the sections are applied is fixed in C++ (native/core/child.cc). This file is the one definition: the encoder reads it
 * at run time, `scripts/generate-codec.ts` writes native/core/launch_plan.{h,cc} from it, a test keeps them in step.
 */
import { bool, bytes, enumeration, i32, type Infer, list, record, text, u32, u64, u8 } from './schema.ts'

/** Raised with every change of the schemas below; the monitor refuses another one by name. */
export const PLAN_VERSION = 3
/** First four bytes of each encoded file. */
export const MAGIC = { launch: 0x504c5343, exec: 0x58455343, undo: 0x55445343 } as const

const rlimit = record('Rlimit', {
  resource: [u32, 'RLIMIT_* number, setrlimit(2)'],
  soft: [u64, 'units of the resource; 2^64-1 = infinity'],
  hard: [u64, 'units of the resource; 2^64-1 = infinity'],
})
const capabilities = record('Capabilities', {
  bounding: [u64, 'bit n = capability n, capabilities(7)'],
  permitted: [u64, 'see bounding'],
  effective: [u64, 'see bounding'],
  inheritable: [u64, 'see bounding; 0 unless asked for (CVE-2022-24769)'],
  ambient: [u64, 'see bounding'],
})
export const processPlan = record('ProcessPlan', {
  args: [list(text), 'argv, at least one; args[0] without a slash is looked up in PATH of env, inside the root'],
  env: [list(text), 'NAME=value, the whole environment'],
  cwd: [text, 'absolute, inside the root; created if missing'],
  uid: [u32, 'user id inside the container'],
  gid: [u32, 'group id inside the container'],
  groups: [list(u32), 'supplementary groups, the whole list'],
  umask: [u32, 'file mode creation mask'],
  capabilities: [capabilities, 'applied after setuid'],
  rlimits: [list(rlimit), 'applied by the parent before credentials drop'],
  oomScoreAdj: [i32, '-1000..1000'],
  setOomScoreAdj: [bool, 'false: leave the inherited value'],
  noNewPrivileges: [bool, 'PR_SET_NO_NEW_PRIVS'],
  seccomp: [bytes, 'array of struct sock_filter (8 bytes each); empty = none'],
  keyring: [text, 'name of a new session keyring; empty = none'],
  tty: [bool, 'stdio is a pseudo-terminal made in the container'],
  rows: [u32, 'initial terminal height; 0 = leave'],
  columns: [u32, 'initial terminal width; 0 = leave'],
})

const mount = record('Mount', {
  kind: [
    enumeration('MountKind', ['filesystem', 'bind', 'volume', 'joined', 'image']),
    'filesystem = fsopen(fsType); bind = open_tree(source); volume = bind that is filled from the image where it is empty; joined = bind of what stands at source in the container whose ipc namespace is joined; image = read-only overlay of layers',
  ],
  fsType: [text, 'proc, sysfs, tmpfs, devpts, mqueue …; empty for binds'],
  source: [
    text,
    'absolute host path for binds; image: an empty directory of the host; otherwise the name shown in mountinfo',
  ],
  subpath: [
    text,
    'bind, volume, image: what is mounted is this below the source; no symlink leads out of that. Empty = the source itself',
  ],
  layers: [list(text), 'image: layer directories, topmost first; empty for the others'],
  target: [text, 'absolute path inside the root, resolved with RESOLVE_IN_ROOT'],
  options: [list(text), 'fsconfig: `key=value` or a bare flag; empty for binds'],
  attributes: [u64, 'MOUNT_ATTR_* to set, mount_setattr(2)'],
  recursive: [bool, 'binds: AT_RECURSIVE for open_tree and attributes'],
  propagation: [u64, 'MS_PRIVATE, MS_SLAVE, MS_SHARED …; 0 = private'],
  create: [enumeration('CreateTarget', ['none', 'directory', 'file']), 'what to make at target if nothing is there'],
  optional: [bool, 'binds: a missing source is skipped'],
})
const device = record('Device', {
  path: [text, 'absolute path inside the root'],
  type: [u32, 'S_IFCHR, S_IFBLK or S_IFIFO'],
  major: [u32, ''],
  minor: [u32, ''],
  mode: [u32, 'permission bits'],
  uid: [u32, ''],
  gid: [u32, ''],
})
const symlink = record('Symlink', {
  path: [text, 'absolute path inside the root'],
  target: [text, 'content of the link'],
})
const setting = record('Setting', {
  path: [text, 'file, absolute or relative to the place that the section names'],
  value: [text, 'written with one write(2)'],
})
const cgroup = record('Cgroup', {
  path: [text, 'absolute directory; created with its parents'],
  prepare: [
    list(setting),
    'absolute files written before the directory is made (subtree_control of ancestors …), parents first; EBUSY and EEXIST are fine',
  ],
  limits: [list(setting), 'files relative to path, written before the process exists'],
  join: [bool, 'the process is put in (v2: CLONE_INTO_CGROUP; v1: cgroup.procs)'],
  inheritCpuset: [bool, 'v1 cpuset: copy cpuset.cpus and cpuset.mems down from the parents, else a join is ENOSPC'],
  unified: [bool, 'a cgroup v2 directory'],
})
const endpoint = record('Endpoint', {
  bridge: [text, 'bridge in the NetworkRoot that the host end joins'],
  hostName: [text, 'fresh random name of the host end (IFNAMSIZ 15)'],
  name: [text, 'name inside: eth0, eth1 …'],
  mac: [bytes, '6 bytes'],
  mtu: [u32, 'bytes; 0 = kernel default'],
  address: [bytes, 'IPv4, 4 bytes'],
  prefixLength: [u8, '0..32'],
  gateway: [bytes, 'IPv4 of the default route, 4 bytes; empty = no default route here'],
})
const nameDirectory = record('NameDirectory', {
  path: [text, 'names/ of a network: <name>/<ip>, and back @<ip>/<container>'],
  name: [text, 'name of the network: `<name>.<network>` is a name too; empty = not'],
  internal: [bool, 'network without a way out'],
})
const nameAlias = record('NameAlias', {
  alias: [text, 'name that this container alone may use, lower case'],
  name: [text, 'name on its networks that is meant'],
})
const upstream = record('Upstream', {
  address: [bytes, '4 or 16 bytes, network order'],
  port: [u32, '53'],
})
const dns = record('Dns', {
  port: [u32, 'netd listens on 127.0.0.11:<port>, UDP and TCP; 0 = no netd'],
  networks: [list(nameDirectory), 'networks of this container, search order'],
  aliases: [list(nameAlias), 'go before the names of networks'],
  forward: [bool, 'unknown names go upstream; false when all networks are internal'],
  upstreams: [list(upstream), 'asked in this order, from the NetworkRoot'],
  seccomp: [bytes, 'filter of netd, as ProcessPlan.seccomp'],
})
const listener = record('Listener', {
  protocol: [enumeration('Protocol', ['tcp', 'udp']), ''],
  splice: [bool, 'netd accepts and splices (IPv6 to IPv4); false: only held, the kernel does DNAT'],
  containerAddress: [bytes, 'IPv4 target of the splice, 4 bytes'],
  containerPort: [u32, 'target of the splice'],
})
const network = record('Network', {
  mode: [
    enumeration('NetworkMode', ['none', 'host', 'bridge', 'joined']),
    'none: a namespace with lo only; host: that of the NetworkRoot; joined: that of another container (joins)',
  ],
  endpoints: [list(endpoint), ''],
  settings: [list(setting), 'sysctls below /proc/sys, written by the monitor inside the new namespace'],
  firewall: [bytes, 'nf_tables batch for the container namespace (port 53 of 127.0.0.11); empty = none'],
  hostFirewall: [bytes, 'nf_tables batch for the NetworkRoot: this container`s map and set elements; empty = none'],
  conntrackAddress: [
    bytes,
    'IPv4 whose leftover conntrack entries in the NetworkRoot are deleted at start; empty = none',
  ],
  names: [list(text), 'absolute paths of empty files to create with their directory: networks/<id>/names/<name>/<ip>'],
  dns: [dns, ''],
  listeners: [list(listener), 'item i came in as fd FIRST_LISTENER_FD + i'],
})
const events = record('MemoryEvents', {
  kind: [enumeration('MemoryEventsKind', ['none', 'v1', 'v2']), 'how an OOM kill is noticed'],
  path: [text, 'memory cgroup directory'],
})
const restart = record('Restart', {
  policy: [enumeration('RestartPolicy', ['no', 'always', 'onFailure', 'unlessStopped']), ''],
  maximumRetries: [u32, 'restarts in a row; 0 = no limit'],
  delayMs: [u32, 'pause before each restart; 0 = 100 ms, doubled up to 1 min'],
  windowMs: [u32, 'a run of this length begins the row and the pauses anew'],
  freshNetwork: [bool, 'the container may change its network namespace: each run gets a new one'],
})
const health = record('Health', {
  probe: [
    enumeration('ProbeKind', ['none', 'command', 'tcp', 'http']),
    'command: the ExecPlan in the file `probe` of the state directory',
  ],
  port: [u32, 'tcp, http: of the container'],
  path: [text, 'http: starts with /'],
  seccomp: [bytes, 'tcp, http: filter of the helper, as ProcessPlan.seccomp'],
  intervalMs: [u32, 'from the end of a probe to the start of the next'],
  timeoutMs: [u32, ''],
  startPeriodMs: [u32, 'failures of a container that has not been healthy yet do not count so long'],
  startIntervalMs: [u32, 'interval until the first success; 0 = at once, then 100 ms, doubled up to 5 s'],
  retries: [u32, 'failures in a row that make it unhealthy, at least 1'],
})

const join = record('Join', {
  container: [text, 'its name, for messages'],
  controlSocket: [text, 'path of its monitor`s control socket'],
  namespaces: [u64, 'CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWPID: those of it that this container lives in'],
})

export const launchPlan = record('LaunchPlan', {
  id: [text, '12 hex digits'],
  name: [text, 'container name, for messages and the journal'],
  journalAttributes: [text, 'JSON object put into each journal record as it is'],
  journal: [text, 'absolute path of the journal'],
  cloneFlags: [
    u64,
    'CLONE_NEW* of the container; never NEWNET: that namespace is the monitor`s own. Without NEWPID there is no outer pid namespace either',
  ],
  joins: [list(join), 'other containers, whose namespaces take the place of own ones'],
  hostname: [text, 'empty = leave'],
  domainname: [text, 'empty = leave'],
  lower: [list(text), 'layer directories, topmost first; at least one'],
  upper: [text, 'overlay upper directory; empty = a tmpfs inside the container`s mount namespace'],
  work: [text, 'overlay work directory, fresh'],
  readOnlyRoot: [bool, 'the root is made read-only before the process starts'],
  rootPropagation: [u64, 'MS_* of /; 0 = private'],
  mounts: [list(mount), 'applied in this order'],
  devices: [list(device), 'nodes made with mknod below the /dev tmpfs'],
  symlinks: [list(symlink), ''],
  maskedPaths: [list(text), 'files get /dev/null, directories a read-only tmpfs; missing ones are skipped'],
  readonlyPaths: [list(text), 'bound on themselves read-only; missing ones are skipped'],
  sysctls: [list(setting), 'below /proc/sys, written by the child in its namespaces'],
  process: [processPlan, ''],
  init: [bool, 'run our own init as PID 1 in front of the process'],
  openStdin: [bool, 'stdin stays open for attach; false = /dev/null'],
  cgroups: [list(cgroup), 'v1: one for each hierarchy; v2: one'],
  monitorCgroups: [list(cgroup), 'where the monitor itself goes, one for each hierarchy'],
  deviceFilter: [
    bytes,
    'eBPF program (struct bpf_insn) for BPF_PROG_TYPE_CGROUP_DEVICE on the unified cgroup; empty = none (v1 uses limits)',
  ],
  memoryEvents: [events, ''],
  network: [network, ''],
  logMaxBytes: [u64, 'size at which a segment ends'],
  logMaxFiles: [u32, 'segments kept; 0 = nothing is logged'],
  stopSignal: [u32, ''],
  stopGraceMs: [u32, ''],
  autoRemove: [bool, 'the whole undo list runs at the end, `remove` scope included'],
  restart: [restart, ''],
  health: [health, ''],
})

export const execPlan = record('ExecPlan', {
  process: [processPlan, ''],
  controlSocket: [text, 'path of the monitor`s control socket: the pidfd of the init comes from there'],
  cgroups: [list(text), 'cgroup directories to join'],
  interactive: [bool, 'stdin is forwarded; false = /dev/null'],
  supervised: [bool, 'our own init in front: it reaps what the process leaves behind, and ends it with the process'],
})

export const undoList = record('UndoList', {
  id: [text, 'container id'],
  steps: [
    list(
      record('UndoStep', {
        scope: [
          enumeration('UndoScope', ['stop', 'remove']),
          'stop: at the end of each run; remove: when the container goes',
        ],
        kind: [
          enumeration('UndoKind', ['firewall', 'conntrack', 'unlink', 'rmdir', 'tree', 'cgroup']),
          'firewall: nf_tables batch in data, one element each; conntrack: IPv4 in data; unlink: file or symlink; rmdir: if empty; tree: rm -r, one file system; cgroup: kill what is in it, rmdir with back-off',
        ],
        path: [text, 'absolute path'],
        data: [bytes, ''],
      }),
    ),
    'run in this order; each step may find its work already done',
  ],
})

export type LaunchPlan = Infer<typeof launchPlan>
export type ExecPlan = Infer<typeof execPlan>
export type ProcessPlan = Infer<typeof processPlan>
export type UndoList = Infer<typeof undoList>
export type UndoStep = UndoList['steps'][number]
export type MountPlan = LaunchPlan['mounts'][number]
export type CgroupPlan = LaunchPlan['cgroups'][number]
export type EndpointPlan = LaunchPlan['network']['endpoints'][number]
export type JoinPlan = LaunchPlan['joins'][number]
export type ListenerPlan = LaunchPlan['network']['listeners'][number]
