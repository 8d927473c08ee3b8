/** Image references: `[host[:port]/]path[:tag][@digest]`, the grammar of the distribution specification. */
import { CaissonError } from '../errors.ts'

export interface Reference {
  /** As users write it: without `docker.io/` and `library/`. */
  readonly name: string
  readonly tag: string | undefined
  readonly digest: string | undefined
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const HOST = '(?:[A-Za-z0-9.-]+(?::[0-9]+)?|\\[[0-9a-fA-F:]+\\](?::[0-9]+)?)'
const GRAMMAR = new RegExp(
  `^(?<name>(?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?<digest>[a-z0-9+._-]+:[A-Za-z0-9=_-]{32,}))?$`,
)
const MAX_NAME = 255

const familiar = (name: string) => name.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\//, '')

/** Throws EREFERENCE. */
export const parseReference = (text: string): Reference => {
  const groups = GRAMMAR.exec(text)?.groups
  const name = groups?.['name']
  if (name === undefined || name.length > MAX_NAME) {
    throw new CaissonError('EREFERENCE', `'${text}' is not an image reference`, {
      hint: 'the form is name[:tag][@digest]',
    })
  }
  return { name: familiar(name), tag: groups?.['tag'], digest: groups?.['digest'] }
}

/** `name:tag`, `latest` where none is given; a digest wins over the tag. */
export const formatReference = ({ name, tag, digest }: Reference): string =>
  digest === undefined ? `${name}:${tag ?? 'latest'}` : `${name}@${digest}`

/** Docker Hub's registry, which is `docker.io` in names. */
export const HUB = 'registry-1.docker.io'

/**
 * Where the protocol finds it. The first component is a host where it could be no user's name: it has a dot or a port, an upper-case
 * letter, or is `localhost` (distribution/reference).
 */
export const repositoryOf = ({ name }: Reference): { readonly host: string; readonly path: string } => {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  if (/[.:A-Z]/.test(first) || first === 'localhost') return { host: first, path: name.slice(slash + 1) }
  return { host: HUB, path: slash < 0 ? `library/${name}` : name }
}

/** `docker.io/library/redis`: what `redis` is short for. */
export const fullName = (reference: Reference): string => {
  const { host, path } = repositoryOf(reference)
  return `${host === HUB ? 'docker.io' : host}/${path}`
}
