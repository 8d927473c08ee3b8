/**
 * The canonical model: what a Compose project means, frozen plain values in exact types. Nothing outside `compose`
 * re-parses a string of it. Names are Compose's own in camelCase, with the unit last. The TreePath of a value is that of
 * the long form in the file (`services.web.mem_limit`), whatever its name here.
 */
import type { Diagnostic, TreePath } from '../errors.ts'

export interface Project {
  readonly name: string
  /** Absolute directory that relative paths start from. */
  readonly workingDirectory: string
  /** Absolute paths, in order of merging. */
  readonly composeFiles: readonly string[]
  /** Enabled by profiles and selection, by name. */
  readonly services: Readonly<Record<string, Service>>
  /** Present in the files but switched off by profiles. */
  readonly disabledServices: Readonly<Record<string, Service>>
  /** Used by an enabled service, by key; `default` among them. */
  readonly networks: Readonly<Record<string, Network>>
  readonly volumes: Readonly<Record<string, Volume>>
  /** Keys of used secrets and configs that this model has no field for, for plan/support.ts. */
  readonly fileOthers: readonly { readonly key: string; readonly path: TreePath }[]
}

export interface Service {
  readonly name: string
  /** Keys present in the canonical form that this model has no field for: path and key, for plan/support.ts. */
  readonly others: readonly { readonly key: string; readonly path: TreePath }[]
  readonly image: string | undefined
  /** undefined: the image's; []: none. */
  readonly command: readonly string[] | undefined
  readonly entrypoint: readonly string[] | undefined
  /** env_file, then environment. null: unset in the container, even where the image sets it. */
  readonly environment: Readonly<Record<string, string | null>>
  readonly ports: readonly Port[]
  /** `80/tcp`; metadata only. */
  readonly expose: readonly string[]
  readonly volumes: readonly ServiceMount[]
  readonly networks: readonly ServiceNetwork[]
  /** `none`, `host`, `bridge`, `service:X`, `container:X`; undefined: `networks` count. */
  readonly networkMode: string | undefined
  /** Containers outside the project, and what this one calls them. */
  readonly externalLinks: readonly { readonly container: string; readonly alias: string }[]
  /** Services and containers whose volumes and binds it gets too. undefined: as they are there. */
  readonly volumesFrom: readonly {
    readonly kind: 'service' | 'container'
    readonly name: string
    readonly readOnly: boolean | undefined
    readonly path: TreePath
  }[]
  /** `private`, `shareable`, `none`, `host`, `service:X`, `container:X`; undefined: private. */
  readonly ipc: string | undefined
  /** `host`, `service:X`, `container:X`; undefined: its own. */
  readonly pid: string | undefined
  /** `host`; undefined: its own. */
  readonly uts: string | undefined
  /** `host` or `private`; undefined: private. */
  readonly cgroup: string | undefined
  /** Names with slashes between; undefined: none. */
  readonly cgroupParent?: string | undefined
  readonly dependsOn: Readonly<Record<string, Dependency>>
  readonly workingDir: string | undefined
  readonly user: string | undefined
  readonly hostname: string | undefined
  readonly domainname: string | undefined
  readonly init: boolean | undefined
  readonly tty: boolean
  readonly stdinOpen: boolean
  /** `SIGTERM`, or a number as text. undefined: the image's. */
  readonly stopSignal: string | undefined
  readonly stopGraceMs: number | undefined
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly privileged: boolean
  readonly readOnly: boolean
  /** By lower-case name (`nofile`); -1 = unlimited. */
  readonly ulimits: Readonly<Record<string, { readonly soft: number; readonly hard: number }>>
  /** undefined or 0: no limit. */
  readonly memLimitBytes: number | undefined
  readonly cpus: number | undefined
  /** -1 or undefined: no limit. */
  readonly pidsLimit: number | undefined
  readonly shmSizeBytes: number | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly containerName: string | undefined
  /** Host name to addresses; `host-gateway` stands as it is. */
  readonly extraHosts: Readonly<Record<string, readonly string[]>>
  readonly dns: readonly string[]
  readonly dnsSearch: readonly string[]
  readonly dnsOptions: readonly string[]
  /** Wanted number of containers. */
  readonly scale: number
  readonly profiles: readonly string[]
  readonly securityOpt: readonly string[]
  /** undefined: no. */
  readonly restart: RestartPolicy | undefined
  /** undefined: the image's. */
  readonly healthcheck: Healthcheck | undefined
  /** false: `up` and `logs` show its output only where it is named. */
  readonly attach: boolean
  readonly resources: Resources
  readonly devices: readonly ServiceDevice[]
  /** `c 1:3 mr` */
  readonly deviceCgroupRules: readonly string[]
  /** Names or numbers. */
  readonly groupAdd: readonly string[]
  /** Name, as it is written, to value. */
  readonly sysctls: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Secrets and configs. */
  readonly files: readonly ServiceFile[]
  /** undefined: as usual. */
  readonly logging: Logging | undefined
  /** Names of services that this one knows them by. */
  readonly links: readonly { readonly service: string; readonly alias: string }[]
  /** Content of the file that `security_opt: seccomp=FILE` names. */
  readonly seccompProfile: string | undefined
  readonly macAddress: string | undefined
  /** `linux/amd64`; undefined: whatever the machine is. */
  readonly platform: string | undefined
  readonly pullPolicy: string | undefined
  readonly usernsMode: string | undefined
  /** Run in the container once its process has been started, one after another. */
  readonly postStart: readonly Hook[]
  /** Run in the container before it is stopped, one after another. */
  readonly preStop: readonly Hook[]
}

/** A command beside a container's own process, as `exec` runs one. */
export interface Hook {
  readonly command: readonly string[]
  /** undefined: the container's. */
  readonly user: string | undefined
  readonly privileged: boolean
  /** undefined: the container's. */
  readonly workingDir: string | undefined
  /** Over the container's. null: unset. */
  readonly environment: Readonly<Record<string, string | null>>
}

/** Limits and shares beside memory, CPUs and processes. What is not there is as usual. */
export interface Resources {
  readonly cpuShares?: number
  readonly cpuPeriodUs?: number
  /** -1: no limit. */
  readonly cpuQuotaUs?: number
  readonly cpuRealtimePeriodUs?: number
  readonly cpuRealtimeRuntimeUs?: number
  /** `0-3,5` */
  readonly cpuset?: string
  /** `deploy.resources.reservations.cpus`. */
  readonly reservedCpus?: number
  readonly memReservationBytes?: number
  /** Memory and swap together; -1: no limit. */
  readonly memswapLimitBytes?: number
  readonly memSwappiness?: number
  readonly oomKillDisable?: boolean
  readonly oomScoreAdj?: number
  readonly blkio?: BlockIo
}

/** `device`: path on the host. */
export interface BlockIo {
  /** 10 to 1000. */
  readonly weight?: number
  readonly deviceWeights: readonly { readonly device: string; readonly weight: number }[]
  /** Per second. */
  readonly readBytes: readonly BlockRate[]
  readonly writeBytes: readonly BlockRate[]
  readonly readOperations: readonly BlockRate[]
  readonly writeOperations: readonly BlockRate[]
}

export interface BlockRate {
  readonly device: string
  readonly rate: number
}

export interface ServiceDevice {
  /** Node on the host, or a directory of nodes; `vendor/class=name` for the Container Device Interface. */
  readonly source: string
  readonly target: string
  /** Some of `rwm`. */
  readonly permissions: string
}

/** A secret or config: a read-only file of the container. */
export interface ServiceFile {
  readonly kind: 'secret' | 'config'
  /** Key in the section of the project. */
  readonly key: string
  readonly source: FileSource
  /** Absolute; a relative one in the file stands below /run/secrets, or / for a config. */
  readonly target: string
  /** Number as text. */
  readonly uid: string | undefined
  readonly gid: string | undefined
  /** Permission bits; undefined: 0444. */
  readonly mode: number | undefined
  readonly path: TreePath
}

export type FileSource =
  /** Absolute. */
  | { readonly type: 'file'; readonly file: string }
  /** `secretValue`: undefined where the variable is not set. It counts for no hash and is in no record. */
  | { readonly type: 'environment'; readonly variable: string; readonly secretValue: string | undefined }
  | { readonly type: 'content'; readonly content: string }
  | { readonly type: 'external' }

export interface Logging {
  /** undefined: json-file. */
  readonly driver: string | undefined
  readonly options: Readonly<Record<string, string>>
}

/** `restart`, or `deploy.restart_policy` where that is given. */
export interface RestartPolicy {
  readonly policy: 'always' | 'on-failure' | 'unless-stopped'
  /** Restarts in a row; 0: no limit. */
  readonly maximumRetries: number
  /** Pause before each restart; undefined: Docker's back-off, 100 ms doubled up to 1 min. */
  readonly delayMs: number | undefined
  /** A run of this length counts as a success; undefined: 10 s. */
  readonly windowMs: number | undefined
}

/** What is not given is the image's, or the default. */
export interface Healthcheck {
  readonly test: HealthTest | undefined
  readonly intervalMs: number | undefined
  readonly timeoutMs: number | undefined
  readonly startPeriodMs: number | undefined
  readonly startIntervalMs: number | undefined
  readonly retries: number | undefined
}

export type HealthTest =
  /** NONE, and `disable: true`: not the image's either. */
  | { readonly kind: 'none' }
  /** CMD. */
  | { readonly kind: 'command'; readonly args: readonly string[] }
  /** CMD-SHELL: a line for the image's shell. */
  | { readonly kind: 'shell'; readonly line: string }
  /** `x-caisson-probe: {tcp: 5432}`: a connection to this port of the container is accepted. */
  | { readonly kind: 'tcp'; readonly port: number }
  /** `x-caisson-probe: {http: …}`: GET answers with a status from 200 to 399. `path` starts with /. */
  | { readonly kind: 'http'; readonly port: number; readonly path: string }

export interface Port {
  /** Container port. */
  readonly target: number
  /** Host port or a range to choose from, `8000` or `8000-8010`; undefined: any free one. */
  readonly published: { readonly first: number; readonly last: number } | undefined
  /** undefined: all addresses, IPv4 and IPv6. */
  readonly hostIp: string | undefined
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly path: TreePath
}

export type ServiceMount = { readonly target: string; readonly readOnly: boolean; readonly path: TreePath } & (
  | {
      readonly type: 'bind'
      /** Absolute. */
      readonly source: string
      readonly createHostPath: boolean
      readonly propagation: string | undefined
      readonly recursive: string | undefined
    }
  | {
      readonly type: 'volume'
      /** Key in `Project.volumes`; undefined: anonymous. */
      readonly source: string | undefined
      readonly nocopy: boolean
      /** Relative; what of the volume is mounted. undefined: all. */
      readonly subpath: string | undefined
    }
  | {
      readonly type: 'image'
      /** Reference, as it is written. */
      readonly source: string
      /** Relative; what of its file system is mounted. undefined: all. */
      readonly subpath: string | undefined
    }
  | {
      readonly type: 'tmpfs'
      readonly sizeBytes: number | undefined
      /** Permission bits. */
      readonly mode: number | undefined
      /** Further mount options of the short form: `noexec`, `uid=1000` … */
      readonly options: readonly string[]
    }
)

export interface ServiceNetwork {
  /** Key in `Project.networks`. */
  readonly key: string
  readonly aliases: readonly string[]
  readonly ipv4Address: string | undefined
  readonly macAddress: string | undefined
  readonly priority: number
  readonly gwPriority: number
  readonly interfaceName: string | undefined
}

export interface Dependency {
  readonly condition: 'service_started' | 'service_healthy' | 'service_completed_successfully'
  readonly required: boolean
  readonly restart: boolean
}

export interface Network {
  readonly key: string
  /** `<project>_<key>` unless named. */
  readonly name: string
  readonly external: boolean
  readonly driver: string | undefined
  readonly internal: boolean
  readonly attachable: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly ipam: readonly {
    readonly subnet: string | undefined
    readonly gateway: string | undefined
    readonly ipRange: string | undefined
    /** Addresses that nobody gets, by name. */
    readonly auxAddresses: Readonly<Record<string, string>>
  }[]
  readonly mtu: number | undefined
  readonly others: readonly { readonly key: string; readonly path: TreePath }[]
}

export interface Volume {
  readonly key: string
  readonly name: string
  readonly external: boolean
  readonly driver: string | undefined
  readonly driverOptions: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly others: readonly { readonly key: string; readonly path: TreePath }[]
}

/** Where a value came from. Offsets are UTF-16 units into the file. */
export interface Origin {
  readonly file: string
  readonly start: number
  readonly end: number
  /** Variables that took part. */
  readonly variables: readonly string[]
  /** The origin this one replaced in a merge. */
  readonly replaced: Origin | undefined
  /** true: nobody wrote the value, it goes without saying; the place is that of what it belongs to. */
  readonly assumed?: true
}

/** What `load` returns. `project` is undefined when there is an error among the diagnostics. */
export interface LoadResult {
  readonly project: Project | undefined
  /** The canonical form as plain values with Compose's key names: what `config` prints. */
  readonly canonical: Readonly<Record<string, unknown>>
  /** By JSON Pointer of the path (errors.ts `pointerOf`): origin of the value, and of the key where it has one. */
  readonly origins: ReadonlyMap<string, { readonly value: Origin; readonly key: Origin | undefined }>
  readonly diagnostics: readonly Diagnostic[]
  /** Variables that a secret of the project has its value from. */
  readonly secretVariables: ReadonlySet<string>
  /** By included Compose file: the env file of each variable that the file of its include gave. */
  readonly variableFiles: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Files of variables: of their text only what is marked may be shown. */
  readonly hidden: ReadonlySet<string>
  /** Text of every file read, for code frames. */
  readonly sources: ReadonlyMap<string, string>
}
