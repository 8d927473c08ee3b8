/** `[[ADDRESS:]PUBLISHED:]TARGET[/PROTOCOL]` of `services.*.ports`. */
import { isAddress } from '../units/addresses.ts'
import { formatPortRange, parsePortRange } from '../units/ports.ts'

export interface ShortPort {
  readonly hostIp: string | undefined
  readonly target: number
  /** Port or range; undefined: any free port. */
  readonly published: string | undefined
  readonly protocol: string
}

/** What is wrong with a port, in words. */
export interface PortMistake {
  readonly mistake: string
}

const PROTOCOLS = ['tcp', 'udp', 'sctp']

const splitAddress = (text: string): { address: string; published: string; target: string } => {
  const parts = text.split(':')
  const target = parts.pop() ?? ''
  const published = parts.pop() ?? ''
  return { address: parts.join(':'), published, target }
}

/** One entry for each container port of a range. */
export const parsePort = (text: string): readonly ShortPort[] | PortMistake => {
  const slash = text.lastIndexOf('/')
  const protocol = (slash < 0 ? 'tcp' : text.slice(slash + 1)).toLowerCase()
  const { address, published, target } = splitAddress(slash < 0 ? text : text.slice(0, slash))
  const hostIp = address.replace(/^\[(.*)\]$/, '$1')
  if (hostIp !== '' && !isAddress(hostIp)) return { mistake: `"${hostIp}" is not an IP address` }
  if (target === '') return { mistake: 'the container port is missing' }
  const inner = parsePortRange(target)
  if (!inner) return { mistake: `"${target}" is not a port or a range of ports (0 to 65535)` }
  const outer = published === '' ? undefined : parsePortRange(published)
  if (published !== '' && !outer) return { mistake: `"${published}" is not a port or a range of ports (0 to 65535)` }
  if (!PROTOCOLS.includes(protocol)) return { mistake: `the protocol is "${protocol}", not tcp, udp or sctp` }
  const count = inner.last - inner.first
  if (outer && count > 0 && outer.last - outer.first !== count) {
    return { mistake: `${formatPortRange(outer)} and ${formatPortRange(inner)} are ranges of different length` }
  }
  return Array.from({ length: count + 1 }, (_, index) => ({
    hostIp: hostIp === '' ? undefined : hostIp,
    target: inner.first + index,
    published: outer && (count === 0 ? formatPortRange(outer) : String(outer.first + index)),
    protocol,
  }))
}
