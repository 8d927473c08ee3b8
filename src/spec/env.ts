import type { User } from './user.ts'

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export interface EnvInput {
  /** Empty: HOSTNAME is left out. */
  readonly hostname: string
  readonly tty: boolean
  /** NAME=value of the image. */
  readonly image: readonly string[]
  /** null: unset, even where the image sets it. */
  readonly service: Readonly<Record<string, string | null>>
  readonly user: User
}

/** Applies `NAME=value` (sets) and `NAME` (unsets) to a copy of `env`; the place of a name stays. */
export const withVariables = (env: ReadonlyMap<string, string>, changes: readonly string[]): Map<string, string> => {
  const result = new Map(env)
  for (const change of changes) {
    const at = change.indexOf('=')
    if (at < 0) result.delete(change)
    else result.set(change.slice(0, at), change.slice(at + 1))
  }
  return result
}

export const formatVariables = (env: ReadonlyMap<string, string>): string[] =>
  [...env].map(([name, value]) => `${name}=${value}`)

const serviceChanges = (service: EnvInput['service']): string[] =>
  Object.entries(service).map(([name, value]) => (value === null ? name : `${name}=${value}`))

/**
 * The whole environment: our defaults, then the image's, then the service's. HOME comes from passwd unless somebody
 * set it.
 */
export const environment = (input: EnvInput): Map<string, string> => {
  const defaults = [
    `PATH=${DEFAULT_PATH}`,
    ...(input.hostname === '' ? [] : [`HOSTNAME=${input.hostname}`]),
    ...(input.tty ? ['TERM=xterm'] : []),
  ]
  const env = withVariables(new Map(), [...defaults, ...input.image, ...serviceChanges(input.service)])
  if (!env.get('HOME')) env.set('HOME', input.user.home)
  return env
}
