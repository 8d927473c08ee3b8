import type { Service } from '../compose/project.ts'

/** Hash of what one container of the service is made from, as `config --hash` prints it. Loads crypto, so not at once. */
export const configHash = async (service: Service): Promise<string> =>
  (await import('../plan/config-hash.ts')).configHash(service)
