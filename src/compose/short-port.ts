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
  /** The text that is wrong; undefined: the whole. */
  readonly part?: string
  readonly hint?: string
}

const PROTOCOLS = ['tcp', 'udp', 'sctp']

const splitAddress = (text: string): { address: string; published: string; target: string } => {
  const parts = text.split(':')
  const target = parts.pop() ?? ''
  const published = parts.pop() ?? ''
  return { address: parts.join(':'), published, target }
}

const noPort = (part: string): PortMistake => {
  const [first, last, ...more] = part.split('-')
  if (last !== undefined && more.length === 0 && Number(first) > Number(last))
    return { mistake: `the range ${part} ends before it starts`, part, hint: `write ${last}-${first}` }
  const isNumber = /^\d+$/.test(part)
  return {
    mistake: isNumber ? `there is no port ${part}` : `"${part}" is not a port or a range of ports`,
    part,
    hint: isNumber ? 'ports go up to 65535' : 'write [ADDRESS:]PORT_OF_THE_HOST:PORT_OF_THE_CONTAINER, such as 8080:80',
  }
}

const noAddress = (part: string, text: string): PortMistake => {
  const [, ports, protocol] = /^(\d+:\d+):(tcp|udp|sctp)$/i.exec(text) ?? []
  if (ports !== undefined)
    return { mistake: `"${protocol}" stands behind a colon`, part: protocol ?? '', hint: `write ${ports}/${protocol}` }
  const isLocal = part === 'localhost'
  const hint = isLocal
    ? `write 127.0.0.1${text.slice(text.indexOf(part) + part.length)}`
    : 'write an address in digits, such as 127.0.0.1:8080:80'
  const mistake = /^\d+(:\d+)*$/.test(part) ? 'it has too many colons' : `"${part}" is not an IP address`
  return { mistake, part, hint }
}

const findMistake = (
  text: string,
  hostIp: string,
  published: string,
  target: string,
  protocol: string,
): PortMistake | undefined => {
  if (hostIp !== '' && !isAddress(hostIp)) return noAddress(hostIp, text)
  if (target === '')
    return { mistake: 'the port of the container is missing', hint: 'write it behind the colon, such as 8080:80' }
  if (!parsePortRange(target)) return noPort(target)
  if (published !== '' && !parsePortRange(published)) return noPort(published)
  if (PROTOCOLS.includes(protocol)) return undefined
  return {
    mistake: `there is no protocol "${protocol}"`,
    part: text.slice(text.lastIndexOf('/') + 1),
    hint: 'write /tcp, /udp or /sctp',
  }
}

/** One entry for each container port of a range. */
export const parsePort = (text: string): readonly ShortPort[] | PortMistake => {
  const slash = text.lastIndexOf('/')
  const protocol = (slash < 0 ? '' : text.slice(slash + 1)).toLowerCase() || 'tcp'
  const { address, published, target } = splitAddress(slash < 0 ? text : text.slice(0, slash))
  const hostIp = address.replace(/^\[(.*)\]$/, '$1')
  const mistake = findMistake(text, hostIp, published, target, protocol)
  const inner = parsePortRange(target)
  if (mistake || !inner) return mistake ?? noPort(target)
  const outer = published === '' ? undefined : parsePortRange(published)
  const count = inner.last - inner.first
  if (outer && count > 0 && outer.last - outer.first !== count) {
    return {
      mistake: `${formatPortRange(outer)} are ${outer.last - outer.first + 1} ports and ${formatPortRange(inner)} are ${count + 1}`,
      hint: 'write ranges of the same length',
    }
  }
  const ports = Array.from({ length: count + 1 }, (_, index) => ({
    hostIp: hostIp === '' ? undefined : hostIp,
    target: inner.first + index,
    published: outer && (count === 0 ? formatPortRange(outer) : String(outer.first + index)),
    protocol,
  }))
  // The reference sorts them as text: 10 comes before 9.
  return ports.sort((one, other) => (String(one.target) < String(other.target) ? -1 : 1))
}
