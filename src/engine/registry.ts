/** Registries, as this command speaks to them: as whom, and through what, its environment says. */
import type { ClientOptions } from '../image/registry/host.ts'
import type { LoggedOut, Login } from '../image/registry/login.ts'
import type { Found, Search } from '../image/registry/search.ts'
import type { RegistryClient } from '../image/registry/types.ts'
import type { EngineOptions } from './types.ts'

/** What is said, is said once. */
const optionsOf = ({ environment, emit }: EngineOptions): ClientOptions => {
  const said = new Set<string>()
  const warn = (message: string): void => {
    if (said.has(message)) return
    said.add(message)
    emit({ kind: 'warning', code: 'image/registry', message, hint: undefined, path: undefined })
  }
  return { environment, warn }
}

export const openRegistry = async (engine: EngineOptions): Promise<RegistryClient> =>
  (await import('../image/registry/client.ts')).createRegistryClient(optionsOf(engine))

const hostOf = async (text: string): Promise<string> => (await import('../image/registry/hosts.ts')).registryHost(text)

export const login = async (engine: EngineOptions, request: Login): Promise<string> => {
  const { login } = await import('../image/registry/login.ts')
  return login(optionsOf(engine), { ...request, host: await hostOf(request.host) })
}

export const logout = async (engine: EngineOptions, host: string): Promise<LoggedOut> => {
  const { logout } = await import('../image/registry/login.ts')
  return logout(optionsOf(engine), await hostOf(host))
}

export const searchImages = async (engine: EngineOptions, request: Search): Promise<readonly Found[]> => {
  const { search } = await import('../image/registry/search.ts')
  return search(optionsOf(engine), { ...request, host: await hostOf(request.host) })
}
