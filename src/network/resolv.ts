/**
 * Name resolution of a container: its resolv.conf names netd on 127.0.0.11; names that netd does not know go to the
 * upstreams, asked from the NetworkRoot (systemd-resolved on 127.0.0.53 answers there and nowhere else).
 */
import { isAddress } from '../units/addresses.ts'

/** netd listens here, UDP and TCP. container-table.ts rewrites port 53 to it. */
export const RESOLVER_ADDRESS = '127.0.0.11'
export const DNS_PORT = 61_053

/** glibc asks no more (MAXNS). */
const MAX_UPSTREAMS = 3

export interface ResolverSettings {
  /** IPv4 or IPv6, at most 3, asked in this order. */
  readonly upstreams: readonly string[]
  readonly search: readonly string[]
  readonly options: readonly string[]
}

/** What a service says; an empty list leaves the host's. */
export interface ResolverWish {
  readonly dns: readonly string[]
  readonly dnsSearch: readonly string[]
  readonly dnsOptions: readonly string[]
}

/** resolv.conf(5): the last `search` or `domain` counts. */
export const parseResolvConf = (text: string): ResolverSettings => {
  const upstreams: string[] = []
  const options: string[] = []
  let search: readonly string[] = []
  for (const line of text.split('\n')) {
    const [keyword = '', ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
    if (keyword === 'nameserver' && values[0] !== undefined) upstreams.push(values[0])
    if (keyword === 'search' || keyword === 'domain') search = values
    if (keyword === 'options') options.push(...values)
  }
  return { upstreams, search, options }
}

const withNdots = (options: readonly string[]): readonly string[] =>
  options.some((option) => option.startsWith('ndots:')) ? options : [...options, 'ndots:0']

/** A lone dot means: search nothing. */
const withoutDot = (search: readonly string[]): readonly string[] => search.filter((domain) => domain !== '.')

/** The service's own settings before those of the host's resolv.conf. Link-local servers (`fe80::1%eth0`) are left out. */
export const resolverSettings = (hostResolvConf: string, wish: ResolverWish): ResolverSettings => {
  const host = parseResolvConf(hostResolvConf)
  const servers = wish.dns.length > 0 ? wish.dns : host.upstreams
  return {
    upstreams: servers.filter(isAddress).slice(0, MAX_UPSTREAMS),
    search: withoutDot(wish.dnsSearch.length > 0 ? wish.dnsSearch : host.search),
    options: withNdots(wish.dnsOptions.length > 0 ? wish.dnsOptions : host.options),
  }
}

const line = (keyword: string, values: readonly string[]): string =>
  values.length > 0 ? `${keyword} ${values.join(' ')}\n` : ''

/** Text of a container's /etc/resolv.conf. With `network_mode: host` give the upstreams as `servers`. */
export const formatResolvConf = (settings: ResolverSettings, servers: readonly string[] = [RESOLVER_ADDRESS]): string =>
  [
    ...servers.map((server) => line('nameserver', [server])),
    line('search', settings.search),
    line('options', settings.options),
  ].join('')
