/** Logging in: credentials are tried at the registry, and kept where Docker and podman find them, too. */
import { CaissonError } from '../../errors.ts'
import { changeAuthFile, readAuthFile } from './auth-file.ts'
import { programOf, runHelper } from './credential-helper.ts'
import { findCredentials, helperOf, keysOf, loginFile, serverOf } from './credentials.ts'
import { type ClientOptions, openHost } from './host.ts'
import { displayHost, readHostFiles, tlsOf } from './hosts.ts'
import { createTransport } from './transport.ts'

export interface Login {
  readonly host: string
  readonly username: string
  readonly password: string
}

/** Throws EUNAUTHORISED, or as the client. */
const tryOut = async (options: ClientOptions, { host, username, password }: Login): Promise<void> => {
  const files = readHostFiles(options)
  const transport = createTransport(options.environment, (each) => tlsOf(each, files))
  const given = { username, password, source: 'just entered' }
  const registry = openHost(transport, files, { ...options, given }, { host, path: '' })
  try {
    const what = `login to ${displayHost(host)}`
    const response = await registry.ask({ method: 'GET', path: '', scope: '', what, good: [200] })
    response.body.resume()
  } catch (error) {
    if (!(error instanceof CaissonError) || error.code !== 'EUNAUTHORISED') throw error
    const hint = 'check user name and password; an account with a second factor wants an access token for its password'
    throw new CaissonError('EUNAUTHORISED', error.message, { hint })
  } finally {
    transport.close()
  }
}

const askHelper = async (
  { environment }: ClientOptions,
  helper: string,
  action: 'store' | 'erase',
  input: string,
): Promise<boolean> => {
  const answer = await runHelper(helper, action, input, environment)
  if (answer === undefined)
    throw new CaissonError('EHELPER', `the credential helper ${programOf(helper)} is not there`, {
      hint: `install it, or take it out of ${loginFile(environment)}`,
    })
  return answer.isGood
}

/** Where it is kept now: a file, or a helper. */
const keep = async (options: ClientOptions, { host, username, password }: Login): Promise<string> => {
  const path = loginFile(options.environment)
  const helper = helperOf(readAuthFile(path), host)
  if (helper !== undefined) {
    const input = JSON.stringify({ ServerURL: serverOf(host), Username: username, Secret: password })
    if (await askHelper(options, helper, 'store', input)) return programOf(helper)
    throw new CaissonError('EHELPER', `the credential helper ${programOf(helper)} did not take the credentials`)
  }
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  changeAuthFile(path, keysOf(host), { auth })
  options.warn(`the password is kept as it is in ${path}; a credential helper would encrypt it`)
  return path
}

/** `username`: without a colon, which would end it (RFC 7617). */
export const login = async (options: ClientOptions, request: Login): Promise<string> => {
  if (request.username === '' || request.username.includes(':'))
    throw new CaissonError('EUSERNAME', `'${request.username}' is no user name: it is empty or has a colon`)
  await tryOut(options, request)
  return keep(options, request)
}

export interface LoggedOut {
  /** false: there were no credentials. */
  readonly isChanged: boolean
  /** A file or helper that has some still, which is not ours to change. */
  readonly left: string | undefined
}

export const logout = async (options: ClientOptions, host: string): Promise<LoggedOut> => {
  const path = loginFile(options.environment)
  const helper = helperOf(readAuthFile(path), host)
  const isErased = helper !== undefined && (await askHelper(options, helper, 'erase', serverOf(host)))
  const isChanged = changeAuthFile(path, keysOf(host), undefined)
  return { isChanged: isErased || isChanged, left: (await findCredentials(host, '', options))?.source }
}
