import type { HostFacts } from '../native/host-facts.ts'
import type { Extension } from '../oci/runtime-spec.ts'
import type { Allocation } from './allocation.ts'

/**
 * Sysctls of the container's network namespace, below /proc/sys/net. Any user may bind low ports and ping, as in Docker.
 * Networks carry IPv4 only: an interface with IPv6 would take addresses and routes from whoever announces them
 * (CVE-2020-13401, CVE-2024-32473). lo keeps ::1, which many programs expect.
 */
export const networkSettings = (network: Allocation['network'], facts: HostFacts): Extension['networkSettings'] => {
  if (network.mode === 'host' || network.mode === 'joined') return []
  const interfaces = ['default', ...network.endpoints.map(({ name }) => name)]
  const ipv6 = interfaces.flatMap((name) => [
    { path: `ipv6/conf/${name}/accept_ra`, value: '0' },
    { path: `ipv6/conf/${name}/disable_ipv6`, value: '1' },
  ])
  return [
    { path: 'ipv4/ip_unprivileged_port_start', value: '0' },
    { path: 'ipv4/ping_group_range', value: '0 2147483647' },
    ...(facts.ipv6 ? ipv6 : []),
  ]
}
