/** The client that this command speaks to registries with. */
import type { RegistryClient } from '../image/registry/types.ts'
import type { EngineOptions } from './types.ts'

export const openRegistry = async ({ environment, emit }: EngineOptions): Promise<RegistryClient> => {
  const { createRegistryClient } = await import('../image/registry/client.ts')
  const said = new Set<string>()
  const warn = (message: string): void => {
    if (said.has(message)) return
    said.add(message)
    emit({ kind: 'warning', code: 'image/registry', message, hint: undefined, path: undefined })
  }
  return createRegistryClient({ environment, warn })
}
