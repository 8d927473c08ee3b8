/** HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in either case, as Go programs read them (golang.org/x/net/http/httpproxy). */
import { BlockList, isIP } from 'node:net'
import { CaissonError } from '../../errors.ts'

type Environment = Readonly<Record<string, string | undefined>>

const variable = (environment: Environment, name: string): string =>
  environment[name] || environment[name.toLowerCase()] || ''

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '').toLowerCase()

const isLocal = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '::1' || (isIP(hostname) === 4 && hostname.startsWith('127.'))

/** `10.0.0.0/8`. false where either is no address. */
export const isWithin = (address: string, network: string): boolean => {
  const [base = '', bits = ''] = network.split('/')
  const family = isIP(base)
  if (family === 0 || isIP(address) !== family || !/^\d{1,3}$/.test(bits)) return false
  if (Number(bits) > (family === 4 ? 32 : 128)) return false
  const type = family === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(base, Number(bits), type)
  return list.check(address, type)
}

const portOf = ({ port, protocol }: URL): string => port || (protocol === 'https:' ? '443' : '80')

/** `example.org` is what is below it, too; `.example.org` and `*.example.org` only that. An address, a network, or `*` for all. */
const exempts = (entry: string, url: URL): boolean => {
  const hostname = bare(url.hostname)
  if (entry === '*') return true
  if (entry.includes('/')) return isWithin(hostname, entry)
  const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? []
  if (port !== undefined && port !== portOf(url)) return false
  const wanted = bare(name)
  const isBelow = isIP(hostname) === 0 && hostname.endsWith(`.${wanted.replace(/^\*?\./, '')}`)
  return hostname === wanted || isBelow
}

/** undefined: directly. Throws EPROXY. */
export const proxyFor = (url: URL, environment: Environment): URL | undefined => {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const value = variable(environment, name)
  if (value === '' || isLocal(bare(url.hostname))) return undefined
  const entries = variable(environment, 'NO_PROXY')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
  if (entries.some((entry) => exempts(entry, url))) return undefined
  const text = value.includes('://') ? value : `http://${value}`
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text)
  // The value is not shown: it may hold a password.
  throw new CaissonError('EPROXY', `${name} names no proxy that speaks HTTP`, { hint: 'its form is http://host:port' })
}

export const proxyHeader = ({ username, password }: URL): Record<string, string> => {
  if (username === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}
