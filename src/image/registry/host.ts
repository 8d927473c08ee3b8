/** One registry: where it is, who we are there, and what is worth a second try. */
import { setTimeout } from 'node:timers/promises'
import { CaissonError } from '../../errors.ts'
import { type Credentials, findCredentials } from './credentials.ts'
import { type Asked, connectionError, networkCode, speaksNoTls, statusError } from './errors.ts'
import { displayHost, type Endpoint, type HostFiles, routeOf } from './hosts.ts'
import { type Failure, isBroken, retryDelay } from './retry.ts'
import { type Authorizer, createAuthorizer } from './tokens.ts'
import { type HttpRequest, type HttpResponse, readBody, type Transport } from './transport.ts'
import type { Repository } from './types.ts'

export interface ClientOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly warn: (message: string) => void
  /** Of the registry itself, before any that files have; of a user who logs in. */
  readonly given?: Credentials
}

/** One question to a registry. `path`: below `/v2/`, or a whole address. */
export interface Question extends Omit<HttpRequest, 'url'> {
  readonly path: string
  readonly scope: string
  /** For messages. */
  readonly what: string
  /** Statuses that are answers. */
  readonly good: readonly number[]
  /** Mirrors may answer it. */
  readonly mayMirror?: boolean
  /** Sending it again does no harm. */
  readonly isRepeatable?: boolean
}

/** An answer that was read to its end. */
export interface Document {
  readonly response: HttpResponse
  readonly bytes: Buffer
}

/** What a registry of one host is asked through. */
export interface Host {
  readonly host: string
  ask(question: Question): Promise<HttpResponse>
  /** Asks again too when the connection breaks while the answer is read. */
  read(question: Question, limit: number): Promise<Document>
}

const MAX_ERROR = 64 << 10
/** Of one question: a token may end just when it is used. */
const MAX_ANSWERS = 2

/** The code of an upload whose body went to a registry that wanted another token, which is here now. */
export const SPENT = 'ESPENT'

interface Line {
  readonly transport: Transport
  readonly authorizer: Authorizer
  readonly host: string
  readonly credentials: (host: string) => Promise<Credentials | undefined>
}

const isStream = ({ body }: Question): boolean => body !== undefined && !Buffer.isBuffer(body)

/** Asks with what is known of authorisation there, and again with what the answer says of it. */
const through = async (line: Line, endpoint: Endpoint, question: Question): Promise<HttpResponse> => {
  const { transport, authorizer, credentials } = line
  const { path, scope, headers, what, ...rest } = question
  const url = /^https?:/.test(path) ? path : `${endpoint.origin}/v2/${path}`
  const isOwn = new URL(url).origin === endpoint.origin
  let header = isOwn ? await authorizer.header(endpoint, scope) : undefined
  for (let answered = 0; ; answered++) {
    const own = header === undefined ? {} : { authorization: header }
    const response = await transport.send({ ...rest, url, headers: { ...headers, ...own } })
    if (response.status !== 401 || !isOwn) return response
    const body = await readBody(response.body, MAX_ERROR)
    header = answered < MAX_ANSWERS ? await authorizer.answer(endpoint, scope, header, response) : undefined
    if (header === undefined) {
      const asked = { what, host: endpoint.host, credentials: await credentials(endpoint.host) }
      throw statusError(asked, 401, body, response.headers)
    }
    if (isStream(question)) throw new CaissonError(SPENT, `${what}: the token ended while it was sent`)
  }
}

/** The first that answers: whoever speaks no TLS is asked without, where that is allowed. */
const firstOf = async (line: Line, endpoints: readonly Endpoint[], question: Question) => {
  for (const [index, endpoint] of endpoints.entries()) {
    try {
      return { endpoint, response: await through(line, endpoint, question) }
    } catch (error) {
      if (!speaksNoTls(error) || index === endpoints.length - 1) throw error
    }
  }
  throw new TypeError('a host has an endpoint')
}

const fromMirror = async (line: Line, mirrors: readonly Endpoint[], question: Question) => {
  for (const mirror of question.mayMirror ? mirrors : []) {
    const response = await through(line, mirror, question).catch(() => undefined)
    if (response?.status === 200 || response?.status === 206) return response
    response?.body.resume()
  }
  return undefined
}

interface Refusal {
  readonly error: unknown
  /** undefined: nothing that another try would mend. */
  readonly failure: Failure | undefined
}

/** A quota comes back in hours, and each try would use up more of it. */
const isQuota = ({ status, headers }: HttpResponse, body: Buffer): boolean =>
  status === 429 &&
  ((headers['retry-after'] === undefined && 'ratelimit-limit' in headers) || /pull rate limit/i.test(body.toString()))

const refusalOf = async ({ host, credentials }: Line, { what }: Question, response: HttpResponse): Promise<Refusal> => {
  const { status, headers } = response
  const body = await readBody(response.body, MAX_ERROR).catch(() => Buffer.alloc(0))
  const asked: Asked = { what, host, credentials: await credentials(host) }
  return {
    error: statusError(asked, status, body, headers),
    failure: { status, retryAfter: headers['retry-after'], isQuota: isQuota(response, body) },
  }
}

const brokenOf = ({ host }: Line, { what }: Question, caught: unknown): Refusal => {
  const error = connectionError({ what, host, credentials: undefined }, caught)
  const isGone = !isBroken(error) || networkCode(caught) === 'ECONNREFUSED'
  return { error, failure: isGone ? undefined : { status: 0, retryAfter: undefined, isQuota: false } }
}

type Outcome<T> = { readonly value: T } | Refusal

/** `once`: asks, and says what came of it. */
const repeated = async <T>({ host }: Line, question: Question, once: () => Promise<Outcome<T>>): Promise<T> => {
  const { signal, isRepeatable = true, what } = question
  for (let tried = 1; ; tried++) {
    const outcome = await once()
    if ('value' in outcome) return outcome.value
    const { error, failure } = outcome
    const delay = failure === undefined ? undefined : retryDelay(failure, tried, Math.random(), Date.now())
    if (delay === undefined || !isRepeatable || signal?.aborted) throw error
    await setTimeout(delay, undefined, signal === undefined ? {} : { signal }).catch((aborted: unknown) => {
      throw connectionError({ what, host, credentials: undefined }, aborted)
    })
  }
}

/** Of the repository: podman has credentials for namespaces of a registry. Looked up once for each host. */
const credentialsFor = ({ host: own, path }: Repository, options: ClientOptions): Line['credentials'] => {
  const found = new Map<string, ReturnType<typeof findCredentials>>()
  return (host) => {
    const given = host === own && options.given !== undefined ? Promise.resolve(options.given) : undefined
    const finding = given ?? found.get(host) ?? findCredentials(host, path, options)
    found.set(host, finding)
    return finding
  }
}

export const openHost = (
  transport: Transport,
  files: HostFiles,
  options: ClientOptions,
  repository: Repository,
): Host => {
  const { host } = repository
  const { mirrors, own, isBlocked } = routeOf(repository, files)
  let endpoints = own
  const credentials = credentialsFor(repository, options)
  const authorizer = createAuthorizer({
    transport,
    credentials: (endpoint) => credentials(endpoint.host),
    now: Date.now,
  })
  const line: Line = { transport, authorizer, host, credentials }
  const respond = async (question: Question): Promise<HttpResponse> => {
    if (isBlocked)
      throw new CaissonError(
        'EBLOCKED',
        `${question.what}: registries.conf of this machine blocks ${displayHost(host)}`,
      )
    const mirrored = await fromMirror(line, mirrors, question)
    if (mirrored !== undefined) return mirrored
    const { endpoint, response } = await firstOf(line, endpoints, question)
    endpoints = [endpoint]
    return response
  }
  const once = async <T>(question: Question, take: (response: HttpResponse) => Promise<T> | T): Promise<Outcome<T>> => {
    try {
      const response = await respond(question)
      if (question.good.includes(response.status)) return { value: await take(response) }
      return await refusalOf(line, question, response)
    } catch (caught) {
      return brokenOf(line, question, caught)
    }
  }
  const read = async (response: HttpResponse, limit: number): Promise<Document> => ({
    ...{ response, bytes: await readBody(response.body, limit) },
  })
  return {
    host,
    ask: (question) => repeated(line, question, () => once(question, (response) => response)),
    read: (question, limit) => repeated(line, question, () => once(question, (response) => read(response, limit))),
  }
}
