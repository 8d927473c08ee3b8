/** HTTP as registries speak it: connections are kept, proxies honoured, redirects followed without carrying credentials along. */
import http, { type IncomingMessage, type RequestOptions } from 'node:http'
import https from 'node:https'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import tls from 'node:tls'
import { CaissonError } from '../../errors.ts'
import type { Tls } from './hosts.ts'
import { proxyFor, proxyHeader } from './proxy.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | { readonly size: number; readonly chunks: AsyncIterable<Buffer> } | undefined
  readonly signal?: AbortSignal | undefined
}

export interface HttpResponse {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** After redirects. */
  readonly url: string
  /** To be read to its end, or destroyed. */
  readonly body: IncomingMessage
}

export interface Transport {
  send(request: HttpRequest): Promise<HttpResponse>
  close(): void
}

/** Without a byte for so long, a connection is taken for broken. */
const IDLE_MS = 60_000
/** What was uploaded may be copied somewhere before the registry answers. */
const COMMIT_MS = 600_000
const CONNECT_MS = 30_000
const MAX_REDIRECTS = 10

/** A tunnel through a proxy (RFC 9110 §9.3.6), and TLS in it. */
const tunnel = (
  proxy: URL,
  target: { readonly host: string; readonly port: number },
  options: tls.ConnectionOptions,
  done: (error: Error | null, socket?: net.Socket) => void,
): void => {
  const speak = proxy.protocol === 'https:' ? https : http
  const authority = `${target.host}:${target.port}`
  const headers = { host: authority, ...proxyHeader(proxy) }
  const request = speak.request(proxy, {
    method: 'CONNECT',
    path: authority,
    headers,
    agent: false,
    timeout: CONNECT_MS,
  })
  request.once('timeout', () => request.destroy(coded('ETIMEDOUT', 'the proxy does not answer')))
  request.once('error', (error) => done(error))
  request.once('connect', (response: IncomingMessage, socket: net.Socket) => {
    if (response.statusCode === 200) return done(null, tls.connect({ ...options, socket }))
    socket.destroy()
    done(coded('EPROXY', `the proxy ${proxy.host} answers ${response.statusCode}`))
  })
  request.end()
}

class TunnelAgent extends https.Agent {
  readonly #proxy: URL
  constructor(proxy: URL, options: https.AgentOptions) {
    super(options)
    this.#proxy = proxy
  }
  override createConnection(options: RequestOptions, done?: (error: Error | null, stream: Duplex) => void): undefined {
    const host = options.host ?? ''
    const target = { host, port: Number(options.port ?? 443) }
    const secure = { ...(options as tls.ConnectionOptions), servername: net.isIP(host) ? '' : host }
    tunnel(this.#proxy, target, secure, (error, socket) => done?.(error, socket as Duplex))
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** Certificates are parsed once for all connections to a host: there are many. */
const secureOptions = ({ ca, cert, key, rejectUnauthorized }: Tls): https.AgentOptions => ({
  secureContext: tls.createSecureContext({
    ca: [...ca],
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }),
  rejectUnauthorized,
})

const coded = (code: string, message: string): Error => Object.assign(new Error(message), { code })

const lengthOf = ({ body }: HttpRequest): Record<string, string> => {
  if (body === undefined) return {}
  return { 'content-length': String(Buffer.isBuffer(body) ? body.length : body.size) }
}

/** To a proxy goes the whole address (RFC 9112 §3.2.2); what is secure goes through a tunnel, which the agent makes. */
const start = (url: URL, options: RequestOptions, environment: Environment): http.ClientRequest => {
  if (url.protocol === 'https:') return https.request(url, options)
  const proxy = proxyFor(url, environment)
  if (proxy === undefined) return http.request(url, options)
  const headers = { ...(options.headers as Record<string, string>), host: url.host, ...proxyHeader(proxy) }
  const speak = proxy.protocol === 'https:' ? https : http
  return speak.request(proxy.origin, { ...options, headers, path: url.href, agent: false })
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** What would change its method, or whose body is gone, is left to who asked. */
const isFollowed = ({ method, body }: HttpRequest, status: number): boolean =>
  method === 'GET' || method === 'HEAD'
    ? REDIRECTS.has(status)
    : (status === 307 || status === 308) && (body === undefined || Buffer.isBuffer(body))

/** What came over TLS does not go on without. */
const targetOf = (url: string, location: string): URL => {
  const next = URL.canParse(location, url) ? new URL(location, url) : undefined
  if (next === undefined) throw new CaissonError('EREGISTRY', `${url} leads to what is no address`)
  if (new URL(url).protocol === 'https:' && next.protocol !== 'https:')
    throw new CaissonError('EREGISTRY', `${url} leads from https to ${next.origin}`)
  return next
}

/** Of one command. `trust`: by host. */
export const createTransport = (environment: Environment, trust: (host: string) => Tls): Transport => {
  const agents = new Map<string, http.Agent>()
  const agentFor = (url: URL): http.Agent => {
    const proxy = proxyFor(url, environment)
    const key = `${url.protocol} ${url.protocol === 'https:' ? url.host : ''} ${proxy?.href ?? ''}`
    const make = () => {
      if (url.protocol === 'http:') return new http.Agent({ keepAlive: true })
      const options = { keepAlive: true, ...secureOptions(trust(url.host)) }
      return proxy === undefined ? new https.Agent(options) : new TunnelAgent(proxy, options)
    }
    const agent = agents.get(key) ?? make()
    agents.set(key, agent)
    return agent
  }

  const optionsOf = (request: HttpRequest, url: URL): RequestOptions => {
    const { method, headers, signal } = request
    return {
      ...{ method, agent: agentFor(url), timeout: method === 'PUT' ? COMMIT_MS : IDLE_MS },
      headers: { 'user-agent': 'caisson', ...headers, ...lengthOf(request) },
      ...(signal === undefined ? {} : { signal }),
    }
  }

  const once = (request: HttpRequest): Promise<HttpResponse> =>
    new Promise((resolve, reject) => {
      const url = new URL(request.url)
      const { body } = request
      const sent = start(url, optionsOf(request, url), environment)
      sent.once('timeout', () => sent.destroy(coded('ETIMEDOUT', 'nothing came for a long time')))
      sent.on('error', reject)
      sent.once('response', (response) => {
        // An answer before all was sent leaves a connection that serves for nothing more.
        response.once('end', () => !sent.writableEnded && sent.destroy())
        resolve({ status: response.statusCode ?? 0, headers: response.headers, url: url.href, body: response })
      })
      if (body === undefined || Buffer.isBuffer(body)) sent.end(body)
      else pour(body.chunks, sent).catch((error: Error) => sent.destroy(error))
    })

  const send = async (request: HttpRequest): Promise<HttpResponse> => {
    let { url, headers } = request
    for (let redirects = 0; ; redirects++) {
      const response = await once({ ...request, url, headers: headers ?? {} })
      const { location } = response.headers
      if (!isFollowed(request, response.status) || location === undefined) return response
      response.body.resume()
      if (redirects === MAX_REDIRECTS)
        throw new CaissonError('EREGISTRY', `${request.url} leads through too many redirects`)
      const next = targetOf(url, location)
      // Credentials are for who asked for them (distribution-spec; RFC 9110 §15.4).
      if (next.origin !== new URL(url).origin) headers = without(headers ?? {}, 'authorization')
      url = next.href
    }
  }
  return {
    send,
    close: () => {
      for (const agent of agents.values()) agent.destroy()
    },
  }
}

const without = (headers: Readonly<Record<string, string>>, name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([key]) => key.toLowerCase() !== name))

const drained = (request: http.ClientRequest): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      request.off('drain', done).off('close', done)
      resolve()
    }
    request.on('drain', done).on('close', done)
  })

const pour = async (chunks: AsyncIterable<Buffer>, request: http.ClientRequest): Promise<void> => {
  for await (const chunk of chunks) {
    if (request.destroyed) return
    if (!request.write(chunk)) await drained(request)
  }
  request.end()
}

/** The whole of a body that should be small. */
export const readBody = async (body: AsyncIterable<Buffer>, limit: number): Promise<Buffer> => {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > limit) throw new CaissonError('EREGISTRY', `the registry's answer is longer than ${limit} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}
