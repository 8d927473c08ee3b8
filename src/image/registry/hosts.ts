/** Where a registry is spoken to, and how: TLS, mirrors and insecure registries, as Docker's files on this machine say. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'

export interface Tls {
  readonly ca: readonly string[] | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  /** false: of an insecure registry, whose certificate may be anybody's. */
  readonly rejectUnauthorized: boolean
}

export interface Endpoint {
  /** `https://host[:port]` */
  readonly origin: string
  /** Whose credentials it gets: a mirror does not get those of the registry that it answers for. */
  readonly host: string
}

export interface HostFiles {
  readonly insecure: readonly string[]
  readonly mirrors: readonly string[]
  /** Directories with a directory for each host. */
  readonly certificates: readonly string[]
  /** PEM of authorities beside Node's own. */
  readonly authorities: readonly string[]
}

export const HUB = 'registry-1.docker.io'
const HUB_NAMES = new Set(['docker.io', 'index.docker.io', 'hub.docker.com', HUB])

/** As users write it. */
export const displayHost = (host: string): string => (host === HUB ? 'docker.io' : host)

/** What a user wrote, with or without scheme and path: `https://index.docker.io/v1/` is the Hub, and so is nothing. */
export const registryHost = (text: string): string => {
  const host = text.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  return host === '' || HUB_NAMES.has(host) ? HUB : host
}

type Environment = Readonly<Record<string, string | undefined>>

const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const daemonJson = (environment: Environment): Readonly<Record<string, unknown>> => {
  try {
    return JSON.parse(readText(environment.CAISSON_DAEMON_JSON || '/etc/docker/daemon.json') ?? '{}') as Record<
      string,
      unknown
    >
  } catch {
    return {}
  }
}

const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : [])
const words = (value: string | undefined): readonly string[] => (value ?? '').split(/[\s,]+/).filter(Boolean)

export const readHostFiles = (environment: Environment): HostFiles => {
  const daemon = daemonJson(environment)
  // The shebang keeps NODE_EXTRA_CA_CERTS from Node, which would read it at every start.
  const extra = environment.CAISSON_CA || environment.NODE_EXTRA_CA_CERTS
  const more = [extra, environment.SSL_CERT_FILE].flatMap((path) => (path ? (readText(path) ?? []) : []))
  const system = readText('/etc/ssl/certs/ca-certificates.crt')
  return {
    insecure: [...texts(daemon['insecure-registries']), ...words(environment.CAISSON_INSECURE_REGISTRIES)],
    mirrors: [...texts(daemon['registry-mirrors']), ...words(environment.CAISSON_REGISTRY_MIRRORS)],
    certificates: [
      ...words(environment.CAISSON_CERTS_D),
      ...['/etc/caisson/certs.d', '/etc/docker/certs.d', '/etc/containers/certs.d'],
      join(environment.HOME ?? '/', '.config/containers/certs.d'),
    ],
    authorities: [...more, ...(system === undefined ? [] : [system])],
  }
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/

export const isLoopback = (host: string): boolean => LOOPBACK.test(host)

const octets = (address: string): number | undefined => {
  const parts = address.split('.').map(Number)
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part < 256))) return undefined
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

/** `host`, `host:port`, or a network as `10.0.0.0/8`, as daemon.json has them. */
const matches = (host: string, entry: string): boolean => {
  const name = host.replace(/:\d+$/, '')
  const [network = '', bits] = entry.replace(/^https?:\/\//, '').split('/')
  if (bits === undefined) return network === host || network === name
  const [address, base] = [octets(name), octets(network)]
  if (address === undefined || base === undefined) return false
  const size = 2 ** (32 - Number(bits))
  return Math.floor(address / size) === Math.floor(base / size)
}

const clientFiles = (directory: string) => {
  const names = existsSync(directory) ? readdirSync(directory).sort() : []
  const read = (suffix: string) =>
    names.filter((name) => name.endsWith(suffix)).flatMap((name) => readText(join(directory, name)) ?? [])
  return { ca: read('.crt'), cert: read('.cert')[0], key: read('.key')[0] }
}

const isInsecure = (host: string, { insecure }: HostFiles): boolean => insecure.some((entry) => matches(host, entry))

/** Each host is trusted on its own: what is said of a registry does not hold for where it redirects to, or has its tokens from. */
export const tlsOf = (host: string, files: HostFiles): Tls => {
  const found = files.certificates.map((directory) => clientFiles(join(directory, host)))
  const own = found.flatMap(({ ca }) => ca)
  const cas = [...own, ...files.authorities]
  return {
    ca: cas.length === 0 ? undefined : [...rootCertificates, ...cas],
    cert: found.find(({ cert }) => cert !== undefined)?.cert,
    key: found.find(({ key }) => key !== undefined)?.key,
    rejectUnauthorized: !isInsecure(host, files),
  }
}

/** In the order in which they are tried. `http` stands last where it is allowed: on loopback, and for insecure registries. */
export const endpointsOf = (host: string, files: HostFiles): readonly Endpoint[] => {
  const secure = { origin: `https://${host}`, host }
  return isInsecure(host, files) || isLoopback(host) ? [secure, { origin: `http://${host}`, host }] : [secure]
}

/** Mirrors of Docker Hub: `registry-mirrors` of daemon.json. */
export const mirrorsOf = (host: string, files: HostFiles): readonly Endpoint[] => {
  if (host !== HUB) return []
  return files.mirrors.flatMap((mirror) => {
    if (!URL.canParse(mirror)) return []
    const { origin, host: name } = new URL(mirror)
    return [{ origin, host: name }]
  })
}
