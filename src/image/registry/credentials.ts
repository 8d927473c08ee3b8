/** Who we are to a registry, as other tools have written it down: Docker's config.json, podman's auth.json, credential helpers. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { programOf, runHelper } from './credential-helper.ts'
import { HUB } from '../../oci/reference.ts'
import { displayHost } from './hosts.ts'

export interface Credentials {
  readonly username: string
  /** With the user name `<token>` an identity token (OAuth 2 refresh token). */
  readonly password: string
  /** For messages: a file, or a helper. */
  readonly source: string
}

export interface CredentialOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Said once for each thing that was wrong and did not matter in the end. */
  readonly warn: (message: string) => void
}

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const objectOf = (value: unknown): Json => (isObject(value) ? value : {})
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

export const dockerConfigFile = ({ DOCKER_CONFIG, HOME }: CredentialOptions['environment']): string =>
  join(DOCKER_CONFIG || join(HOME ?? '/', '.docker'), 'config.json')

/** Where `login` writes. */
export const loginFile = (environment: CredentialOptions['environment']): string =>
  environment.REGISTRY_AUTH_FILE || dockerConfigFile(environment)

/** Where credentials may stand, the first that has some wins. */
const filesOf = (environment: CredentialOptions['environment']): readonly string[] => {
  const { REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, XDG_CONFIG_HOME, HOME = '/' } = environment
  return [
    ...(REGISTRY_AUTH_FILE ? [REGISTRY_AUTH_FILE] : []),
    dockerConfigFile(environment),
    ...(XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, 'containers/auth.json')] : []),
    join(XDG_CONFIG_HOME || join(HOME, '.config'), 'containers/auth.json'),
  ]
}

const parsed = (text: string, source: string, warn: CredentialOptions['warn']): Json => {
  try {
    return objectOf(JSON.parse(text))
  } catch {
    warn(`${source} is no JSON: credentials in it are not used`)
    return {}
  }
}

const readJson = (path: string, warn: CredentialOptions['warn']): Json => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return {}
  }
  return parsed(text, path, warn)
}

/** Under which name Docker keeps it, and helpers are asked for it. */
export const serverOf = (host: string): string => (host === HUB ? 'https://index.docker.io/v1/' : host)

/** Names under which files have a host; Docker Hub has several. */
export const keysOf = (host: string): readonly string[] => {
  const names = host === HUB ? ['index.docker.io', 'docker.io', host] : [host]
  const paths = ['', '/', '/v1', '/v1/', '/v2', '/v2/']
  const keys = names.flatMap((name) =>
    paths.flatMap((path) => ['', 'https://', 'http://'].map((scheme) => `${scheme}${name}${path}`)),
  )
  return [serverOf(host), ...keys.filter((key) => key !== serverOf(host))]
}

/** podman has credentials for namespaces too: the longest that the repository lies in. */
const namespacesOf = (host: string, path: string): readonly string[] => {
  const steps = path === '' ? [] : path.split('/')
  return steps.map((_, index) => [displayHost(host), ...steps.slice(0, steps.length - index)].join('/'))
}

const decoded = (entry: Json, source: string): Credentials | undefined => {
  const token = textOf(entry['identitytoken'])
  if (token !== '') return { username: '<token>', password: token, source }
  const auth = Buffer.from(textOf(entry['auth']), 'base64').toString('utf8').replace(/\0+$/, '')
  const colon = auth.indexOf(':')
  if (colon > 0) return { username: auth.slice(0, colon), password: auth.slice(colon + 1), source }
  const [username, password] = [textOf(entry['username']), textOf(entry['password'])]
  return username === '' ? undefined : { username, password, source }
}

/** What helpers say of a host that they have nothing for. */
const NOT_FOUND = /credentials not found/i

const fromHelper = async (
  name: string,
  host: string,
  { environment, warn }: CredentialOptions,
): Promise<Credentials | undefined> => {
  const goingOn = `going on without its credentials for ${displayHost(host)}`
  const answer = await runHelper(name, 'get', serverOf(host), environment).catch((error: Error) => error)
  if (answer === undefined) warn(`the credential helper ${programOf(name)} is not there: ${goingOn}`)
  else if (answer instanceof Error) warn(`${answer.message}: ${goingOn}`)
  else if (answer.isGood) {
    try {
      const { Username, Secret } = objectOf(JSON.parse(answer.output))
      return { username: textOf(Username), password: textOf(Secret), source: programOf(name) }
    } catch {
      warn(`the credential helper ${programOf(name)} answers no JSON: ${goingOn}`)
    }
  } else if (!NOT_FOUND.test(answer.output)) warn(`the credential helper ${programOf(name)} failed: ${goingOn}`)
  return undefined
}

/** The helper of a file that has the credentials of a host: its own, or that of all. */
export const helperOf = (file: Json, host: string): string | undefined => {
  const helpers = objectOf(file['credHelpers'])
  const own = keysOf(host).map((key) => textOf(helpers[key]))
  return [...own, textOf(file['credsStore'])].find(Boolean)
}

/** `credHelpers` goes before `credsStore`, and that before `auths` (docker/cli). */
const fromFile = async (file: Json, path: string, host: string, repository: string, options: CredentialOptions) => {
  const helper = helperOf(file, host)
  const helped = helper === undefined ? undefined : await fromHelper(helper, host, options)
  if (helped !== undefined) return helped
  const auths = objectOf(file['auths'])
  for (const key of [...namespacesOf(host, repository), ...keysOf(host)]) {
    const found = isObject(auths[key]) ? decoded(auths[key], path) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** undefined: none, so anonymously. */
export const findCredentials = async (
  host: string,
  repository: string,
  options: CredentialOptions,
): Promise<Credentials | undefined> => {
  const { environment, warn } = options
  // Pipelines have credentials in a variable, as a whole file (docker/cli 28).
  const variable = environment.DOCKER_AUTH_CONFIG
  if (variable) {
    const { auths } = parsed(variable, 'DOCKER_AUTH_CONFIG', warn)
    const found = await fromFile({ auths }, 'DOCKER_AUTH_CONFIG', host, repository, options)
    if (found !== undefined) return found
  }
  for (const path of filesOf(environment)) {
    const found = await fromFile(readJson(path, warn), path, host, repository, options)
    if (found !== undefined) return found
  }
  return undefined
}
