/** `image tag`: another name for an image that is here. */
import { CaissonError } from '../errors.ts'
import { parseReference } from '../oci/reference.ts'
import { HOST_REFERENCE } from './host.ts'
import type { ContentRoot } from './paths.ts'
import { findRecord, isHost, type ListedImage, nameImage, normalise } from './store.ts'

/** The content lock is held. Throws ENOIMAGE, EREFERENCE, EIMAGE. */
export const tag = (content: ContentRoot, source: string, target: string): ListedImage => {
  if (parseReference(target).digest !== undefined)
    throw new CaissonError('EREFERENCE', `'${target}' names an image by its digest: a tag cannot be given to that`)
  if (isHost(source)) throw new CaissonError('EIMAGE', `${HOST_REFERENCE} is built in and has no other name`)
  return nameImage(content, { ...findRecord(content, source), reference: normalise(target), pulledAt: undefined })
}
