/** A client of registries, one for each command: their questions and answers (distribution-spec). */
import { CaissonError } from '../../errors.ts'
import type { Descriptor } from '../archive-file.ts'
import { digestOf } from '../digest.ts'
import { type Asked, connectionError, malformed, statusOf } from './errors.ts'
import { type ClientOptions, type Document, type Host, openHost, type Question } from './host.ts'
import { HUB } from '../../oci/reference.ts'
import { readHostFiles, tlsOf } from './hosts.ts'
import { createTransport, type HttpResponse } from './transport.ts'
import type { BlobStream, ManifestBytes, RegistryClient, Repository } from './types.ts'
import { cancelUpload, uploadBlob } from './upload.ts'

const MAX_DOCUMENT = 4 << 20

const ACCEPT = [
  ...['application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.manifest.v1+json'],
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

const isDigest = (reference: string): boolean => reference.includes(':')

/** The bytes, if they are what was asked for and what the registry says they are. */
const verified = (bytes: Buffer, response: HttpResponse, reference: string, what: string): ManifestBytes => {
  const said = response.headers['docker-content-digest']?.toString()
  const wanted = isDigest(reference) ? reference : said
  const algorithm = wanted?.startsWith('sha512:') ? 'sha512' : 'sha256'
  const digest = digestOf(bytes, algorithm)
  if (wanted !== undefined && wanted !== digest)
    throw new CaissonError('EDIGEST', `${what}: what came is ${digest}, not ${wanted}`)
  return { mediaType: mediaTypeOf(bytes, response), digest, size: bytes.length, bytes }
}

/** What the document says of itself counts, where both speak they must agree (CVE-2021-41190: documents.ts sees to it). */
const mediaTypeOf = (bytes: Buffer, response: HttpResponse): string => {
  const [type = ''] = (response.headers['content-type'] ?? '').split(';')
  if (type.trim() !== '' && !/^(?:text\/|application\/(?:json|octet-stream)$)/.test(type.trim())) return type.trim()
  try {
    const { mediaType, manifests } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>
    if (typeof mediaType === 'string') return mediaType
    return `application/vnd.oci.image.${manifests === undefined ? 'manifest' : 'index'}.v1+json`
  } catch {
    return type.trim()
  }
}

export const pullScope = ({ path }: Repository): string => `repository:${path}:pull`
export const pushScope = ({ path }: Repository): string => `repository:${path}:pull,push`

/** As users write it. */
const nameOf = ({ host, path }: Repository): string =>
  host === HUB ? path.replace(/^library\//, '') : `${host}/${path}`

const shown = (repository: Repository, reference: string): string =>
  `${nameOf(repository)}${isDigest(reference) ? '@' : ':'}${reference}`

export const createRegistryClient = (options: ClientOptions): RegistryClient => {
  const files = readHostFiles(options)
  const transport = createTransport(options.environment, (host) => tlsOf(host, files))
  const hosts = new Map<string, Host>()
  const hostOf = (repository: Repository): Host => {
    const key = `${repository.host}/${repository.path}`
    const found = hosts.get(key) ?? openHost(transport, files, options, repository)
    hosts.set(key, found)
    return found
  }
  const manifestQuestion = (repository: Repository, reference: string): Question => ({
    ...{ method: 'GET', path: `${repository.path}/manifests/${reference}`, scope: pullScope(repository) },
    ...{ headers: { accept: ACCEPT }, what: shown(repository, reference), good: [200], mayMirror: true },
  })
  return {
    manifest: async (repository, reference) => {
      const question = manifestQuestion(repository, reference)
      const { response, bytes } = await hostOf(repository).read(question, MAX_DOCUMENT)
      return verified(bytes, response, reference, question.what)
    },
    head: async (repository, reference) => {
      const question: Question = { ...manifestQuestion(repository, reference), method: 'HEAD', good: [200, 404, 405] }
      const response = await hostOf(repository).ask(question)
      response.body.resume()
      const digest = response.headers['docker-content-digest']?.toString()
      if (response.status !== 200 || digest === undefined) return undefined
      const { 'content-type': mediaType = '', 'content-length': size } = response.headers
      return { mediaType, digest, size: Number(size ?? 0) }
    },
    blob: (repository, blob, offset, signal) => openBlob(hostOf(repository), repository, blob, offset, signal),
    hasBlob: async (repository, digest) => {
      const response = await hostOf(repository).ask({
        ...{ method: 'HEAD', path: `${repository.path}/blobs/${digest}`, scope: pushScope(repository) },
        ...{ what: shown(repository, digest), good: [200, 404] },
      })
      response.body.resume()
      return response.status === 200
    },
    mount: async (repository, digest, from) => {
      const query = new URLSearchParams({ mount: digest, from })
      const scope = `${pushScope(repository)} repository:${from}:pull`
      const host = hostOf(repository)
      const question = { scope, what: shown(repository, digest), body: Buffer.alloc(0) }
      const path = `${repository.path}/blobs/uploads/?${query}`
      try {
        const response = await host.ask({ ...question, method: 'POST', path, good: [201, 202] })
        response.body.resume()
        if (response.status === 202) await cancelUpload(host, question, response)
        return response.status === 201
      } catch (error) {
        // Who may not read there may still write here.
        if (MAY_NOT.has(statusOf(error))) return false
        throw error
      }
    },
    upload: (repository, upload) => uploadBlob(hostOf(repository), repository, upload),
    putManifest: async (repository, reference, { bytes, mediaType, digest }) => {
      const response = await hostOf(repository).ask({
        ...{
          method: 'PUT',
          path: `${repository.path}/manifests/${reference}`,
          scope: pushScope(repository),
          body: bytes,
        },
        ...{ headers: { 'content-type': mediaType }, what: shown(repository, reference), good: [200, 201, 202] },
      })
      response.body.resume()
      return response.headers['docker-content-digest']?.toString() ?? digest
    },
    tags: (repository) => listTags(hostOf(repository), repository),
    close: () => transport.close(),
  }
}

const MAY_NOT = new Set([401, 403, 404])

/** `Content-Range: bytes 7-99/100` begins with 7. */
const beginOf = ({ headers }: HttpResponse): number => Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1])

const openBlob = async (
  host: Host,
  repository: Repository,
  blob: Descriptor,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<BlobStream> => {
  const { digest, size } = blob
  const range = offset > 0 ? { range: `bytes=${offset}-` } : {}
  const question: Question = {
    ...{ method: 'GET', path: `${repository.path}/blobs/${digest}`, scope: pullScope(repository), signal },
    ...{ headers: { 'accept-encoding': 'identity', ...range }, what: shown(repository, digest) },
    ...{ good: offset > 0 ? [200, 206, 416] : [200], mayMirror: true },
  }
  const response = await host.ask(question)
  const asked = { what: question.what, host: repository.host, credentials: undefined }
  if (response.status === 416) {
    // What is here is of something else, or the registry's ranges are: from the beginning there is no doubt.
    response.body.resume()
    return openBlob(host, repository, blob, 0, signal)
  }
  const begins = response.status === 206 ? offset : 0
  if (response.status === 206 && beginOf(response) !== offset) {
    response.body.destroy()
    throw malformed(asked, `it was asked for what is from byte ${offset} on and sends something else`)
  }
  return { offset: begins, chunks: told(response, asked, size - begins) }
}

/** The stream of a blob, whose breaking is told as of that blob. */
async function* told(response: HttpResponse, asked: Asked, expected: number): AsyncGenerator<Buffer> {
  let size = 0
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.length
      yield chunk
    }
  } catch (error) {
    throw connectionError(asked, error)
  }
  if (size < expected)
    throw new CaissonError('ECONNECTION', `${asked.what}: ${asked.host} ended after ${size} of ${expected} bytes`)
}

const MAX_PAGES = 1000

const namesIn = (bytes: Buffer, asked: Pick<Asked, 'what' | 'host'>): readonly string[] => {
  try {
    const { tags } = Object(JSON.parse(bytes.toString('utf8'))) as { tags?: unknown }
    return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : []
  } catch {
    throw malformed(asked, 'no JSON')
  }
}

/** By `Link: <…>; rel="next"` (RFC 5988), page after page. */
const listTags = async (host: Host, repository: Repository): Promise<readonly string[]> => {
  const tags: string[] = []
  let path: string | undefined = `${repository.path}/tags/list?n=1000`
  for (let page = 0; path !== undefined && page < MAX_PAGES; page++) {
    const question: Question = {
      ...{ method: 'GET', path, scope: pullScope(repository), what: `tags of ${nameOf(repository)}`, good: [200] },
    }
    const { response, bytes }: Document = await host.read(question, MAX_DOCUMENT)
    tags.push(...namesIn(bytes, { what: question.what, host: host.host }))
    const [, next] = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(response.headers.link ?? '')) ?? []
    path = next === undefined ? undefined : new URL(next, response.url).href
  }
  return tags
}
