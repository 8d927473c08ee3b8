/**
 * Networks of a NetworkRoot: made, restored, removed. Everything that a container needs of them is in connect.ts; its
 * host ports in ports.ts. Order of use:
 *
 *   openNetworkRoot → verifyNetworks → listenPorts (all containers, before the first operation) → ensureNetwork (each) →
 *   reserveAddresses → connectPlan (pure) → monitor … → removeNetwork (when the last container is gone)
 */
import type { Network } from '../compose/project.ts'
import type { Publication } from './elements.ts'
import type { NetworkRoot } from './network-root.ts'

/** What is wanted. `subnet` and `gateway` of an earlier life (NetworkRecord) come back, or it fails with ESUBNET. */
export interface NetworkWish {
  /** 12 hex digits. */
  readonly id: string
  /** Full name, for messages. */
  readonly name: string
  readonly internal: boolean
  /** undefined: that of the default route's link, else 1500. */
  readonly mtu: number | undefined
  /** The Compose file's ipam.config; the first IPv4 one counts. */
  readonly ipam: Network['ipam']
  /** As recorded; undefined: choose. */
  readonly subnet: string | undefined
  readonly gateway: string | undefined
}

/** A network that exists. A NetworkRecord is one. */
export interface NetworkLease {
  readonly id: string
  readonly name: string
  /** Link name, `cs-…`. */
  readonly bridge: string
  /** `10.89.1.0/24` */
  readonly subnet: string
  readonly gateway: string
  readonly internal: boolean
  /** Bytes. */
  readonly mtu: number
}

/** All that the table must hold beside its rules: what is there now, of every project of this NetworkRoot. */
export interface LiveNetworks {
  readonly networks: readonly NetworkLease[]
  /** Published ports of running containers (RunRecord.ports with the address they go to). */
  readonly publications: readonly Publication[]
}

export interface NetworkDriver {
  /** Subnet claim, bridge, sysctls, base table, the network's elements, forward guard. Idempotent. Takes locks/net. */
  ensureNetwork(root: NetworkRoot, wish: NetworkWish): Promise<NetworkLease>
  /** Bridge, elements and subnet claim; with the last network also the table and the forward guard. Takes locks/net. */
  removeNetwork(root: NetworkRoot, network: NetworkLease): Promise<void>
  /**
   * One dump: does the table still stand? If not (`flush ruleset`), it is restored with everything that `live` tells; true then.
   * `live` is called only in that case. Call it in each command that knows of a network. Takes locks/net only to restore.
   */
  verifyNetworks(root: NetworkRoot, live: () => LiveNetworks): Promise<boolean>
}
