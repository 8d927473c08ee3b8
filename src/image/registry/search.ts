/** Looking for images: Docker Hub has a search of its own, other registries list what they have, and the rest is done here. */
import { CaissonError } from '../../errors.ts'
import { malformed } from './errors.ts'
import { type ClientOptions, type Host, openHost } from './host.ts'
import { HUB } from '../../oci/reference.ts'
import { displayHost, readHostFiles, tlsOf } from './hosts.ts'
import { createTransport } from './transport.ts'

export interface Search {
  readonly host: string
  readonly term: string
  /** 1 to 100. */
  readonly limit: number
  readonly filters: readonly SearchFilter[]
}

export type SearchFilter =
  | { readonly kind: 'official'; readonly is: boolean }
  | { readonly kind: 'stars'; readonly least: number }

export interface Found {
  readonly name: string
  readonly description: string
  readonly stars: number
  readonly isOfficial: boolean
}

const SEARCH_HOST = 'index.docker.io'
const MAX_ANSWER = 4 << 20
/** Of a catalog, each of up to so many names. */
const MAX_PAGES = 200
const PAGE = 1000

export const passes = ({ stars, isOfficial }: Found, filters: readonly SearchFilter[]): boolean =>
  filters.every((filter) => (filter.kind === 'stars' ? stars >= filter.least : isOfficial === filter.is))

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Descriptions are anybody's: what a terminal would obey is left out. */
const oneLine = (value: unknown): string =>
  text(value)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()

const listIn = (bytes: Buffer, key: string, asked: { readonly what: string; readonly host: string }) => {
  try {
    const list = (Object(JSON.parse(bytes.toString('utf8'))) as Record<string, unknown>)[key]
    if (list === null || Array.isArray(list)) return (list ?? []) as readonly unknown[]
  } catch {
    // As of an answer without the list.
  }
  throw malformed(asked, `there is no list of ${key} in it`)
}

const foundOf = (value: unknown): Found => {
  const { name, description, star_count, is_official } = Object(value) as Record<string, unknown>
  return {
    ...{ name: oneLine(name), description: oneLine(description), isOfficial: is_official === true },
    stars: typeof star_count === 'number' ? star_count : 0,
  }
}

const searchHub = async (host: Host, { term, limit }: Search): Promise<readonly Found[]> => {
  const query = new URLSearchParams({ q: term, n: String(limit) })
  const what = `a search for ${term}`
  const question = { method: 'GET', path: `https://${SEARCH_HOST}/v1/search?${query}`, scope: '', what, good: [200] }
  const { bytes } = await host.read({ ...question, method: 'GET' }, MAX_ANSWER)
  return listIn(bytes, 'results', { what, host: SEARCH_HOST }).map(foundOf)
}

/** Names that the term is in, page after page until there are enough. */
const searchCatalog = async (host: Host, { term, limit }: Search): Promise<readonly Found[]> => {
  const what = 'its list of repositories'
  const names: string[] = []
  let path: string | undefined = `_catalog?n=${PAGE}`
  for (let page = 0; path !== undefined && page < MAX_PAGES && names.length < limit; page++) {
    const question = { method: 'GET', path, scope: 'registry:catalog:*', what, good: [200] } as const
    const { response, bytes } = await host.read(question, MAX_ANSWER)
    const list = listIn(bytes, 'repositories', { what, host: host.host }).map(oneLine)
    names.push(...list.filter((name) => name.includes(term)))
    const [, next] = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(response.headers.link ?? '')) ?? []
    path = next !== undefined && URL.canParse(next, response.url) ? new URL(next, response.url).href : undefined
  }
  return names.map((name) => ({ name: `${host.host}/${name}`, description: '', stars: 0, isOfficial: false }))
}

/** In the order of the registry. Throws as the client. */
export const search = async (options: ClientOptions, request: Search): Promise<readonly Found[]> => {
  const isHub = request.host === HUB
  if (isHub && request.term === '')
    throw new CaissonError('ESEARCH', `${displayHost(request.host)} lists nothing without a term to search for`)
  const files = readHostFiles(options)
  const transport = createTransport(options.environment, (each) => tlsOf(each, files))
  try {
    const host = openHost(transport, files, options, { host: isHub ? SEARCH_HOST : request.host, path: '' })
    const found = await (isHub ? searchHub(host, request) : searchCatalog(host, request))
    return found.filter((each) => passes(each, request.filters)).slice(0, request.limit)
  } finally {
    transport.close()
  }
}
