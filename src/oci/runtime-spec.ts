/**
 * The part of the OCI runtime specification (config.md, config-linux.md) that Caisson makes and lowers, under the names
 * of the specification, and an extension for what it leaves to the engine. Plain data: JSON.stringify gives a config.json.
 */
export interface RuntimeSpec {
  readonly ociVersion: '1.2.1'
  readonly hostname: string
  readonly domainname?: string
  readonly root: { readonly readonly: boolean }
  readonly process: OciProcess
  readonly mounts: readonly OciMount[]
  readonly linux: OciLinux
  readonly annotations: Readonly<Record<string, string>>
  readonly caisson: Extension
}

export interface OciProcess {
  readonly terminal: boolean
  readonly consoleSize?: { readonly height: number; readonly width: number }
  readonly user: {
    readonly uid: number
    readonly gid: number
    readonly umask: number
    readonly additionalGids: readonly number[]
  }
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly cwd: string
  readonly capabilities: OciCapabilities
  readonly rlimits: readonly OciRlimit[]
  readonly noNewPrivileges: boolean
  /** undefined: what the monitor has. */
  readonly oomScoreAdj?: number
}

/** Names with CAP_ in front. */
export interface OciCapabilities {
  readonly bounding: readonly string[]
  readonly effective: readonly string[]
  readonly permitted: readonly string[]
  readonly inheritable: readonly string[]
  readonly ambient: readonly string[]
}

/** `type` is RLIMIT_…; -1 = unlimited. */
export interface OciRlimit {
  readonly type: string
  readonly soft: number
  readonly hard: number
}

/**
 * Options are those of mount(8), and two of ours on a bind: `copyup` (a volume: filled from the image where it is empty) and
 * `joined` (the source is a path in the container whose ipc namespace is joined). Type `image` is ours too: a read-only overlay
 * of `layers` over the empty directory that is its source.
 */
export interface OciMount {
  readonly destination: string
  readonly type: string
  readonly source: string
  readonly options: readonly string[]
  /** Below the source; no symlink leads out of that. undefined: the source itself. */
  readonly subpath?: string
  /** Directories, topmost first. */
  readonly layers?: readonly string[]
}

export interface OciLinux {
  /** `path`: of another container; for us that is its monitor's control socket. One that is not listed is the host's. */
  readonly namespaces: readonly { readonly type: OciNamespace; readonly path?: string }[]
  readonly devices: readonly OciDevice[]
  readonly resources: OciResources
  /** Relative to the root of each hierarchy: `caisson/<project>/<id>`. */
  readonly cgroupsPath: string
  readonly seccomp?: OciSeccomp
  readonly maskedPaths: readonly string[]
  readonly readonlyPaths: readonly string[]
  /** Path below /proc/sys to value; the specification has dots for slashes, which not every name survives. */
  readonly sysctl: Readonly<Record<string, string>>
  readonly rootfsPropagation: string
}

export type OciNamespace = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time'

export interface OciDevice {
  readonly path: string
  readonly type: 'c' | 'b' | 'p'
  readonly major: number
  readonly minor: number
  /** Permission bits. */
  readonly fileMode: number
  readonly uid: number
  readonly gid: number
}

/** One rule of the device filter. The last one that matches decides. undefined: any number. */
export interface OciDeviceRule {
  readonly allow: boolean
  readonly type: 'a' | 'b' | 'c'
  readonly major?: number
  readonly minor?: number
  /** Some of `rwm`. */
  readonly access: string
}

export interface OciResources {
  readonly devices: readonly OciDeviceRule[]
  readonly memory?: OciMemory
  readonly cpu?: OciCpu
  readonly pids?: { readonly limit: number }
  readonly blockIO?: OciBlockIo
}

/** Bytes; -1 = unlimited. `swap` is memory and swap together, as in cgroup v1. */
export interface OciMemory {
  readonly limit?: number
  readonly reservation?: number
  readonly swap?: number
  /** 0..100 */
  readonly swappiness?: number
  readonly disableOOMKiller?: boolean
}

/** Microseconds, but for `shares` (1024 = as usual) and `cpus` (`0-3,5`). */
export interface OciCpu {
  readonly shares?: number
  readonly quota?: number
  readonly period?: number
  readonly realtimeRuntime?: number
  readonly realtimePeriod?: number
  readonly cpus?: string
}

/** Weights 10..1000; rates per second. */
export interface OciBlockIo {
  readonly weight?: number
  readonly weightDevice: readonly { readonly major: number; readonly minor: number; readonly weight: number }[]
  readonly throttleReadBpsDevice: readonly OciThrottle[]
  readonly throttleWriteBpsDevice: readonly OciThrottle[]
  readonly throttleReadIOPSDevice: readonly OciThrottle[]
  readonly throttleWriteIOPSDevice: readonly OciThrottle[]
}

export interface OciThrottle {
  readonly major: number
  readonly minor: number
  readonly rate: number
}

export interface OciSeccomp {
  readonly defaultAction: SeccompAction
  /** errno of SCMP_ACT_ERRNO. */
  readonly defaultErrnoRet: number
  readonly architectures: readonly string[]
  readonly syscalls: readonly OciSyscallRule[]
}

export type SeccompAction =
  | 'SCMP_ACT_ALLOW'
  | 'SCMP_ACT_LOG'
  | 'SCMP_ACT_TRACE'
  | 'SCMP_ACT_ERRNO'
  | 'SCMP_ACT_TRAP'
  | 'SCMP_ACT_KILL'
  | 'SCMP_ACT_KILL_THREAD'
  | 'SCMP_ACT_KILL_PROCESS'

/** All `args` must match. Rules for one name are alternatives, the first match decides. */
export interface OciSyscallRule {
  readonly names: readonly string[]
  readonly action: SeccompAction
  readonly errnoRet?: number
  readonly args?: readonly OciSyscallArgument[]
}

export interface OciSyscallArgument {
  /** 0..5 */
  readonly index: number
  /** Unsigned, 64 bits. */
  readonly value: bigint
  /** SCMP_CMP_MASKED_EQ: (argument & value) == valueTwo. */
  readonly valueTwo?: bigint
  readonly op: SeccompOperator
}

export type SeccompOperator =
  | 'SCMP_CMP_NE'
  | 'SCMP_CMP_LT'
  | 'SCMP_CMP_LE'
  | 'SCMP_CMP_EQ'
  | 'SCMP_CMP_GE'
  | 'SCMP_CMP_GT'
  | 'SCMP_CMP_MASKED_EQ'

export type HealthProbe =
  | { readonly kind: 'command'; readonly args: readonly string[] }
  | { readonly kind: 'tcp'; readonly port: number }
  | { readonly kind: 'http'; readonly port: number; readonly path: string }

/** What the OCI specification has no place for. */
export interface Extension {
  readonly id: string
  readonly name: string
  readonly init: boolean
  readonly openStdin: boolean
  readonly networkMode: 'none' | 'host' | 'bridge' | 'joined'
  /** Sysctls of the network namespace: path below /proc/sys/net and value, in this order. */
  readonly networkSettings: readonly { readonly path: string; readonly value: string }[]
  /** `path` absolute inside the container. */
  readonly symlinks: readonly { readonly path: string; readonly target: string }[]
  readonly log: { readonly maxBytes: number; readonly maxFiles: number }
  /** Signal number; milliseconds. */
  readonly stop: { readonly signal: number; readonly graceMs: number }
  readonly restart: {
    readonly policy: 'no' | 'always' | 'on-failure' | 'unless-stopped'
    /** In a row; 0: no limit. */
    readonly maximumRetries: number
    readonly delayMs?: number
    readonly windowMs?: number
  }
  /** undefined: none. All defaults filled in, but `startIntervalMs`: 0 = Caisson's own quick succession. */
  readonly health:
    | {
        readonly test: HealthProbe
        readonly intervalMs: number
        readonly timeoutMs: number
        readonly startPeriodMs: number
        readonly startIntervalMs: number
        readonly retries: number
      }
    | undefined
}
