/** Shapes of the files under $CAISSON_ROOT and $CAISSON_RUN. Each carries `version`; written once, to a new name, then renamed. */
import type { Service } from '../compose/project.ts'
import type { SystemFailure } from '../errors.ts'

/** `$CAISSON_ROOT/containers/<id>/record` */
export interface ContainerRecord {
  readonly version: 1
  readonly id: string
  readonly name: string
  readonly project: string
  readonly service: string
  readonly number: number
  readonly oneOff: boolean
  /** One-offs of `run --rm`: the monitor removes all of it when the process has ended. */
  readonly autoRemove?: true
  readonly configHash: string
  readonly image: string
  readonly imageId: string
  /** RFC 3339, UTC, ns. */
  readonly createdAt: string
  /** The whole definition it was made from, so that `start` needs no Compose file. */
  readonly definition: Service
  readonly labels: Readonly<Record<string, string>>
  /** Networks in the order of eth0, eth1 …: id of the network and its name. */
  readonly networks: readonly {
    readonly id: string
    readonly name: string
    readonly key: string
    readonly aliases: readonly string[]
  }[]
  /** Target to volume name, named and anonymous. */
  readonly volumes: Readonly<Record<string, { readonly name: string; readonly anonymous: boolean }>>
  /** Target to the identity of the image that is mounted there. */
  readonly imageMounts?: Readonly<Record<string, string>>
  /** argv as shown by `ps`. */
  readonly command: readonly string[]
  /** Directory of the project and its files, as labels show them. */
  readonly workingDirectory: string
}

/** `$CAISSON_RUN/containers/<id>/allocation`: what belongs to one run; gone with the run directory. */
export interface RunRecord {
  readonly version: 1
  /** Of this run alone: another one has other namespaces. */
  readonly run: string
  /** Namespaces of other containers that it shares: of which, and of which run of it. */
  readonly joins: readonly {
    readonly namespace: 'network' | 'ipc' | 'pid'
    readonly container: string
    readonly run: string
  }[]
  readonly addresses: readonly {
    readonly network: string
    readonly name: string
    readonly address: string
    readonly prefixLength: number
    readonly gateway: string
    readonly mac: string
  }[]
  readonly ports: readonly PublishedPort[]
  /** What the kernel forwards of them, to restore it after a `flush ruleset`. */
  readonly publications: readonly {
    readonly hostIp: string
    readonly hostPort: number
    readonly protocol: 'tcp' | 'udp'
    readonly address: string
    readonly containerPort: number
  }[]
  /** Layer directories that its overlay stands on. */
  readonly layers: readonly string[]
}

export interface PublishedPort {
  readonly hostIp: string
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp'
}

/**
 * `$CAISSON_RUN/containers/<id>/status`, written by the monitor alone (JSON, one line); when the process ends also
 * `$CAISSON_ROOT/containers/<id>/exit` with the same content, which a reboot does not take.
 */
export interface Status {
  readonly version: 1
  /** restarting: its process has ended and the restart policy starts it again after a pause; paused: frozen. */
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'exited'
  /** Host pid of the container's init; 0 if none. */
  readonly pid: number
  /** RFC 3339, ns; empty if not yet. */
  readonly startedAt: string
  readonly finishedAt: string
  /** 128 + signal where a signal ended it. */
  readonly exitCode: number
  readonly signal: number
  readonly oomKilled: boolean
  /** By the restart policy, since a command started it. */
  readonly restarts: number
  /** none: no health check. */
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  /** A command asked for the end (`stop`, `down`, `kill`): `unless-stopped` stays down then, over reboots too. */
  readonly stopped: boolean
  /** Why the restart policy's last start failed; null: it did not. */
  readonly failure: SystemFailure | null
}

/** What the last probes said; read by state/snapshot.ts `readHealth`. */
export interface HealthRecord {
  readonly version: 1
  readonly status: Status['health']
  readonly failingStreak: number
  /** The last five, oldest first. Times RFC 3339, ns. `exitCode` -1: timed out, or could not be run. `output`: at most 4 KiB. */
  readonly log: readonly {
    readonly start: string
    readonly end: string
    readonly exitCode: number
    readonly output: string
  }[]
}

/** `$CAISSON_ROOT/networks/<id>/record` */
export interface NetworkRecord {
  readonly version: 1
  readonly id: string
  readonly name: string
  readonly key: string
  readonly project: string
  readonly configHash: string
  /** `cs-<first 11 of id>`: IFNAMSIZ. */
  readonly bridge: string
  readonly subnet: string
  readonly gateway: string
  readonly internal: boolean
  readonly mtu: number
  readonly range?: string
  readonly reserved?: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

/** `$CAISSON_ROOT/volumes/<name>/record`; its content is in `data/` beside it. */
export interface VolumeRecord {
  readonly version: 1
  readonly name: string
  readonly key: string
  readonly project: string
  readonly anonymous: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly createdAt: string
}

/** `$CAISSON_ROOT/projects/<name>/record` */
export interface ProjectRecord {
  readonly version: 1
  readonly name: string
  readonly workingDirectory: string
  readonly composeFiles: readonly string[]
}

/** One line of `$CAISSON_ROOT/events`. */
export interface JournalEvent {
  readonly time: string
  readonly type: 'container' | 'network' | 'volume' | 'image' | 'project'
  readonly action: string
  readonly id: string
  readonly attributes: Readonly<Record<string, string>>
}
