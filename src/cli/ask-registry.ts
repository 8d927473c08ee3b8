/** What commands that only print ask of a registry. */
import { CaissonError } from '../errors.ts'

/** undefined: the image is of this machine alone. */
export const askDigest = async (reference: string): Promise<string | undefined> => {
  if (/^docker\.io\/caisson\//.test(reference)) return undefined
  throw new CaissonError('EREGISTRY', 'registries cannot be asked yet', {
    hint: `write the digest behind the name: ${reference}@sha256:…`,
  })
}
