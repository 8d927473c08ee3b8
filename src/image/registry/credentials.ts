/** Who we are to a registry, as other tools have written it down: Docker's config.json, podman's auth.json, credential helpers. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

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

const readJson = (path: string, warn: CredentialOptions['warn']): Json => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return {}
  }
  try {
    return objectOf(JSON.parse(text))
  } catch {
    warn(`${path} is no JSON: credentials in it are not used`)
    return {}
  }
}

/** Names under which files have a host; Docker Hub has one of its own. */
export const keysOf = (host: string): readonly string[] => {
  const hub = ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', 'https://index.docker.io/v1']
  const own = [
    host,
    `https://${host}`,
    `http://${host}`,
    `${host}/v1/`,
    `${host}/v2/`,
    `https://${host}/v1/`,
    `https://${host}/v2/`,
  ]
  return host === 'registry-1.docker.io' ? [...hub, ...own] : own
}

/** podman has credentials for namespaces too: the longest that the repository lies in. */
const namespacesOf = (host: string, path: string): readonly string[] => {
  const steps = path.split('/')
  return steps.map((_, index) => [host, ...steps.slice(0, steps.length - index)].join('/'))
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

const HELPER_NAME = /^[A-Za-z0-9._-]+$/
const HELPER_LIMIT = 1 << 20

/** stdout of `docker-credential-NAME ACTION`, and whether it went well; undefined: there is no such program. */
export const runHelper = (
  name: string,
  action: 'get' | 'store' | 'erase',
  input: string,
  environment: CredentialOptions['environment'],
): Promise<{ readonly output: string; readonly isGood: boolean } | undefined> =>
  new Promise((resolve) => {
    const child = spawn(`docker-credential-${name}`, [action], { env: environment, stdio: ['pipe', 'pipe', 'ignore'] })
    const parts: Buffer[] = []
    let size = 0
    child.stdout.on('data', (part: Buffer) => {
      size += part.length
      if (size > HELPER_LIMIT) child.kill()
      else parts.push(part)
    })
    child.stdin.on('error', () => {})
    child.once('error', () => resolve(undefined))
    child.once('close', (code) => resolve({ output: Buffer.concat(parts).toString('utf8'), isGood: code === 0 }))
    child.stdin.end(input)
  })

const fromHelper = async (
  name: string,
  host: string,
  { environment, warn }: CredentialOptions,
): Promise<Credentials | undefined> => {
  if (!HELPER_NAME.test(name)) return undefined
  const server = host === 'registry-1.docker.io' ? 'https://index.docker.io/v1/' : host
  const answer = await runHelper(name, 'get', server, environment)
  if (answer === undefined) {
    warn(`the credential helper docker-credential-${name} is not there: going on without credentials for ${host}`)
    return undefined
  }
  if (!answer.isGood) return undefined // `credentials not found` is no error
  try {
    const { Username, Secret } = objectOf(JSON.parse(answer.output))
    return { username: textOf(Username), password: textOf(Secret), source: `docker-credential-${name}` }
  } catch {
    return undefined
  }
}

/** `credHelpers` goes before `credsStore`, and that before `auths` (docker/cli). */
const fromFile = async (path: string, host: string, repository: string, options: CredentialOptions) => {
  const file = readJson(path, options.warn)
  const helpers = objectOf(file['credHelpers'])
  const named = keysOf(host)
    .map((key) => textOf(helpers[key]))
    .find(Boolean)
  const helper = named ?? textOf(file['credsStore'])
  const helped = helper === '' ? undefined : await fromHelper(helper, host, options)
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
  for (const path of filesOf(options.environment)) {
    const found = await fromFile(path, host, repository, options)
    if (found !== undefined) return found
  }
  return undefined
}
