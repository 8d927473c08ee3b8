/** What a registry or the way to it answered, in words: who was asked for what, what came back, and what can be done. */
import { CaissonError } from '../../errors.ts'
import type { Credentials } from './credentials.ts'

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
  value === undefined ? '' : `; it says to wait ${firstLine(value)} s`

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
  const login = `caisson registry login ${host === 'registry-1.docker.io' ? '' : host}`.trim()
  if (status === 401 || status === 403 || told.code === 'DENIED') {
    const hint =
      asked.credentials === undefined
        ? `\`${login}\`, or check the name: private images look like this too`
        : 'the account may not do this, or the name is wrong'
    return new CaissonError('EUNAUTHORISED', `${came} (${identity(asked)})`, { hint })
  }
  if (status === 404)
    return new CaissonError('ENOTFOUND', `${came} (${identity(asked)})`, {
      hint: `check the name and the tag; if it is private, \`${login}\``,
    })
  if (status === 429 || told.code === 'TOOMANYREQUESTS') {
    const wait = retryAfter(headers['retry-after']?.toString())
    const hint =
      asked.credentials === undefined ? `\`${login}\` raises the limit of most registries` : 'wait, or use a mirror'
    return new CaissonError('ERATELIMIT', `${came}${wait}`, { hint })
  }
  return new CaissonError('EREGISTRY', came)
}

const TLS_CODES = /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|EPROTO|HOSTNAME_MISMATCH)/
const DNS_CODES = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA'])
const TIMEOUT_CODES = new Set(['ETIMEDOUT', 'ESOCKETTIMEDOUT'])

export const networkCode = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : ''

export const isTlsFailure = (error: unknown): boolean => TLS_CODES.test(networkCode(error))

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
  return new CaissonError('ECONNECTION', `${what}: the connection to ${host} failed: ${why}`, options)
}
