/** A token service as the distribution project specifies it: signs what a user may do of what was asked for. */
import { createSign } from 'node:crypto'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface TokenUser {
  readonly password: string
  /** As in `pull,push`. */
  readonly may: readonly string[]
}

export interface TokenServiceOptions {
  /** PEM: an RSA key, and the certificate that the registry trusts. */
  readonly key: string
  readonly cert: string
  readonly users: Readonly<Record<string, TokenUser>>
}

export interface TokenService {
  readonly realm: string
  /** Scopes and user ('' for nobody) of each token that was given. */
  readonly given: readonly { readonly user: string; readonly scopes: readonly string[] }[]
  /** What tokens from now on are good for; they say that it is longer. */
  lifeMs: number
  /** When the last of them ends for the registry. */
  readonly endsAt: number
  close(): Promise<void>
}

export const ISSUER = 'tokens of tests'
export const SERVICE = 'registry of tests'

/** What registries add to what a token says. */
const LEEWAY_S = 60
const SAID_S = 300

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const signed = ({ key, cert }: TokenServiceOptions, claims: object): string => {
  const chain = [cert.replaceAll(/-----[^-]+-----|\s/g, '')]
  const text = `${base64url({ typ: 'JWT', alg: 'RS256', x5c: chain })}.${base64url(claims)}`
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`
}

/** `repository:shop/web:pull,push`, and of these actions those that are allowed. */
const granted = (scope: string, may: readonly string[]): readonly object[] => {
  const [type = '', name = '', actions = ''] = scope.split(':')
  return [{ type, name, actions: actions.split(',').filter((action) => may.includes(action)) }]
}

/** undefined: a wrong password. */
const userOf = ({ headers }: IncomingMessage, { users }: TokenServiceOptions): string | undefined => {
  const [, encoded] = /^Basic (.+)$/.exec(headers.authorization ?? '') ?? []
  if (encoded === undefined) return ''
  const [name = '', password] = Buffer.from(encoded, 'base64').toString().split(':')
  return users[name]?.password === password ? name : undefined
}

export const startTokenService = async (options: TokenServiceOptions): Promise<TokenService> => {
  const given: { user: string; scopes: readonly string[] }[] = []
  const service = { lifeMs: SAID_S * 1000, endsAt: 0 }
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const user = userOf(request, options)
    if (user === undefined) {
      response.writeHead(401, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'wrong name or password' }] }))
      return
    }
    const scopes = new URL(request.url ?? '', 'http://localhost').searchParams.getAll('scope')
    given.push({ user, scopes })
    const now = Math.floor(Date.now() / 1000)
    const end = now + Math.round(service.lifeMs / 1000)
    service.endsAt = end * 1000
    const token = signed(options, {
      ...{ iss: ISSUER, sub: user, aud: SERVICE, jti: String(given.length) },
      ...{ iat: now, nbf: now - LEEWAY_S, exp: end - LEEWAY_S },
      access: scopes.flatMap((scope) => granted(scope, options.users[user]?.may ?? [])),
    })
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ token, expires_in: SAID_S }))
  }
  const server = http.createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(service, {
    realm: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    given,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}
