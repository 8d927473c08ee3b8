/** Where a registry is spoken to, and how: TLS, mirrors and insecure registries, as Docker's files on this machine say. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { isWithin } from './proxy.ts'
import { parseRegistries, type RegistryRule, ruleFor } from './registries-conf.ts'
import type { Repository } from './types.ts'
import { HUB } from '../../oci/reference.ts'

export interface Tls {
  readonly ca: readonly string[]
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
  /** PEM of those whom this machine trusts. */
  readonly authorities: readonly string[]
  /** Of podman. */
  readonly rules: readonly RegistryRule[]
}

const HUB_NAMES = new Set(['docker.io', 'index.docker.io', 'hub.docker.com', HUB])

/** As users write it. */
export const displayHost = (host: string): string => (host === HUB ? 'docker.io' : host)

/** What a user wrote, with or without scheme and path: `https://index.docker.io/v1/` is the Hub, and so is nothing. */
export const registryHost = (text: string): string => {
  const host = text.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  return host === '' || HUB_NAMES.has(host) ? HUB : host
}

type Environment = Readonly<Record<string, string | undefined>>

export interface HostOptions {
  readonly environment: Environment
  readonly warn: (message: string) => void
}

const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** {}: it is not there, or is nothing that can be used, which is said. */
const daemonJson = (environment: Environment, warn: (message: string) => void): Readonly<Record<string, unknown>> => {
  const path = environment.CAISSON_DAEMON_JSON || '/etc/docker/daemon.json'
  try {
    return Object(JSON.parse(readText(path) || '{}')) as Record<string, unknown>
  } catch {
    warn(`${path} is no JSON: mirrors and insecure registries in it are not used`)
    return {}
  }
}

const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : [])
const words = (value: string | undefined): readonly string[] => (value ?? '').split(/[\s,]+/).filter(Boolean)

const BUNDLES = ['ssl/certs/ca-certificates.crt', 'pki/tls/certs/ca-bundle.crt', 'ssl/ca-bundle.pem', 'ssl/cert.pem']

/** As Go programs find them. undefined: this machine names none. */
const systemAuthorities = ({ SSL_CERT_FILE }: Environment): readonly string[] | undefined => {
  const paths = SSL_CERT_FILE ? [SSL_CERT_FILE] : BUNDLES.map((path) => join('/etc', path))
  const found = paths.map(readText).find((text) => text !== undefined)
  return found === undefined ? undefined : [found]
}

/** The user's own before that of the machine. */
const registryRules = ({ environment, warn }: HostOptions): readonly RegistryRule[] => {
  const { CONTAINERS_REGISTRIES_CONF, XDG_CONFIG_HOME, HOME = '/' } = environment
  const own = join(XDG_CONFIG_HOME || join(HOME, '.config'), 'containers/registries.conf')
  const paths = CONTAINERS_REGISTRIES_CONF ? [CONTAINERS_REGISTRIES_CONF] : [own, '/etc/containers/registries.conf']
  const text = paths.map(readText).find((each) => each !== undefined)
  return text === undefined ? [] : parseRegistries(text, warn)
}

/** Hosts that a rule as a whole calls insecure; a rule of a namespace says nothing of the rest of its host. */
const insecureOf = ({ prefix, location, isInsecure, mirrors }: RegistryRule): readonly string[] => [
  ...(isInsecure ? [location ?? prefix].filter((host) => !/[/*]/.test(host)) : []),
  ...mirrors.flatMap((mirror) => (mirror.isInsecure ? [mirror.location] : [])),
]

export const readHostFiles = (options: HostOptions): HostFiles => {
  const { environment, warn } = options
  const rules = registryRules(options)
  const daemon = daemonJson(environment, warn)
  // The shebang keeps NODE_EXTRA_CA_CERTS from Node, which would read it at every start.
  const extra = environment.CAISSON_CA || environment.NODE_EXTRA_CA_CERTS
  const more = extra ? (readText(extra) ?? []) : []
  return {
    rules,
    insecure: [
      ...texts(daemon['insecure-registries']),
      ...words(environment.CAISSON_INSECURE_REGISTRIES),
      ...rules.flatMap(insecureOf),
    ],
    mirrors: [...texts(daemon['registry-mirrors']), ...words(environment.CAISSON_REGISTRY_MIRRORS)],
    certificates: [
      ...words(environment.CAISSON_CERTS_D),
      ...['/etc/caisson/certs.d', '/etc/docker/certs.d', '/etc/containers/certs.d'],
      join(environment.HOME ?? '/', '.config/containers/certs.d'),
    ],
    authorities: [...(systemAuthorities(environment) ?? rootCertificates), ...[more].flat()],
  }
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/

export const isLoopback = (host: string): boolean => LOOPBACK.test(host)

/** `host`, `host:port`, or a network as `10.0.0.0/8`, as daemon.json has them. */
const matches = (host: string, entry: string): boolean => {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
  const wanted = entry.replace(/^https?:\/\//, '').replace(/\/$/, '')
  return wanted.includes('/') ? isWithin(name, wanted) : wanted === host || wanted === name
}

const namesIn = (directory: string): readonly string[] => {
  try {
    return readdirSync(directory).sort()
  } catch {
    return []
  }
}

const clientFiles = (directory: string) => {
  const names = namesIn(directory)
  const read = (suffix: string) =>
    names.filter((name) => name.endsWith(suffix)).flatMap((name) => readText(join(directory, name)) ?? [])
  return { ca: read('.crt'), cert: read('.cert')[0], key: read('.key')[0] }
}

const isInsecure = (host: string, { insecure }: HostFiles): boolean => insecure.some((entry) => matches(host, entry))

/** Each host is trusted on its own: what is said of a registry does not hold for where it redirects to, or has its tokens from. */
export const tlsOf = (host: string, files: HostFiles): Tls => {
  const found = files.certificates.map((directory) => clientFiles(join(directory, host)))
  const own = found.flatMap(({ ca }) => ca)
  return {
    ca: [...own, ...files.authorities],
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
const hubMirrors = (files: HostFiles): readonly Endpoint[] =>
  files.mirrors.flatMap((mirror) => {
    if (!URL.canParse(mirror)) return []
    const { origin, host } = new URL(mirror)
    return [{ origin, host }]
  })

export interface Route {
  /** Asked first, for what is only read. */
  readonly mirrors: readonly Endpoint[]
  readonly own: readonly Endpoint[]
  readonly isBlocked: boolean
}

/** Whom to ask for a repository. */
export const routeOf = ({ host, path }: Repository, files: HostFiles): Route => {
  const rule = ruleFor(files.rules, `${displayHost(host)}/${path}`)
  const mirrors = (rule?.mirrors ?? []).flatMap(({ location }) => endpointsOf(registryHost(location), files))
  return {
    mirrors: host === HUB ? [...mirrors, ...hubMirrors(files)] : mirrors,
    own: endpointsOf(rule?.location === undefined ? host : registryHost(rule.location), files),
    isBlocked: rule?.isBlocked ?? false,
  }
}
