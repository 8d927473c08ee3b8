/** Who may do what at the faulty registry: Basic, or tokens of a service of its own at /token. */
import type { IncomingMessage, ServerResponse } from 'node:http'

export type Access =
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | {
      readonly kind: 'token'
      readonly user?: string
      readonly password?: string
      /** Seconds that the service says of a token; it holds until `revoke`. */
      readonly expiresIn?: number
      /** Requests that a token is good for. */
      readonly uses?: number
      /** Where the challenge sends clients; default this registry. */
      readonly realm?: string
    }

export interface Gate {
  /** true: answered, nobody gets in with that. */
  refuses(request: IncomingMessage, response: ServerResponse, url: URL, origin: string): boolean
  /** Tokens that were given so far are worth nothing from now on. */
  revoke(): void
  /** How many were given. */
  readonly given: number
}

const scopeOf = ({ pathname }: URL, method: string): string => {
  const [, path] = /^\/v2\/(.+?)\/(?:manifests|blobs|tags)\//.exec(pathname) ?? []
  const action = method === 'GET' || method === 'HEAD' ? 'pull' : 'pull,push'
  return path === undefined ? '' : `repository:${path}:${action}`
}

const covers = (granted: readonly string[], wanted: string): boolean => {
  const [, path, actions = ''] = wanted.split(':')
  return granted.some((each) => {
    const [, has, may = ''] = each.split(':')
    return has === path && actions.split(',').every((action) => may.split(',').includes(action))
  })
}

const unauthorised = (response: ServerResponse, challenge: string): true => {
  response.writeHead(401, { 'www-authenticate': challenge, 'content-type': 'application/json' })
  response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }))
  return true
}

const basicOf = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

const basicGate = ({ user, password }: Extract<Access, { kind: 'basic' }>): Gate => ({
  refuses: ({ headers }, response) =>
    headers.authorization === basicOf(user, password) ? false : unauthorised(response, 'Basic realm="test"'),
  revoke: () => {},
  given: 0,
})

const tokenGate = ({
  user,
  password = '',
  expiresIn,
  realm,
  uses = Number.POSITIVE_INFINITY,
}: Extract<Access, { kind: 'token' }>): Gate => {
  const tokens = new Map<string, { readonly scopes: readonly string[]; left: number }>()
  let given = 0
  const issue = ({ headers }: IncomingMessage, response: ServerResponse, url: URL): true => {
    if (user !== undefined && headers.authorization !== basicOf(user, password))
      return unauthorised(response, 'Basic realm="test"')
    const token = `token-${++given}`
    tokens.set(token, { scopes: url.searchParams.getAll('scope'), left: uses })
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ token, ...(expiresIn === undefined ? {} : { expires_in: expiresIn }) }))
    return true
  }
  return {
    refuses: (request, response, url, origin) => {
      if (url.pathname === '/token') return issue(request, response, url)
      const scope = scopeOf(url, request.method ?? '')
      const granted = tokens.get((request.headers.authorization ?? '').replace(/^Bearer /, ''))
      if (granted !== undefined && granted.left-- > 0 && (scope === '' || covers(granted.scopes, scope))) return false
      const wanted = scope === '' ? '' : `,scope="${scope}"`
      return unauthorised(response, `Bearer realm="${realm ?? `${origin}/token`}",service="test"${wanted}`)
    },
    revoke: () => tokens.clear(),
    get given() {
      return given
    },
  }
}

const OPEN: Gate = { refuses: () => false, revoke: () => {}, given: 0 }

export const createGate = (access: Access | undefined): Gate =>
  access === undefined ? OPEN : access.kind === 'basic' ? basicGate(access) : tokenGate(access)
