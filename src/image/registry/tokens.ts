/** The Authorization header of requests: none, Basic, or a bearer token from where the registry says (distribution, token and OAuth 2 specs). */
import { CaissonError } from '../../errors.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import type { Credentials } from './credentials.ts'
import { type Asked, connectionError, malformed, statusError } from './errors.ts'
import type { Endpoint } from './hosts.ts'
import { type HttpRequest, type HttpResponse, readBody, type Transport } from './transport.ts'

export interface Authorizer {
  /** What is known to be wanted there for this scope. */
  header(endpoint: Endpoint, scope: string): Promise<string | undefined>
  /** After a 401 to a request with the header `used`: what to send instead; undefined: there is nothing. */
  answer(
    endpoint: Endpoint,
    scope: string,
    used: string | undefined,
    response: HttpResponse,
  ): Promise<string | undefined>
}

export interface AuthorizerOptions {
  readonly transport: Transport
  /** undefined: anonymous. */
  readonly credentials: (endpoint: Endpoint) => Promise<Credentials | undefined>
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
const checkRealm = (realm: string, { origin, host }: Endpoint): URL => {
  if (!URL.canParse(realm))
    throw new CaissonError('EREGISTRY', `${host} wants a token from '${realm}', which is no address`)
  const url = new URL(realm)
  const isAllowed = url.protocol === 'https:' || (url.protocol === 'http:' && origin.startsWith('http:'))
  if (!isAllowed) throw new CaissonError('EREGISTRY', `${host} wants a token from ${url.origin}, which is not secure`)
  return url
}

/** Scopes of the challenge and ours, each once. */
const scopesOf = (challenge: Challenge, scope: string): readonly string[] => [
  ...new Set([...(challenge.parameters['scope'] ?? '').split(' '), ...scope.split(' ')].filter(Boolean)),
]

/** By refresh token (OAuth 2) where that is what we have, else by name and password, or as nobody. */
const tokenRequest = (
  url: URL,
  challenge: Challenge,
  scopes: readonly string[],
  credentials: Credentials | undefined,
): HttpRequest => {
  const service = challenge.parameters['service'] ?? ''
  if (credentials?.username === '<token>') {
    const form = new URLSearchParams({
      ...{ grant_type: 'refresh_token', refresh_token: credentials.password, service, client_id: 'caisson' },
      ...{ scope: scopes.join(' '), access_type: 'offline' },
    })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return { method: 'POST', url: url.href, body: Buffer.from(form.toString()), headers }
  }
  const asked = new URL(url)
  for (const each of scopes) asked.searchParams.append('scope', each)
  if (service !== '') asked.searchParams.set('service', service)
  const headers = credentials === undefined ? {} : { authorization: basic(credentials) }
  return { method: 'GET', url: asked.href, headers }
}

const readToken = (body: Buffer, asked: Asked, now: number): Held => {
  let answer: Record<string, unknown>
  try {
    answer = Object(JSON.parse(body.toString('utf8'))) as Record<string, unknown>
  } catch {
    throw malformed(asked, 'no JSON')
  }
  const { token, access_token, expires_in } = answer
  const found = typeof token === 'string' && token !== '' ? token : access_token
  if (typeof found !== 'string' || found === '' || /[^\x21-\x7e]/.test(found))
    throw malformed(asked, 'there is no token in it')
  const seconds = typeof expires_in === 'number' && expires_in > 0 ? expires_in : DEFAULT_EXPIRY_S
  return { header: `Bearer ${found}`, endsAt: now + seconds * 1000 - Math.min(MARGIN_MS, seconds * 500) }
}

const fetchToken = async (
  { transport, now }: AuthorizerOptions,
  endpoint: Endpoint,
  challenge: Challenge,
  scope: string,
  credentials: Credentials | undefined,
): Promise<Held> => {
  const url = checkRealm(challenge.parameters['realm'] ?? '', endpoint)
  const asked = { what: `a token of ${url.host}`, host: url.host, credentials }
  const request = tokenRequest(url, challenge, scopesOf(challenge, scope), credentials)
  try {
    const response = await transport.send(request)
    const body = await readBody(response.body, MAX_TOKEN)
    if (response.status !== 200) throw statusError(asked, response.status, body, response.headers)
    return readToken(body, asked, now())
  } catch (error) {
    throw connectionError(asked, error)
  }
}

/** Bearer before Basic: a token can do less. */
const preferred = (response: HttpResponse): Challenge | undefined => {
  const challenges = parseChallenges(String(response.headers['www-authenticate'] ?? ''))
  return challenges.find(({ scheme }) => scheme === 'bearer') ?? challenges.find(({ scheme }) => scheme === 'basic')
}

/** Of one registry. Whoever asks while a token is on its way waits for that one. */
export const createAuthorizer = (options: AuthorizerOptions): Authorizer => {
  const held = new Map<string, Held>()
  const onTheirWay = new Map<string, Promise<Held | undefined>>()
  /** By origin: what it wanted last. */
  const wanted = new Map<string, Challenge>()
  const obtain = async (endpoint: Endpoint, scope: string, challenge: Challenge): Promise<Held | undefined> => {
    const credentials = await options.credentials(endpoint)
    if (challenge.scheme === 'bearer') return fetchToken(options, endpoint, challenge, scope, credentials)
    return credentials === undefined ? undefined : { header: basic(credentials), endsAt: Number.POSITIVE_INFINITY }
  }
  const fill = async (key: string, obtaining: Promise<Held | undefined>): Promise<Held | undefined> => {
    try {
      const found = await obtaining
      if (found !== undefined) held.set(key, found)
      return found
    } finally {
      onTheirWay.delete(key)
    }
  }
  const shared = async (endpoint: Endpoint, scope: string, challenge: Challenge): Promise<string | undefined> => {
    const key = `${endpoint.origin} ${scope}`
    const filling = onTheirWay.get(key) ?? fill(key, obtain(endpoint, scope, challenge))
    onTheirWay.set(key, filling)
    return (await filling)?.header
  }
  const current = (endpoint: Endpoint, scope: string): string | undefined => {
    const found = held.get(`${endpoint.origin} ${scope}`)
    return found !== undefined && found.endsAt > options.now() ? found.header : undefined
  }
  return {
    header: async (endpoint, scope) => {
      const known = wanted.get(endpoint.origin)
      return current(endpoint, scope) ?? (known === undefined ? undefined : shared(endpoint, scope, known))
    },
    answer: async (endpoint, scope, used, response) => {
      const challenge = preferred(response)
      if (challenge === undefined) return undefined
      // The scope of this question is none of the next one's.
      wanted.set(endpoint.origin, { ...challenge, parameters: { ...challenge.parameters, scope: '' } })
      const other = current(endpoint, scope)
      const next = other !== undefined && other !== used ? other : await shared(endpoint, scope, challenge)
      return next === used ? undefined : next
    },
  }
}
