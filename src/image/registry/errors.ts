/** What a registry or the way to it answered, in words: who was asked for what, what came back, and what can be done. */
import { CaissonError } from '../../errors.ts'
import type { Credentials } from './credentials.ts'
import { displayHost } from './hosts.ts'

export interface Asked {
  /** `GET redis:7`: verb and thing, for messages. */
  readonly what: string
  readonly host: string
  readonly credentials: Credentials | undefined
}

interface Told {
  readonly code: string
  readonly message: string
}

const MAX_SHOWN = 200

const firstLine = (text: string): string => (text.split('\n')[0] ?? '').replaceAll(/\p{Cc}/gu, '').slice(0, MAX_SHOWN)

/** The registry's own words (distribution-spec, error codes). */
export const toldBy = (body: Buffer): Told => {
  try {
    const { errors } = JSON.parse(body.toString('utf8')) as { errors?: { code?: unknown; message?: unknown }[] }
    const [first] = errors ?? []
    return { code: firstLine(String(first?.code ?? '')), message: firstLine(String(first?.message ?? '')) }
  } catch {
    return { code: '', message: '' }
  }
}

const identity = ({ credentials }: Asked): string =>
  credentials === undefined ? 'asked without credentials' : `asked as ${credentials.username} (${credentials.source})`

const quoted = ({ code, message }: Told): string => {
  const text = [code, message].filter(Boolean).join(': ')
  return text === '' ? '' : `: ${text}`
}

const retryAfter = (value: string | undefined): string =>
  value === undefined ? '' : `; it says to wait ${/^\d+$/.test(value) ? `${value} s` : `until ${firstLine(value)}`}`

/** For a status that is no success. */
export const statusError = (
  asked: Asked,
  status: number,
  body: Buffer,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): CaissonError => {
  const told = toldBy(body)
  const { what, host } = asked
  const came = `${what}: ${host} answers ${status}${quoted(told)}`
  const login = `caisson registry login ${displayHost(host)}`
  const cause = { status }
  if (status === 401 || status === 403 || told.code === 'DENIED') {
    const hint =
      asked.credentials === undefined
        ? `\`${login}\`, or check the name: private images look like this too`
        : 'the account may not do this, or the name is wrong'
    return new CaissonError('EUNAUTHORISED', `${came} (${identity(asked)})`, { hint, cause })
  }
  if (status === 404)
    return new CaissonError('ENOTFOUND', `${came} (${identity(asked)})`, {
      hint: `check the name and the tag; if it is private, \`${login}\``,
      cause,
    })
  if (status === 429 || told.code === 'TOOMANYREQUESTS') {
    const wait = retryAfter(headers['retry-after']?.toString())
    const hint =
      asked.credentials === undefined ? `\`${login}\` raises the limit of most registries` : 'wait, or use a mirror'
    return new CaissonError('ERATELIMIT', `${came}${wait}`, { hint, cause })
  }
  return new CaissonError('EREGISTRY', came, { cause })
}

/** Of a statusError; 0: it is none. */
export const statusOf = (error: unknown): number => {
  const { cause } = error instanceof CaissonError ? error : { cause: undefined }
  return typeof cause === 'object' && cause !== null && 'status' in cause ? Number(cause.status) : 0
}

/** It answered, and not as the protocol has it. */
export const malformed = ({ what, host }: Pick<Asked, 'what' | 'host'>, wrong: string): CaissonError =>
  new CaissonError('EREGISTRY', `${what}: ${host} does not answer as a registry does: ${wrong}`)

const TLS_CODES = /^(?:ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|EPROTO|HOSTNAME_MISMATCH)/
const DNS_CODES = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA'])
const TIMEOUT_CODES = new Set(['ETIMEDOUT', 'ESOCKETTIMEDOUT'])

export const networkCode = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : ''

/** Somebody is there who speaks no TLS. A certificate that is not trusted is another matter: that is TLS. */
export const speaksNoTls = (error: unknown): boolean =>
  /^(?:EPROTO|ECONNRESET|ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST))$/.test(
    networkCode(error),
  )

/** For a connection that was not made, or broke. */
export const connectionError = ({ what, host }: Asked, error: unknown): unknown => {
  if (error instanceof CaissonError || !(error instanceof Error)) return error
  const code = networkCode(error)
  const why = firstLine(error.message) || code
  const options = { cause: error }
  if (error.name === 'AbortError') return new CaissonError('EABORTED', `${what}: interrupted`, options)
  if (TLS_CODES.test(code)) {
    const hint = `trust its authority with /etc/docker/certs.d/${host}/ca.crt or NODE_EXTRA_CA_CERTS, or name it in "insecure-registries" of /etc/docker/daemon.json`
    return new CaissonError('ETLS', `${what}: the certificate of ${host} is not trusted: ${why}`, {
      hint,
      cause: error,
    })
  }
  if (DNS_CODES.has(code))
    return new CaissonError('EDNS', `${what}: the name ${host} cannot be resolved: ${code}`, {
      hint: 'check the name of the registry, and the network',
      cause: error,
    })
  if (TIMEOUT_CODES.has(code)) return new CaissonError('ETIMEDOUT', `${what}: ${host} does not answer: ${why}`, options)
  if (code === 'EPROXY')
    return new CaissonError('EPROXY', `${what}: ${host} cannot be reached: ${why}`, {
      hint: 'HTTPS_PROXY names the proxy, NO_PROXY the hosts that need none',
      cause: error,
    })
  return new CaissonError('ECONNECTION', `${what}: the connection to ${host} failed: ${why}`, options)
}
