/** A registry on loopback that keeps what is pushed, and misbehaves where a test says so: see Fault. */
import { createHash } from 'node:crypto'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { createGate, type Access, type Gate } from './gate.ts'

export type Fault =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: string
    }
  /** The connection breaks after so many bytes of the answer. */
  | { readonly kind: 'cut'; readonly after: number }
  /** The connection breaks when so many bytes of the request's body were taken; they are kept. */
  | { readonly kind: 'cut-request'; readonly after: number }
  /** To the same path elsewhere. */
  | { readonly kind: 'redirect'; readonly to: string; readonly status?: number }
  | { readonly kind: 'drip'; readonly bytes: number; readonly everyMs: number }
  /** More and more, after what there is. */
  | { readonly kind: 'endless' }
  | { readonly kind: 'headers'; readonly headers: Record<string, string> }
  | { readonly kind: 'body'; readonly bytes: Buffer; readonly mediaType?: string }
  | { readonly kind: 'ignore-range' }
  /** There is no answer, and the connection stays. */
  | { readonly kind: 'silence' }

export interface Seen {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
}

export interface Stored {
  readonly mediaType: string
  readonly bytes: Buffer
}

export interface RegistryOptions {
  readonly access?: Access
  readonly tls?: { readonly key: string; readonly cert: string }
  /** Bytes that a chunk which is not the last must have. */
  readonly chunkMinimum?: number
  /** Bytes that a request may have at most. */
  readonly bodyMaximum?: number
  /** What the Location of an upload begins with; default nothing, so it is relative. */
  readonly locationOrigin?: string
  readonly allowsMount?: boolean
}

export interface FaultyRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly origin: string
  readonly seen: readonly Seen[]
  /** By `PATH@DIGEST`. */
  readonly blobs: Map<string, Buffer>
  /** By `PATH:TAG` and `PATH@DIGEST`. */
  readonly manifests: Map<string, Stored>
  readonly gate: Gate
  /** The next `times` requests that match are answered so. `when`: METHOD and path, as in `GET /v2/a/blobs/`. */
  fail(when: RegExp, fault: Fault, times?: number): void
  /** Keeps it, and says its digest. */
  addBlob(path: string, bytes: Buffer): string
  addManifest(path: string, tag: string, bytes: Buffer, mediaType: string): string
  close(): Promise<void>
}

export const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

interface Registry {
  readonly options: RegistryOptions
  readonly blobs: Map<string, Buffer>
  readonly manifests: Map<string, Stored>
  readonly uploads: Map<string, Buffer>
  next: number
}

interface Exchange {
  readonly registry: Registry
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly fault: Fault | undefined
}

const refuse = (response: ServerResponse, status: number, code: string): void => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }))
}

const answer = (response: ServerResponse, status: number, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { 'content-length': '0', ...headers })
  response.end()
}

const drip = (
  response: ServerResponse,
  bytes: Buffer,
  { bytes: size, everyMs }: { bytes: number; everyMs: number },
) => {
  let at = 0
  const timer = setInterval(() => {
    response.write(bytes.subarray(at, at + size))
    at += size
    if (at >= bytes.length) response.end()
  }, everyMs)
  response.once('close', () => clearInterval(timer)).once('finish', () => clearInterval(timer))
}

const flood = (response: ServerResponse): void => {
  const more = () => {
    while (!response.destroyed && response.write(Buffer.alloc(64 << 10)));
  }
  response.on('drain', more)
  more()
}

/** A body, as the fault has it. */
const give = (
  { request, response, fault }: Exchange,
  status: number,
  headers: Record<string, string>,
  bytes: Buffer,
) => {
  const isEndless = fault?.kind === 'endless'
  const length = isEndless ? {} : { 'content-length': String(bytes.length) }
  response.writeHead(status, { ...length, ...headers, ...(fault?.kind === 'headers' ? fault.headers : {}) })
  if (request.method === 'HEAD') return response.end()
  if (fault?.kind === 'cut') return response.write(bytes.subarray(0, fault.after), () => response.destroy())
  if (fault?.kind === 'drip') return drip(response, bytes, fault)
  if (!isEndless) return response.end(bytes)
  response.write(bytes)
  flood(response)
}

/** The body of a request; undefined: the connection was broken, and `keep` has what came. */
const take = async ({ request, fault }: Exchange, keep: (bytes: Buffer) => void): Promise<Buffer | undefined> => {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    parts.push(part)
    size += part.length
    if (fault?.kind === 'cut-request' && size >= fault.after) {
      keep(Buffer.concat(parts).subarray(0, fault.after))
      request.destroy()
      return undefined
    }
  }
  return Buffer.concat(parts)
}

const getBlob = (exchange: Exchange, path: string, digest: string) => {
  const { registry, request, response, fault } = exchange
  const found = registry.blobs.get(`${path}@${digest}`)
  if (found === undefined) return refuse(response, 404, 'BLOB_UNKNOWN')
  const bytes = fault?.kind === 'body' ? fault.bytes : found
  const headers = { 'content-type': 'application/octet-stream', 'docker-content-digest': digest }
  const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? []
  if (from === undefined || fault?.kind === 'ignore-range') {
    give(exchange, 200, headers, bytes)
    return
  }
  const start = Number(from)
  if (start >= bytes.length) return refuse(response, 416, 'RANGE_INVALID')
  const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`
  give(exchange, 206, { ...headers, 'content-range': range }, bytes.subarray(start))
}

const isDigest = (reference: string): boolean => reference.includes(':')

const getManifest = (exchange: Exchange, path: string, reference: string) => {
  const { registry, response, fault } = exchange
  const found = registry.manifests.get(`${path}${isDigest(reference) ? '@' : ':'}${reference}`)
  if (found === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN')
  const bytes = fault?.kind === 'body' ? fault.bytes : found.bytes
  const mediaType = (fault?.kind === 'body' ? fault.mediaType : undefined) ?? found.mediaType
  give(exchange, 200, { 'content-type': mediaType, 'docker-content-digest': digestOf(found.bytes) }, bytes)
}

const storeManifest = (registry: Registry, path: string, reference: string, stored: Stored): string => {
  const digest = digestOf(stored.bytes)
  registry.manifests.set(`${path}@${digest}`, stored)
  if (!isDigest(reference)) registry.manifests.set(`${path}:${reference}`, stored)
  return digest
}

const putManifest = async (exchange: Exchange, path: string, reference: string): Promise<void> => {
  const { registry, request, response } = exchange
  const bytes = await take(exchange, () => {})
  if (bytes === undefined) return
  const mediaType = request.headers['content-type'] ?? ''
  const named = JSON.parse(bytes.toString('utf8')) as { config?: { digest: string }; layers?: { digest: string }[] }
  const wanted = [...(named.config === undefined ? [] : [named.config]), ...(named.layers ?? [])]
  if (wanted.some(({ digest }) => !registry.blobs.has(`${path}@${digest}`)))
    return refuse(response, 400, 'MANIFEST_BLOB_UNKNOWN')
  const digest = storeManifest(registry, path, reference, { mediaType, bytes })
  answer(response, 201, { location: `/v2/${path}/manifests/${digest}`, 'docker-content-digest': digest })
}

const standing = ({ registry, response }: Exchange, status: number, path: string, id: string): void => {
  const { chunkMinimum, locationOrigin = '' } = registry.options
  const size = registry.uploads.get(id)?.length ?? 0
  answer(response, status, {
    location: `${locationOrigin}/v2/${path}/blobs/uploads/${id}?_state=a%2Bb%3D%3D`,
    range: `0-${Math.max(0, size - 1)}`,
    ...(chunkMinimum === undefined ? {} : { 'oci-chunk-min-length': String(chunkMinimum) }),
  })
}

const beginUpload = (exchange: Exchange, path: string) => {
  const { registry, response, url } = exchange
  const [digest, from] = [url.searchParams.get('mount'), url.searchParams.get('from')]
  const source = registry.blobs.get(`${from}@${digest}`)
  if (source !== undefined && registry.options.allowsMount !== false) {
    registry.blobs.set(`${path}@${digest}`, source)
    return answer(response, 201, { 'docker-content-digest': digest ?? '' })
  }
  const id = String(registry.next++)
  registry.uploads.set(id, Buffer.alloc(0))
  standing(exchange, 202, path, id)
}

/** PATCH and PUT: a chunk, and with PUT the end. */
const continueUpload = async (exchange: Exchange, path: string, id: string): Promise<void> => {
  const { registry, request, response, url } = exchange
  const { bodyMaximum = Number.POSITIVE_INFINITY, chunkMinimum = 0 } = registry.options
  const before = registry.uploads.get(id) ?? Buffer.alloc(0)
  const [, start] = /^(\d+)-\d+$/.exec(request.headers['content-range'] ?? '') ?? []
  if (Number(request.headers['content-length'] ?? 0) > bodyMaximum) return refuse(response, 413, 'SIZE_INVALID')
  if (start !== undefined && Number(start) !== before.length) return refuse(response, 416, 'RANGE_INVALID')
  const chunk = await take(exchange, (bytes) => registry.uploads.set(id, Buffer.concat([before, bytes])))
  if (chunk === undefined) return
  const whole = Buffer.concat([before, chunk])
  if (request.method === 'PATCH') {
    // What is too short must be the last; that is known only afterwards, so a short one after a short one is refused.
    if (before.length % Math.max(1, chunkMinimum) !== 0) return refuse(response, 400, 'SIZE_INVALID')
    registry.uploads.set(id, whole)
    return standing(exchange, 202, path, id)
  }
  const digest = url.searchParams.get('digest') ?? ''
  if (url.searchParams.get('_state') !== 'a+b==') return refuse(response, 400, 'BLOB_UPLOAD_INVALID')
  if (digestOf(whole) !== digest) return refuse(response, 400, 'DIGEST_INVALID')
  registry.uploads.delete(id)
  registry.blobs.set(`${path}@${digest}`, whole)
  answer(response, 201, { 'docker-content-digest': digest })
}

const upload = (exchange: Exchange, path: string, id: string) => {
  const { registry, request, response } = exchange
  if (request.method === 'POST') return beginUpload(exchange, path)
  if (!registry.uploads.has(id)) return refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN')
  if (request.method === 'GET') return standing(exchange, 204, path, id)
  if (request.method !== 'DELETE') return continueUpload(exchange, path, id)
  registry.uploads.delete(id)
  answer(response, 204)
}

const PAGE = 2

/** Pages of two, so that there are several. */
const listed = (exchange: Exchange, key: 'tags' | 'repositories', names: readonly string[]) => {
  const { url } = exchange
  const last = url.searchParams.get('last')
  const rest = [...new Set(names)].sort().filter((name) => last === null || name > last)
  const page = rest.slice(0, PAGE)
  const next = `<${url.pathname}?n=${PAGE}&last=${page.at(-1)}>; rel="next"`
  const headers = { 'content-type': 'application/json', ...(rest.length > PAGE ? { link: next } : {}) }
  give(exchange, 200, headers, Buffer.from(JSON.stringify({ [key]: page })))
}

const ROUTE = /^\/v2\/(?<path>.+?)\/(?<kind>manifests|blobs\/uploads|blobs|tags)\/(?<rest>[^/]*)$/

const route = (exchange: Exchange) => {
  const { registry, request, response, url } = exchange
  const keys = [...registry.manifests.keys()]
  if (/^\/v2\/?$/.test(url.pathname)) return answer(response, 200)
  if (url.pathname === '/v2/_catalog')
    return listed(
      exchange,
      'repositories',
      keys.map((key) => key.replace(/[@:].*/, '')),
    )
  const { path = '', kind, rest = '' } = ROUTE.exec(decodeURIComponent(url.pathname))?.groups ?? {}
  if (kind === 'blobs/uploads') return upload(exchange, path, rest)
  if (kind === 'blobs') return getBlob(exchange, path, rest)
  if (kind === 'manifests' && request.method === 'PUT') return putManifest(exchange, path, rest)
  if (kind === 'manifests') return getManifest(exchange, path, rest)
  if (kind !== 'tags') return refuse(response, 404, 'UNSUPPORTED')
  listed(
    exchange,
    'tags',
    keys.filter((key) => key.startsWith(`${path}:`)).map((key) => key.slice(path.length + 1)),
  )
}

/** Faults that stand in front of everything. */
const preempted = ({ request, response, fault }: Exchange): boolean => {
  if (fault?.kind === 'status') {
    response.writeHead(fault.status, fault.headers)
    response.end(fault.body ?? '')
  } else if (fault?.kind === 'redirect')
    answer(response, fault.status ?? 307, { location: `${fault.to}${request.url}` })
  return fault?.kind === 'status' || fault?.kind === 'redirect' || fault?.kind === 'silence'
}

interface Waiting {
  readonly when: RegExp
  readonly fault: Fault
  left: number
}

const nextFault = (waiting: readonly Waiting[], line: string): Fault | undefined => {
  const found = waiting.find(({ when, left }) => left > 0 && when.test(line))
  if (found !== undefined) found.left--
  return found?.fault
}

const listen = (server: http.Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })

export const startRegistry = async (options: RegistryOptions = {}): Promise<FaultyRegistry> => {
  const registry: Registry = { options, blobs: new Map(), manifests: new Map(), uploads: new Map(), next: 1 }
  const seen: Seen[] = []
  const waiting: Waiting[] = []
  const gate = createGate(options.access)
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = '', url: path = '', headers } = request
    seen.push({ method, path, headers })
    const url = new URL(path, origin)
    const exchange = { registry, request, response, url, fault: nextFault(waiting, `${method} ${path}`) }
    request.on('error', () => {})
    if (preempted(exchange) || gate.refuses(request, response, url, origin)) return
    Promise.resolve(route(exchange)).catch(() => response.destroy())
  }
  const server = options.tls === undefined ? http.createServer(handle) : https.createServer(options.tls, handle)
  const host = `127.0.0.1:${await listen(server)}`
  const origin = `${options.tls === undefined ? 'http' : 'https'}://${host}`
  return {
    ...{ host, origin, seen, gate, blobs: registry.blobs, manifests: registry.manifests },
    fail: (when, fault, times = 1) => {
      waiting.push({ when, fault, left: times })
    },
    addBlob: (path, bytes) => {
      const digest = digestOf(bytes)
      registry.blobs.set(`${path}@${digest}`, bytes)
      return digest
    },
    addManifest: (path, tag, bytes, mediaType) => storeManifest(registry, path, tag, { mediaType, bytes }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
