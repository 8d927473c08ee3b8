/** One registry: where it is, who we are there, and what is worth a second try. */
import { setTimeout } from 'node:timers/promises'
import { type Credentials, findCredentials } from './credentials.ts'
import { type Asked, connectionError, isTlsFailure, networkCode, statusError } from './errors.ts'
import { type Endpoint, endpointsOf, mirrorsOf, readHostFiles } from './hosts.ts'
import { type Failure, isBroken, retryDelay } from './retry.ts'
import { type Authorizer, createAuthorizer } from './tokens.ts'
import { type HttpRequest, type HttpResponse, readBody, type Transport } from './transport.ts'

export interface ClientOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly warn: (message: string) => void
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

/** What a registry of one host is asked through. */
export interface Host {
  readonly host: string
  ask(question: Question): Promise<HttpResponse>
}

const MAX_ERROR = 64 << 10

/** What stands in the way of one endpoint, so that the next is tried: nobody there, or somebody who speaks no TLS. */
const isElsewhere = (error: unknown): boolean => isTlsFailure(error) || networkCode(error) === 'ECONNRESET'

interface Line {
  readonly transport: Transport
  readonly authorizer: Authorizer
  readonly host: string
  readonly credentials: () => Promise<Credentials | undefined>
}

/** Asks with what is known of authorisation there, and once more with what the answer says of it. */
const through = async (line: Line, endpoint: Endpoint, question: Question): Promise<HttpResponse> => {
  const { transport, authorizer, host, credentials } = line
  const { path, scope, headers, what, ...rest } = question
  const url = /^https?:/.test(path) ? path : `${endpoint.origin}/v2/${path}`
  const isOwn = new URL(url).origin === endpoint.origin
  for (;;) {
    const header = isOwn ? authorizer.header(endpoint, scope) : undefined
    const own = header === undefined ? {} : { authorization: header }
    const response = await transport.send({ ...rest, url, headers: { ...headers, ...own } }, endpoint.tls)
    if (response.status !== 401 || !isOwn) return response
    const body = await readBody(response.body, MAX_ERROR)
    // A body that is a stream is gone; a small request goes before each, so that this does not happen to one.
    const isSpent = rest.body !== undefined && !Buffer.isBuffer(rest.body)
    if (isSpent || !(await authorizer.answer(endpoint, scope, response)))
      throw statusError({ what, host, credentials: await credentials() }, 401, body, response.headers)
  }
}

/** Of the endpoints of a host the first that is one. A certificate that is not trusted says more than what comes after it. */
const firstOf = async (line: Line, endpoints: readonly Endpoint[], question: Question) => {
  let first: unknown
  for (const endpoint of endpoints) {
    try {
      return { endpoint, response: await through(line, endpoint, question) }
    } catch (error) {
      if (!isElsewhere(error)) throw first ?? error
      first ??= error
    }
  }
  throw first
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

const refusalOf = async ({ host, credentials }: Line, { what }: Question, response: HttpResponse): Promise<Refusal> => {
  const { status, headers } = response
  const body = await readBody(response.body, MAX_ERROR).catch(() => Buffer.alloc(0))
  const asked: Asked = { what, host, credentials: await credentials() }
  const isQuota = status === 429 && headers['retry-after'] === undefined && 'ratelimit-limit' in headers
  return {
    error: statusError(asked, status, body, headers),
    failure: { status, retryAfter: headers['retry-after'], isQuota },
  }
}

const brokenOf = ({ host }: Line, { what }: Question, caught: unknown): Refusal => {
  const error = connectionError({ what, host, credentials: undefined }, caught)
  const isGone = !isBroken(error) || networkCode(caught) === 'ECONNREFUSED'
  return { error, failure: isGone ? undefined : { status: 0, retryAfter: undefined, isQuota: false } }
}

const isResponse = (outcome: HttpResponse | Refusal): outcome is HttpResponse => 'status' in outcome

/** `once`: asks, and says what came of it. */
const repeated = async (question: Question, once: () => Promise<HttpResponse | Refusal>): Promise<HttpResponse> => {
  const { signal, isRepeatable = true } = question
  for (let tried = 1; ; tried++) {
    const outcome = await once()
    if (isResponse(outcome)) return outcome
    const { error, failure } = outcome
    const delay = failure === undefined ? undefined : retryDelay(failure, tried, Math.random(), Date.now())
    if (delay === undefined || !isRepeatable || signal?.aborted) throw error
    await setTimeout(delay, undefined, signal === undefined ? {} : { signal })
  }
}

/** `repository`: podman has credentials for namespaces of a registry. */
export const openHost = (transport: Transport, options: ClientOptions, host: string, repository: string): Host => {
  const files = readHostFiles(options.environment)
  const mirrors = mirrorsOf(host, files)
  let endpoints = endpointsOf(host, files)
  let known: ReturnType<typeof findCredentials> | undefined
  const credentials = () => {
    known ??= findCredentials(host, repository, options)
    return known
  }
  const authorizer = createAuthorizer({ transport, credentials, host, now: Date.now })
  const line: Line = { transport, authorizer, host, credentials }
  const once = async (question: Question): Promise<HttpResponse | Refusal> => {
    try {
      const mirrored = await fromMirror(line, mirrors, question)
      if (mirrored !== undefined) return mirrored
      const { endpoint, response } = await firstOf(line, endpoints, question)
      endpoints = [endpoint]
      return question.good.includes(response.status) ? response : await refusalOf(line, question, response)
    } catch (caught) {
      return brokenOf(line, question, caught)
    }
  }
  return { host, ask: (question) => repeated(question, () => once(question)) }
}
