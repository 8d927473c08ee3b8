/** The Authorization header of requests: none, Basic, or a bearer token from where the registry says (distribution, token and OAuth 2 specs). */
import { CaissonError } from '../../errors.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import type { Credentials } from './credentials.ts'
import { connectionError, statusError } from './errors.ts'
import type { Endpoint } from './hosts.ts'
import { type HttpResponse, readBody, type Transport } from './transport.ts'

export interface Authorizer {
  /** What is known to be wanted there for this scope. */
  header(endpoint: Endpoint, scope: string): string | undefined
  /** After a 401: true where another try makes sense. */
  answer(endpoint: Endpoint, scope: string, response: HttpResponse): Promise<boolean>
}

export interface AuthorizerOptions {
  readonly transport: Transport
  /** Of the host; undefined: anonymous. Not asked for mirrors. */
  readonly credentials: (scope: string) => Promise<Credentials | undefined>
  readonly host: string
  readonly now: () => number
}

const MAX_TOKEN = 1 << 20
const DEFAULT_EXPIRY_S = 60
/** Before a token ends by the registry's clock. */
const MARGIN_MS = 10_000

interface Held {
  readonly header: string
  readonly endsAt: number
}

const basic = ({ username, password }: Credentials): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

/** Credentials given to a registry over TLS leave it over TLS. */
const checkRealm = (realm: string, endpoint: Endpoint, host: string): URL => {
  if (!URL.canParse(realm))
    throw new CaissonError('EREGISTRY', `${host} wants a token from '${realm}', which is no address`)
  const url = new URL(realm)
  const isAllowed = url.protocol === 'https:' || (url.protocol === 'http:' && endpoint.origin.startsWith('http:'))
  if (!isAllowed) throw new CaissonError('EREGISTRY', `${host} wants a token from ${url.origin}, which is not secure`)
  return url
}

/** Scopes of the challenge and ours, each once. */
const scopesOf = (challenge: Challenge, scope: string): readonly string[] => [
  ...new Set([...(challenge.parameters['scope'] ?? '').split(' '), ...scope.split(' ')].filter(Boolean)),
]

const fetchToken = async (
  { transport, host }: AuthorizerOptions,
  endpoint: Endpoint,
  challenge: Challenge,
  scope: string,
  credentials: Credentials | undefined,
): Promise<{ readonly token: string; readonly expiresIn: number }> => {
  const url = checkRealm(challenge.parameters['realm'] ?? '', endpoint, host)
  const scopes = scopesOf(challenge, scope)
  const service = challenge.parameters['service'] ?? ''
  const asked = { what: `a token of ${url.host}`, host: url.host, credentials }
  const isIdentity = credentials?.username === '<token>'
  for (const each of scopes) url.searchParams.append('scope', each)
  if (service !== '') url.searchParams.set('service', service)
  const form = new URLSearchParams({
    ...{ grant_type: 'refresh_token', refresh_token: credentials?.password ?? '', service, client_id: 'caisson' },
    ...{ scope: scopes.join(' '), access_type: 'offline' },
  })
  const request = isIdentity
    ? {
        ...{ method: 'POST' as const, url: url.origin + url.pathname, body: Buffer.from(form.toString()) },
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }
    : {
        ...{ method: 'GET' as const, url: url.href },
        headers: credentials === undefined ? {} : { authorization: basic(credentials) },
      }
  // A realm on another host has a certificate of its own, which a registry's exceptions do not cover.
  const isOwn = url.origin === endpoint.origin
  const trust = isOwn ? endpoint.tls : { ...endpoint.tls, cert: undefined, key: undefined }
  const response = await transport.send(request, trust).catch((error: unknown) => {
    throw connectionError(asked, error)
  })
  const body = await readBody(response.body, MAX_TOKEN)
  if (response.status !== 200) throw statusError(asked, response.status, body, response.headers)
  const { token, access_token, expires_in } = JSON.parse(body.toString('utf8')) as Record<string, unknown>
  const found = typeof token === 'string' && token !== '' ? token : access_token
  if (typeof found !== 'string' || /[^\x21-\x7e]/.test(found))
    throw new CaissonError('EREGISTRY', `${asked.what}: there is none in the answer`)
  return { token: found, expiresIn: typeof expires_in === 'number' && expires_in > 0 ? expires_in : DEFAULT_EXPIRY_S }
}

/** Of one registry. */
export const createAuthorizer = (options: AuthorizerOptions): Authorizer => {
  const held = new Map<string, Held>()
  const failed = new Set<string>()
  const keyOf = (endpoint: Endpoint, scope: string) => `${endpoint.origin} ${scope}`
  return {
    header: (endpoint, scope) => {
      const found = held.get(keyOf(endpoint, scope))
      return found !== undefined && found.endsAt > options.now() ? found.header : undefined
    },
    answer: async (endpoint, scope, response) => {
      const key = keyOf(endpoint, scope)
      const before = held.get(key)
      const challenges = parseChallenges(String(response.headers['www-authenticate'] ?? ''))
      const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
      const credentials = endpoint.isMirror ? undefined : await options.credentials(scope)
      // The same answer twice in a row is an answer.
      if (failed.has(key) && before !== undefined) return false
      if (before !== undefined) failed.add(key)
      if (bearer !== undefined) {
        const { token, expiresIn } = await fetchToken(options, endpoint, bearer, scope, credentials)
        held.set(key, {
          header: `Bearer ${token}`,
          endsAt: options.now() + expiresIn * 1000 - Math.min(MARGIN_MS, expiresIn * 500),
        })
        return true
      }
      if (challenges.some(({ scheme }) => scheme === 'basic') && credentials !== undefined && before === undefined) {
        held.set(key, { header: basic(credentials), endsAt: Number.POSITIVE_INFINITY })
        return true
      }
      return false
    },
  }
}
