/** How one container is connected: addresses are reserved, the rest is computed. */
import type { LaunchPlan, UndoStep } from '../native/launch-plan.ts'
import type { NetworkLease } from './driver.ts'
import type { Publication } from './elements.ts'
import type { NetworkRoot } from './network-root.ts'
import type { BoundPort } from './ports.ts'
import type { ResolverSettings } from './resolv.ts'

/** One network that a container joins. In the order of eth0, eth1 … (sortAttachments). */
export interface Attachment {
  readonly network: NetworkLease
  /** Service name, container name, short id, aliases. Lower-cased here; what cannot be a DNS name is left out. */
  readonly names: readonly string[]
  readonly ipv4Address: string | undefined
  readonly macAddress: string | undefined
  readonly priority: number
  readonly gwPriority: number
  /** Name inside; undefined: ethN. */
  readonly interfaceName: string | undefined
}

export interface ConnectInput {
  /** Container id. */
  readonly owner: string
  readonly run: string
  readonly attachments: readonly Attachment[]
  /** One for each attachment (reserveAddresses). */
  readonly addresses: readonly string[]
  readonly ports: readonly BoundPort[]
  readonly resolver: ResolverSettings
  /** At least 8 bytes for each attachment: fresh names of the host ends. */
  readonly random: Uint8Array
}

export interface ConnectedAddress {
  /** Network id. */
  readonly network: string
  /** Network name. */
  readonly name: string
  readonly address: string
  readonly prefixLength: number
  readonly gateway: string
  /** `02:ca:0a:59:01:02` */
  readonly mac: string
}

export interface Connection {
  /** Goes into Allocation.network as it is; `dns.seccomp` is left empty. */
  readonly network: Omit<LaunchPlan['network'], 'settings'>
  /** In the order of network.listeners: become MONITOR_FD.firstListener and on. */
  readonly listenerFds: readonly number[]
  /** For the run's record (state/records.ts RunRecord). */
  readonly addresses: readonly ConnectedAddress[]
  readonly ports: readonly Omit<BoundPort, 'fd'>[]
  /** What the kernel forwards of `ports`, for verifyNetworks. */
  readonly publications: readonly Publication[]
  /** Scope stop, by the place they have in the undo list. */
  readonly undo: {
    readonly firewall: readonly UndoStep[]
    readonly conntrack: readonly UndoStep[]
    readonly names: readonly UndoStep[]
    readonly links: readonly UndoStep[]
    readonly claims: readonly UndoStep[]
  }
}

export interface Connector {
  /** Highest priority first, ties by network name: the order of eth0, eth1 … */
  sortAttachments(attachments: readonly Attachment[]): readonly Attachment[]
  /** Claims one IPv4 on each network; all or nothing. Throws NetworkError EADDRESS. */
  reserveAddresses(root: NetworkRoot, owner: string, attachments: readonly Attachment[]): readonly string[]
  connectPlan(input: ConnectInput): Connection
}
