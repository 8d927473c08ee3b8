/** HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in either case, as Go programs read them (golang.org/x/net/http/httpproxy). */

type Environment = Readonly<Record<string, string | undefined>>

const variable = (environment: Environment, name: string): string =>
  environment[name] || environment[name.toLowerCase()] || ''

const isLocal = (name: string): boolean => name === 'localhost' || /^127\./.test(name) || name === '[::1]'

/** `example.org` and `.example.org` are its subdomains too (the first the domain itself), `*` is everything. */
const isExempt = ({ hostname, host }: URL, list: string): boolean =>
  list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter(Boolean)
    .some((entry) => {
      if (entry === '*') return true
      if (entry === host || entry === hostname) return true
      const domain = entry.replace(/^\*?\.?/, '').replace(/:\d+$/, '')
      return hostname.endsWith(`.${domain}`)
    })

/** undefined: directly. */
export const proxyFor = (url: URL, environment: Environment): URL | undefined => {
  const value = variable(environment, url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY')
  if (value === '' || isLocal(url.hostname) || isExempt(url, variable(environment, 'NO_PROXY'))) return undefined
  const text = value.includes('://') ? value : `http://${value}`
  return URL.canParse(text) ? new URL(text) : undefined
}

export const proxyHeader = ({ username, password }: URL): Record<string, string> => {
  if (username === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}
