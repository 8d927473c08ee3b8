/** Map and set elements of the base table (table.ts): all that a network or a container adds to it. */

/** One published port that the kernel forwards. */
export interface Publication {
  /** IPv4 the port is published on; `0.0.0.0`: every address of the NetworkRoot. */
  readonly hostIp: string
  readonly hostPort: number
  readonly protocol: 'tcp' | 'udp'
  /** IPv4 of the container. */
  readonly address: string
  readonly containerPort: number
}
