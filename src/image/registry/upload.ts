/** A blob to a registry (distribution-spec, pushing blobs): in one request where it is taken so, else in chunks; and again from where a connection broke. */
import { CaissonError } from '../../errors.ts'
import { malformed, statusOf } from './errors.ts'
import { type Host, type Question, SPENT } from './host.ts'
import { isBroken } from './retry.ts'
import type { HttpResponse } from './transport.ts'
import type { Repository, Upload } from './types.ts'

const MAX_ATTEMPTS = 5
/** For registries that take no large bodies, most of them behind a proxy. */
const CHUNK = 16 << 20

const scopeOf = ({ path }: Repository): string => `repository:${path}:pull,push`

/** Where to go on: may be relative, and may have a query of its own. A registry behind a proxy may not know that TLS is spoken. */
const locationOf = (response: HttpResponse, { what, host }: { readonly what: string; readonly host: string }): URL => {
  const { location } = response.headers
  const asked = new URL(response.url)
  if (location === undefined || !URL.canParse(location, asked.href))
    throw malformed({ what, host }, 'it does not say where to upload to')
  const url = new URL(location, asked)
  return asked.protocol === 'https:' && url.protocol === 'http:' && url.hostname === asked.hostname
    ? new URL(url.pathname + url.search, asked)
    : url
}

/** The query is a registry's own, perhaps signed: it stays as it is. */
const withDigest = ({ href, search }: URL, digest: string): string =>
  `${href}${search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`

async function* counted(chunks: AsyncIterable<Buffer>, from: number, onProgress: (sent: number) => void) {
  let sent = from
  for await (const chunk of chunks) {
    yield chunk
    sent += chunk.length
    onProgress(sent)
  }
}

/** So many bytes of what begins there. */
async function* firstOf(chunks: AsyncIterable<Buffer>, size: number) {
  let left = size
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left)
    left -= chunk.length
    if (left <= 0) return
  }
}

interface Attempt {
  readonly host: Host
  readonly question: Pick<Question, 'scope' | 'what'>
  readonly upload: Upload
}

/** How far a session is, and where to go on. */
interface Standing {
  readonly location: URL
  readonly offset: number
  /** That a chunk should have unless it is the last. */
  readonly least: number
}

const drained = (response: HttpResponse): HttpResponse => {
  response.body.resume()
  return response
}

const namesOf = ({ host, question }: Attempt) => ({ what: question.what, host: host.host })

const leastOf = ({ headers }: HttpResponse): number => Number(headers['oci-chunk-min-length'] ?? 0) || 0

const begin = async (attempt: Attempt, repository: Repository): Promise<Standing> => {
  const path = `${repository.path}/blobs/uploads/`
  const body = Buffer.alloc(0)
  const response = drained(await attempt.host.ask({ ...attempt.question, method: 'POST', path, body, good: [202] }))
  return { location: locationOf(response, namesOf(attempt)), offset: 0, least: leastOf(response) }
}

/** undefined: the session is gone, or it cannot be told from its answer: `0-0` is one byte, or none. */
const standing = async (attempt: Attempt, { location, least }: Standing): Promise<Standing | undefined> => {
  const { host, question } = attempt
  const response = drained(await host.ask({ ...question, method: 'GET', path: location.href, good: [204, 404, 405] }))
  const [, last = '0'] = /^0-(\d+)$/.exec(response.headers.range ?? '') ?? []
  if (response.status !== 204 || last === '0') return undefined
  const next = response.headers.location === undefined ? location : locationOf(response, namesOf(attempt))
  return { location: next, offset: Number(last) + 1, least }
}

const OCTETS = { 'content-type': 'application/octet-stream' }

/** A chunk; where the next goes. */
const sendChunk = async (attempt: Attempt, at: Standing, size: number): Promise<Standing> => {
  const { host, question, upload } = attempt
  const { location, offset, least } = at
  const chunks = counted(firstOf(upload.open(offset), size), offset, upload.onProgress)
  const headers = { ...OCTETS, 'content-range': `${offset}-${offset + size - 1}` }
  const request = { ...question, headers, body: { size, chunks }, good: [202], isRepeatable: false }
  const response = drained(await host.ask({ ...request, method: 'PATCH', path: location.href }))
  return { location: locationOf(response, namesOf(attempt)), offset: offset + size, least }
}

/** All that is left: from the start in one request, else in chunks with the digest behind them. `chunk`: their size at most. */
const sendRest = async (attempt: Attempt, from: Standing, chunk: number): Promise<void> => {
  const { host, question, upload } = attempt
  const { digest, size, open, onProgress } = upload
  if (from.offset === 0 && size <= chunk) {
    const body = { size, chunks: counted(open(0), 0, onProgress) }
    const request = { ...question, headers: OCTETS, body, good: [201, 204], isRepeatable: false }
    drained(await host.ask({ ...request, method: 'PUT', path: withDigest(from.location, digest) }))
    return
  }
  let at = from
  while (at.offset < size) at = await sendChunk(attempt, at, Math.min(Math.max(chunk, at.least), size - at.offset))
  const path = withDigest(at.location, digest)
  drained(await host.ask({ ...question, method: 'PUT', path, body: Buffer.alloc(0), good: [201, 204] }))
}

const TOO_LARGE = 413
const OUT_OF_STEP = 416

/** What another attempt may mend: a connection, a token, a registry out of breath, or a size that it does not like. */
const isPassing = (error: unknown): boolean => {
  const status = statusOf(error)
  const isSpent = error instanceof CaissonError && error.code === SPENT
  return isBroken(error) || isSpent || status === TOO_LARGE || status === OUT_OF_STEP || status >= 500
}

export const uploadBlob = async (host: Host, repository: Repository, upload: Upload): Promise<void> => {
  const question = { scope: scopeOf(repository), what: `${repository.path}@${upload.digest}` }
  const attempt: Attempt = { host, question, upload }
  let at = await begin(attempt, repository)
  let chunk = Number.POSITIVE_INFINITY
  for (let tried = 1; ; tried++) {
    try {
      return await sendRest(attempt, at, chunk)
    } catch (error) {
      // Smaller than that helps nobody who did not take CHUNK.
      const isHopeless = statusOf(error) === TOO_LARGE && chunk === CHUNK
      if (!isPassing(error) || isHopeless || tried === MAX_ATTEMPTS) throw error
      if (statusOf(error) === TOO_LARGE) chunk = CHUNK
      at = (await standing(attempt, at).catch(() => undefined)) ?? (await begin(attempt, repository))
    }
  }
}

/** A session that nobody will go on with. Registries end those that are left, too. */
export const cancelUpload = async (
  host: Host,
  question: Pick<Question, 'scope' | 'what'>,
  response: HttpResponse,
): Promise<void> => {
  try {
    const path = locationOf(response, { what: question.what, host: host.host }).href
    drained(
      await host.ask({ ...question, method: 'DELETE', path, good: [200, 202, 204, 404, 405], isRepeatable: false }),
    )
  } catch {
    // Nothing depends on it.
  }
}
