import type { LaunchPlan } from '../native/launch-plan.ts'
import type { OciDevice } from '../oci/runtime-spec.ts'

/**
 * Allocation: what the engine chose or reserved for one container and one run of it. Together with the service, the image
 * and the host's facts it is all that a LaunchPlan is made of.
 */
export interface Allocation {
  /** 12 hex digits. */
  readonly id: string
  /** Container name: `<project>-<service>-<n>` unless named. */
  readonly name: string
  readonly project: string
  /** JSON object put into each journal record: service, project, labels that queries need. */
  readonly journalAttributes: Readonly<Record<string, string>>
  /** Top cgroup of all projects, relative to each hierarchy's root; `caisson` unless a test asks for its own. */
  readonly cgroupParent: string
  /** The monitor removes the whole container when its process has ended. */
  readonly autoRemove?: boolean
  readonly paths: AllocatedPaths
  /** Layer directories, topmost first; at least one. */
  readonly layers: readonly string[]
  /** Other containers whose namespaces it shares, and the control sockets of their monitors. */
  readonly joins: readonly {
    readonly container: string
    readonly controlSocket: string
    readonly namespaces: readonly ('network' | 'ipc' | 'pid')[]
  }[]
  /** Name inside, where that is another container's; empty: the machine's. */
  readonly hostname?: string
  /** Read-only binds of the image (UnpackedImage.binds). */
  readonly imageBinds: readonly { readonly source: string; readonly target: string }[]
  /** Target of each volume, named, anonymous, and those that the image declares: host directory of its content. */
  readonly volumes: Readonly<Record<string, AllocatedVolume>>
  /** Target of each image mount: what it is made of. */
  readonly imageMounts?: Readonly<Record<string, AllocatedImage>>
  /** Content of /etc/passwd and /etc/group as the layers show them; undefined: there is none. */
  readonly accounts: Accounts
  /** Absolute paths of the service's secrets and configs, in its order: files with the owner and mode that they are to have. */
  readonly files: readonly string[]
  /**
   * Device nodes of the host by the path that the service names: the node itself, or those below a directory (/dev itself
   * for a privileged service). A path that is not there is not here.
   */
  readonly hostDevices: Readonly<Record<string, readonly OciDevice[]>>
  /** All of the network that was chosen. `settings` come from the spec; leave `dns.seccomp` empty: `lower` fills it. */
  readonly network: Omit<LaunchPlan['network'], 'settings'>
}

export interface AllocatedPaths {
  /** Absolute path of $CAISSON_ROOT/events. */
  readonly journal: string
  /** Overlay upper and fresh work directory; both empty: a tmpfs (HostFacts.stateOnOverlay). */
  readonly upper: string
  readonly work: string
  /** Files that the engine wrote, bound to /etc/{resolv.conf,hosts,hostname}; their text: hosts.ts. Empty: no bind. */
  readonly resolvConf: string
  readonly hosts: string
  readonly hostname: string
}

export interface AllocatedImage {
  /** Directories, topmost first; at least one. */
  readonly layers: readonly string[]
  /** Absolute path of an empty directory. */
  readonly empty: string
}

export interface AllocatedVolume {
  /** Absolute directory: `$CAISSON_ROOT/volumes/<name>/data`. */
  readonly source: string
  /** Came from the image's `volumes`, not from the service: there is no entry of the service to look at. */
  readonly fromImage: boolean
}

export interface Accounts {
  readonly passwd: string | undefined
  readonly group: string | undefined
}
