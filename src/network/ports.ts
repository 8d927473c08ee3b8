/** Host ports: bound and listened on before the first operation, then handed to the monitor. */
import type { Port } from '../compose/project.ts'
import type { NetworkRoot } from './network-root.ts'

export interface PortRequest {
  /** Container id. */
  readonly owner: string
  /** Service, for messages. */
  readonly service: string
  readonly ports: readonly Port[]
}

/** A socket that is bound (TCP: listening), with SO_MARK LISTENER_MARK. Whoever has it closes `fd`. */
export interface BoundPort {
  readonly fd: number
  /** As published: `0.0.0.0`, `::`, `127.0.0.1` … */
  readonly hostIp: string
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp'
}

export interface PortBinder {
  /**
   * All ports of all containers, or none: what was bound is released when one fails. By owner, in the order of `requests`.
   * Throws NetworkError EPORTINUSE (names service, port and holder) or EPORT.
   */
  listenPorts(root: NetworkRoot, requests: readonly PortRequest[]): ReadonlyMap<string, readonly BoundPort[]>
  /** Closes and gives the claims back: for containers that were not started after all. */
  releasePorts(root: NetworkRoot, owner: string, ports: readonly BoundPort[]): void
}
