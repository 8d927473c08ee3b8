/** Host ports: bound and listened on before the first operation, then handed to the monitor. */
import { closeSync } from 'node:fs'
import type { Port } from '../compose/project.ts'
import { readElements } from '../linux/nf-dump.ts'
import { LISTENER_MARK } from '../linux/nf-tables.ts'
import { isIPv4 } from '../units/addresses.ts'
import { formatPortRange } from '../units/ports.ts'
import { claim, claimOwner, release } from './claims.ts'
import { ANY_ADDRESS, deletePublication, dumpPublished, isPublished } from './elements.ts'
import { NetworkError } from './errors.ts'
import { deleteEach, dump } from './firewall.ts'
import { bytesOf } from './ipv4.ts'
import { bytesOfIPv6 } from './ipv6.ts'
import type { NetworkRoot } from './network-root.ts'
import { portHolder } from './port-holder.ts'

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

const ANY_IPV6 = '::'
/** Ephemeral ports are chosen on IPv4; how often another one is tried where IPv6 has it in use. */
const EPHEMERAL_ATTEMPTS = 32

type Protocol = BoundPort['protocol']
type Endpoint = Omit<BoundPort, 'fd'>

/** One try of all addresses of a port: done, or the first refusal. */
type Attempt =
  | { readonly bound: readonly BoundPort[] }
  | { readonly refused: Endpoint; readonly code: string; readonly cause: unknown }

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** `0.0.0.0` and `[::]` where no address is given, as Docker does. From IPv6 to the container only TCP is carried over. */
const addressesOf = (port: Port): readonly string[] => {
  if (port.hostIp !== undefined) return [port.hostIp]
  return port.protocol === 'udp' ? [ANY_ADDRESS] : [ANY_ADDRESS, ANY_IPV6]
}

/** IPv6 comes along with IPv4; a host without it publishes on IPv4 alone. */
const isDispensable = (port: Port, address: string, code: string): boolean =>
  port.hostIp === undefined && address === ANY_IPV6 && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL')

export const portKey = ({ protocol, hostIp, hostPort }: Pick<Endpoint, 'protocol' | 'hostIp' | 'hostPort'>): string =>
  `${protocol}-${hostIp}-${hostPort}`

const protocolOf = (request: PortRequest, port: Port): Protocol => {
  const { protocol, hostIp } = port
  const refused = (why: string) =>
    new NetworkError('EPORT', `service '${request.service}': port ${port.target}/${protocol} ${why}`)
  if (protocol === 'sctp') throw refused('cannot be published')
  if (protocol === 'udp' && hostIp !== undefined && !isIPv4(hostIp))
    throw refused(`cannot be published on ${hostIp}: only TCP can on IPv6`)
  return protocol
}

const bind = (root: NetworkRoot, endpoint: Endpoint): BoundPort => {
  const { fd, port } = root.binding.listen(root.fd, {
    protocol: endpoint.protocol,
    address: isIPv4(endpoint.hostIp) ? bytesOf(endpoint.hostIp) : bytesOfIPv6(endpoint.hostIp),
    port: endpoint.hostPort,
    mark: LISTENER_MARK,
  })
  return { ...endpoint, fd, hostPort: port }
}

const closeAll = (ports: readonly BoundPort[]): void => {
  for (const { fd } of ports) closeSync(fd)
}

/** The same host port on each address of `port`, or on none. hostPort 0: any, the same on all. */
const tryPort = (root: NetworkRoot, request: PortRequest, port: Port, hostPort: number): Attempt => {
  const bound: BoundPort[] = []
  for (const hostIp of addressesOf(port)) {
    const endpoint: Endpoint = {
      hostIp,
      hostPort: bound[0]?.hostPort ?? hostPort,
      containerPort: port.target,
      protocol: protocolOf(request, port),
    }
    try {
      bound.push(bind(root, endpoint))
    } catch (cause) {
      const code = codeOf(cause)
      if (isDispensable(port, hostIp, code)) continue
      closeAll(bound)
      return { refused: endpoint, code, cause }
    }
  }
  return { bound }
}

/** Host ports worth trying, in order. */
function* candidates(port: Port): Generator<number> {
  const { published } = port
  if (published === undefined || published.last === 0) {
    for (let attempt = 0; attempt < EPHEMERAL_ATTEMPTS; attempt += 1) yield 0
    return
  }
  for (let hostPort = published.first; hostPort <= published.last; hostPort += 1) yield hostPort
}

const wanted = (port: Port): string => (port.published === undefined ? 'any' : formatPortRange(port.published))

const refusal = (root: NetworkRoot, request: PortRequest, port: Port, attempt: Attempt | undefined): NetworkError => {
  if (attempt === undefined || !('refused' in attempt)) throw new TypeError('a port that was never tried')
  const { refused, code, cause } = attempt
  const subject = `service '${request.service}': host port ${refused.hostIp}:${wanted(port)}/${refused.protocol}`
  if (code !== 'EADDRINUSE') return new NetworkError('EPORT', `${subject} cannot be opened: ${code}`, { cause })
  const isRange = port.published !== undefined && port.published.first !== port.published.last
  const holder = isRange ? undefined : holderOf(root, refused)
  const state = isRange ? 'has no free port left' : `is taken${holder === undefined ? '' : ` by ${holder}`}`
  return new NetworkError('EPORTINUSE', `${subject} ${state}`, {
    hint: 'stop the other one, or publish another port',
    cause,
  })
}

/** A claim knows its container; otherwise /proc may know the process. */
const holderOf = (root: NetworkRoot, endpoint: Endpoint): string | undefined => {
  for (const hostIp of new Set([endpoint.hostIp, ANY_ADDRESS])) {
    const owner = claimOwner(root, 'port', portKey({ ...endpoint, hostIp }))
    if (owner !== undefined && root.owners.exists('port', owner)) return root.owners.describe('port', owner)
  }
  return root.own ? portHolder(endpoint.protocol, endpoint.hostPort) : undefined
}

const bindPort = (root: NetworkRoot, request: PortRequest, port: Port): readonly BoundPort[] => {
  let last: Attempt | undefined
  for (const hostPort of candidates(port)) {
    last = tryPort(root, request, port, hostPort)
    if ('bound' in last) return last.bound
    if (last.code !== 'EADDRINUSE') break
  }
  throw refusal(root, request, port, last)
}

/** Claims what is bound. */
const claimPorts = (root: NetworkRoot, owner: string, ports: readonly BoundPort[]): void => {
  for (const port of ports) {
    const result = claim(root, 'port', portKey(port), owner)
    if (result.state === 'claimed') continue
    // The port itself was free: its holder has died, and its undo list still waits.
    const holder = root.owners.describe('port', result.owner)
    const message = `host port ${port.hostIp}:${port.hostPort}/${port.protocol} is taken by ${holder}`
    const hint = 'it ended without cleaning up: any command that changes its project does that'
    throw new NetworkError('EPORTINUSE', message, { hint })
  }
}

/** Whoever has the socket and the claim has the port: an element of it that is in the table is a dead container's. */
const clearStale = async (root: NetworkRoot, ports: readonly BoundPort[]): Promise<void> => {
  const published = ports.filter(({ hostIp }) => isIPv4(hostIp))
  if (published.length === 0) return
  const elements: { readonly key: Buffer }[] = []
  for (const message of dumpPublished()) elements.push(...readElements(await dump(root, message)))
  const stale = published.filter((port) => isPublished(elements, port))
  await deleteEach(root, 'unpublish a port', stale.map(deletePublication))
}

/**
 * All ports of all containers, or none: what was bound is released when one fails. By owner, in the order of `requests`.
 * What lost containers have left (undo lists) must have been undone before, and containers that are about to be replaced
 * must have stopped: they still have their ports. Throws NetworkError EPORTINUSE (names service, port and holder) or EPORT.
 */
export const listenPorts = async (
  root: NetworkRoot,
  requests: readonly PortRequest[],
): Promise<ReadonlyMap<string, readonly BoundPort[]>> => {
  const all = new Map<string, readonly BoundPort[]>()
  try {
    for (const request of requests) {
      for (const port of request.ports) {
        const bound = bindPort(root, request, port)
        all.set(request.owner, [...(all.get(request.owner) ?? []), ...bound])
        claimPorts(root, request.owner, bound)
      }
    }
    await clearStale(root, [...all.values()].flat())
    return all
  } catch (error) {
    for (const [owner, ports] of all) releasePorts(root, owner, ports)
    throw error
  }
}

/** Closes and gives the claims back: for containers that were not started after all. */
export const releasePorts = (root: NetworkRoot, owner: string, ports: readonly BoundPort[]): void => {
  closeAll(ports)
  for (const port of ports) release(root, 'port', portKey(port), owner)
}
