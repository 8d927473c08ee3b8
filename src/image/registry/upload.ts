/** A blob to a registry (distribution-spec, pushing blobs): in one request where it is taken so, and again from where a connection broke. */
import { CaissonError } from '../../errors.ts'
import type { Host, Question } from './host.ts'
import { isBroken } from './retry.ts'
import type { HttpResponse } from './transport.ts'
import type { Repository, Upload } from './types.ts'

const MAX_ATTEMPTS = 5

const scopeOf = ({ path }: Repository): string => `repository:${path}:pull,push`

/** Where to go on: may be relative, and may have a query of its own. */
const locationOf = (response: HttpResponse, what: string): URL => {
  const { location } = response.headers
  if (location === undefined)
    throw new CaissonError('EREGISTRY', `${what}: the registry does not say where to upload to`)
  return new URL(location, response.url)
}

const withDigest = (location: URL, digest: string): string => {
  location.searchParams.set('digest', digest)
  return location.href
}

async function* counted(chunks: AsyncIterable<Buffer>, from: number, onProgress: (sent: number) => void) {
  let sent = from
  for await (const chunk of chunks) {
    yield chunk
    sent += chunk.length
    onProgress(sent)
  }
}

interface Attempt {
  readonly host: Host
  readonly question: Pick<Question, 'scope' | 'what'>
  readonly upload: Upload
}

const drained = (response: HttpResponse): HttpResponse => {
  response.body.resume()
  return response
}

/** A session for the upload. */
const begin = async ({ host, question }: Attempt, repository: Repository): Promise<URL> => {
  const path = `${repository.path}/blobs/uploads/`
  const body = Buffer.alloc(0)
  const response = drained(await host.ask({ ...question, method: 'POST', path, body, good: [202] }))
  return locationOf(response, question.what)
}

/** How much of it the registry has, and where to go on; undefined: the session is gone. */
const standing = async ({ host, question }: Attempt, location: URL) => {
  const response = drained(await host.ask({ ...question, method: 'GET', path: location.href, good: [204, 404, 405] }))
  if (response.status !== 204) return undefined
  const [, last] = /^0-(\d+)$/.exec(response.headers.range ?? '') ?? []
  const next = response.headers.location === undefined ? location : locationOf(response, question.what)
  return { offset: last === undefined || last === '0' ? 0 : Number(last) + 1, location: next }
}

const OCTETS = { 'content-type': 'application/octet-stream' }

/** All that is left, in one request: monolithic from the start, else as a chunk with the digest behind it. */
const sendRest = async ({ host, question, upload }: Attempt, location: URL, offset: number): Promise<void> => {
  const { digest, size, open, onProgress } = upload
  const body = { size: size - offset, chunks: counted(open(offset), offset, onProgress) }
  if (offset === 0) {
    const request = { ...question, headers: OCTETS, body, good: [201, 204], isRepeatable: false }
    drained(await host.ask({ ...request, method: 'PUT', path: withDigest(location, digest) }))
    return
  }
  const headers = { ...OCTETS, 'content-range': `${offset}-${size - 1}` }
  const request = { ...question, headers, body, good: [202], isRepeatable: false }
  const response = drained(await host.ask({ ...request, method: 'PATCH', path: location.href }))
  const path = withDigest(locationOf(response, question.what), digest)
  drained(await host.ask({ ...question, method: 'PUT', path, body: Buffer.alloc(0), good: [201, 204] }))
}

/** What a registry that is out of breath answers. */
const isPassing = (error: unknown): boolean =>
  isBroken(error) ||
  (error instanceof CaissonError && error.code === 'EREGISTRY' && /answers 5\d\d/.test(error.message))

export const uploadBlob = async (host: Host, repository: Repository, upload: Upload): Promise<void> => {
  const question = { scope: scopeOf(repository), what: `${repository.path}@${upload.digest}` }
  const attempt: Attempt = { host, question, upload }
  let location = await begin(attempt, repository)
  let offset = 0
  for (let tried = 1; ; tried++) {
    try {
      return await sendRest(attempt, location, offset)
    } catch (error) {
      if (!isPassing(error) || tried === MAX_ATTEMPTS) throw error
      const there = await standing(attempt, location).catch(() => undefined)
      location = there?.location ?? (await begin(attempt, repository))
      offset = there?.offset ?? 0
    }
  }
}
