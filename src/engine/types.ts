/** Signatures of the engine: everything that a user interface can ask for. Implementation: engine.ts. */
import type { Project } from '../compose/project.ts'
import type { Diagnostic } from '../errors.ts'
import type { ImportOptions } from '../image/import.ts'
import type { ImageDetails } from '../image/inspect.ts'
import type { Grep } from '../log/filter.ts'
import type { HostFacts } from '../native/host-facts.ts'
import type { Plan } from '../plan/plan.ts'
import type { PullFlag } from '../plan/pull.ts'
import type { UpPlanOptions } from '../plan/making.ts'
import type { ImageConfig } from '../oci/image-config.ts'
import type {
  ContainerRecord,
  HealthRecord,
  NetworkRecord,
  ProjectRecord,
  PublishedPort,
  RunRecord,
  Status,
} from '../state/records.ts'
import type { Emit } from './events.ts'
import type {
  ImageRow,
  ImageStore,
  LoadImages,
  PullImage,
  Registries,
  Transferred,
  TransferOptions,
} from './image-types.ts'
import type {
  Attached,
  AttachOptions,
  CopyOptions,
  CopyOutcome,
  ExecOptions,
  RunOptions,
  RunOutcome,
} from './process-types.ts'

export interface EngineOptions {
  /** $CAISSON_ROOT, absolute: what must last. */
  readonly root: string
  /** $CAISSON_RUN, absolute: what a reboot may take. */
  readonly run: string
  /** Network namespace file that bridges and ports belong to ($CAISSON_NETNS); undefined: that of this process. */
  readonly networkNamespace: string | undefined
  /** Where credentials, proxies and certificates of registries are found by. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly emit: Emit
}

/** What the plan is made from, less what the engine finds out itself, and how to go about it. */
export interface UpOptions extends Omit<UpPlanOptions, 'images' | 'imageMounts' | 'imageHealthchecks'> {
  /** Goes before `pull_policy`; undefined: that decides. */
  readonly pull: PullFlag | undefined
  /** Say nothing of images that come. */
  readonly quietPull: boolean
  /** All waiting ends this long after the command began; undefined: never. */
  readonly waitTimeoutMs: number | undefined
  /** Say nothing about orphans (COMPOSE_IGNORE_ORPHANS). */
  readonly ignoreOrphans: boolean
  /** Keys that are not honoured yet warn instead of failing. */
  readonly lenient: boolean
  /** Plan only: no lock, no change, no native addon. */
  readonly dryRun: boolean
  /**
   * When it fires, no further operation begins, waits end, containers at the barrier are undone, and `up` throws EABORTED;
   * what runs by then is left to a following `stop`.
   */
  readonly signal?: AbortSignal | undefined
}

/** A project that need not have been loaded: `project` is wanted where the file was read anyway. */
export interface ProjectTarget {
  readonly name: string
  readonly project: Project | undefined
}

export interface ChangeOptions {
  /** Empty: all. */
  readonly services: readonly string[]
  readonly timeoutMs: number | undefined
  readonly dryRun: boolean
}

export interface DownOptions extends ChangeOptions {
  readonly volumes: boolean
  readonly removeOrphans: boolean
}

export interface StartOptions extends ChangeOptions {
  readonly wait: boolean
  /** As of UpOptions. */
  readonly waitTimeoutMs: number | undefined
}

export interface RestartOptions extends ChangeOptions {
  readonly noDeps: boolean
}

export interface KillOptions extends ChangeOptions {
  /** Name with or without SIG, or number. */
  readonly signal: string
  readonly removeOrphans: boolean
}

export interface Outcome {
  readonly plan: Plan
}

/** One container as `ps` shows it. Times: milliseconds since the epoch; 0: never. */
export interface ContainerRow {
  readonly id: string
  readonly name: string
  readonly image: string
  readonly command: readonly string[]
  readonly project: string
  readonly service: string
  readonly number: number
  readonly oneOff: boolean
  readonly createdAt: number
  readonly startedAt: number
  readonly finishedAt: number
  /** `dead`: its monitor was killed; the next change cleans up. */
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead'
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  /** By the restart policy. */
  readonly restarts: number
  readonly exitCode: number
  readonly signal: number
  readonly oomKilled: boolean
  readonly pid: number
  readonly publishers: readonly PublishedPort[]
  /** `expose` and unpublished ports of the definition: `80/tcp`. */
  readonly exposed: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly mounts: readonly string[]
  readonly networks: readonly string[]
  readonly localVolumes: number
  /** It has no network of its own. */
  readonly hostNetwork: boolean
}

/** Everything that is known of one container. */
export interface ContainerDetails {
  readonly row: ContainerRow
  readonly record: ContainerRecord
  /** undefined: it never ran. */
  readonly status: Status | undefined
  /** undefined: it does not run. */
  readonly run: RunRecord | undefined
  /** undefined: there is no health check, or it does not run. */
  readonly health: HealthRecord | undefined
  /** undefined: the image is gone. */
  readonly image: ImageConfig | undefined
  readonly networks: readonly NetworkRecord[]
  /** NAME=value. */
  readonly env: readonly string[]
  readonly logDirectory: string
  readonly volumes: readonly { readonly target: string; readonly name: string; readonly source: string }[]
}

/** What a container has used so far; rates are the difference of two. Zeroes where it does not run. */
export interface UsageSample {
  readonly row: ContainerRow
  /** Monotonic. */
  readonly atNs: number
  readonly cpuNs: number
  readonly memoryBytes: number
  /** The machine's memory where there is no limit. */
  readonly memoryLimitBytes: number
  readonly readBytes: number
  readonly writtenBytes: number
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly processes: number
}

export interface ProcessRow {
  /** Name on this machine, or uid. */
  readonly user: string
  /** Of this machine. */
  readonly pid: number
  readonly parent: number
  /** Of one processor, since it started. */
  readonly cpuPercent: number
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** `pts/0`, or `?`. */
  readonly terminal: string
  readonly cpuMs: number
  readonly command: string
}

export interface ContainerProcesses {
  readonly row: ContainerRow
  readonly processes: readonly ProcessRow[]
}

export interface EventOptions {
  /** Empty: all. */
  readonly services: readonly string[]
  /** As those of LogOptions; no `since`: from now on. */
  readonly since: string
  readonly until: string
  readonly signal: AbortSignal | undefined
}

export interface ContainerEvent {
  /** RFC 3339, UTC, nine digits of fraction. */
  readonly time: string
  readonly type: 'container'
  /** `create`, `start`, `die`, `kill`, `stop`, `oom`, `pause`, `unpause`, `restart`, `health_status: healthy`, `destroy` … */
  readonly action: string
  readonly id: string
  readonly service: string
  /** `name`, `image`, and what belongs to the action: `exitCode`, `signal`. */
  readonly attributes: Readonly<Record<string, string>>
}

export interface EndedContainer {
  readonly row: ContainerRow
  readonly exitCode: number
}

export interface VolumeRow {
  readonly name: string
  readonly key: string
  readonly labels: Readonly<Record<string, string>>
  readonly createdAt: string
  readonly mountpoint: string
  /** Services whose containers have it. */
  readonly services: readonly string[]
}

export interface ProjectRow {
  readonly name: string
  /** Containers by state. */
  readonly counts: Readonly<Record<ContainerRow['state'], number>>
  readonly composeFiles: readonly string[]
  readonly workingDirectory: string
}

export interface LogSource {
  readonly id: string
  /** Full name, `shop-web-1`. */
  readonly name: string
  readonly service: string
  readonly number: number
}

export interface LogOptions {
  /** Empty: all. */
  readonly services: readonly string[]
  /** Replica; undefined: all. */
  readonly index: number | undefined
  readonly follow: boolean
  /** RFC 3339 in UTC with nine digits of fraction (logTime in src/log/time.ts); empty: none. */
  readonly since: string
  readonly until: string
  /** Last lines of each container; undefined: all. */
  readonly tail: number | undefined
  readonly timestamps: boolean
  /** Text before each line of a container; called once each, sources in the order of their names. */
  readonly prefix: (source: LogSource) => string
  /** Keep stderr apart (attached `up` does not: it merges as `logs` does). */
  readonly separate: boolean
  /** Only lines whose content matches; undefined: all. */
  readonly grep: Grep | undefined
  readonly signal: AbortSignal | undefined
  /** Services whose ends are told, but not their output. undefined: those with `attach: false`, unless named. */
  readonly silent: readonly string[] | undefined
  /** When following: whether more containers are to come although none runs. */
  readonly expecting: (() => boolean) | undefined
}

export type LogItem =
  | { readonly kind: 'output'; readonly source: LogSource; readonly stdout: Buffer; readonly stderr: Buffer }
  /** Only when following: the process ended. `restarting`: its restart policy starts it again. */
  | ({ readonly kind: 'exit'; readonly source: LogSource; readonly restarting: boolean } & ExitStatus)

/** As they were written, without their ends. */
export interface LastLines {
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
}

export interface ExitStatus {
  /** 128 + signal where a signal ended it. */
  readonly exitCode: number
  /** 0: none. */
  readonly signal: number
  readonly oomKilled: boolean
}

/** One thing that `doctor` looked at. */
export interface Check {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'missing'
  readonly message: string
  readonly fix: string | undefined
}

/** What `boot` did for one project. */
export interface ProjectBoot {
  readonly project: string
  readonly plan: Plan | undefined
  /** Why it could not do all of it. */
  readonly error: unknown
}

export interface Engine extends ImageStore, Registries {
  /** Creates and starts what the project asks for and returns when every process runs. Throws ChangeError. */
  up(project: Project, options: UpOptions): Promise<Outcome>
  down(target: ProjectTarget, options: DownOptions): Promise<Outcome>
  start(target: ProjectTarget, options: StartOptions): Promise<Outcome>
  stop(target: ProjectTarget, options: ChangeOptions): Promise<Outcome>
  /** After a reboot: starts what the restart policies of all projects ask for. */
  boot(dryRun: boolean): AsyncIterable<ProjectBoot>
  restart(target: ProjectTarget, options: RestartOptions): Promise<Outcome>
  /** Of services that are named, what is paused already (or is not) fails; what does not run is left alone. */
  pause(target: ProjectTarget, options: ChangeOptions): Promise<Outcome>
  unpause(target: ProjectTarget, options: ChangeOptions): Promise<Outcome>
  kill(target: ProjectTarget, options: KillOptions): Promise<Outcome>
  /** `rm`: stopped containers only. */
  remove(target: ProjectTarget, options: ChangeOptions & { readonly volumes: boolean }): Promise<Outcome>
  /** What plan/support.ts says of the project: warnings, and errors (warnings when `lenient`). Pure. */
  support(project: Project, lenient: boolean): Promise<readonly Diagnostic[]>

  /** Containers of a project (undefined: of all) by name of service and number; one-offs last. */
  ps(name: string | undefined): Promise<readonly ContainerRow[]>
  /** By id, in that order; without what is gone by now. */
  details(ids: readonly string[]): Promise<readonly ContainerDetails[]>
  /** A function that samples a project's containers each time it is called. */
  usage(name: string): Promise<() => Promise<readonly UsageSample[]>>
  /** Processes of what runs. Empty `services`: all. */
  top(name: string, services: readonly string[]): Promise<readonly ContainerProcesses[]>
  /** Of containers. Ends when `until` has passed, or `signal` fires. */
  events(name: string, options: EventOptions): AsyncIterable<ContainerEvent>
  /** Containers of the services as they end; those that have ended already first. Throws ENOCONTAINER, ENOTRUNNING. */
  wait(name: string, services: readonly string[]): AsyncIterable<EndedContainer>
  /** Named volumes. */
  volumes(name: string): Promise<readonly VolumeRow[]>
  ls(): Promise<readonly ProjectRow[]>
  /** The record of the project that these Compose files made, if there is just one: then nothing needs to be parsed. */
  findProject(composeFiles: readonly string[]): Promise<ProjectRecord | undefined>
  /**
   * Ends when all is read. When following: when every container has ended and no command changes the project, or `signal`
   * fires; containers that start later are followed too.
   */
  logs(name: string, options: LogOptions): AsyncIterable<LogItem>
  /** By id: the last `count` lines of the container's last run, by stream. */
  lastLines(ids: readonly string[], count: number): Promise<ReadonlyMap<string, LastLines>>
  /** Starts a one-off container, after what its service depends on. Throws ExecError. */
  run(project: Project, options: RunOptions): Promise<RunOutcome>
  /** Throws ENOSERVICE, ENOTRUNNING. */
  attach(name: string, options: AttachOptions): Promise<Attached>
  /** Exit code of the process; 125, 126, 127 for our own failures, thrown as errors with that `exitCode`. */
  exec(name: string, options: ExecOptions): Promise<number>
  /** Throws ENOSERVICE, ECOPY. */
  copy(name: string, options: CopyOptions): Promise<CopyOutcome>
  /** undefined: that port is not published. */
  port(
    name: string,
    options: {
      readonly service: string
      readonly index: number | undefined
      readonly port: number
      readonly protocol: 'tcp' | 'udp'
    },
  ): Promise<PublishedPort | undefined>

  images(): Promise<readonly ImageRow[]>
  /** `tar`: path of a root filesystem tarball, plain or compressed; `-`: stdin. */
  importImage(tar: string, reference: string, options: ImportOptions): Promise<ImageRow>
  /** By name, or by an id or its beginning. Throws ENOIMAGE. */
  inspectImages(names: readonly string[]): Promise<readonly ImageDetails[]>
  loadImages(load: LoadImages): Promise<readonly ImageRow[]>
  /** An outcome for each image. Throws only what concerns them all. */
  pull(images: readonly PullImage[], options: TransferOptions): Promise<readonly Transferred[]>
  /** References to all tags that a registry has of a name. */
  taggedOf(reference: string): Promise<readonly string[]>
  /** `sha256:…` of what a registry has under the name. */
  digestOf(reference: string): Promise<string>
  push(references: readonly string[], options: TransferOptions): Promise<readonly Transferred[]>

  facts(): Promise<HostFacts>
  doctor(): Promise<readonly Check[]>
}
