/** Name resolution of a container: its resolv.conf, and where unknown names go. */

/** netd listens here on 127.0.0.11; the container's own table rewrites port 53 to it. */
export const DNS_PORT = 61_053

export interface ResolverSettings {
  /** IPv4 or IPv6, at most 3, asked from the NetworkRoot in this order. */
  readonly upstreams: readonly string[]
  readonly search: readonly string[]
  readonly options: readonly string[]
}
