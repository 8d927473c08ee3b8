/** Names of images as docker shows them. */
import { formatReference, fullName, parseReference } from '../../oci/reference.ts'

const SHORT_ID = 12

export const shortId = (id: string): string => id.replace(/^sha256:/, '').slice(0, SHORT_ID)

/** An image without a name has its id in its place. */
export const isId = (reference: string): boolean => reference.startsWith('sha256:')

/** `shop/web:1` to name and tag; a colon before the last slash belongs to a registry's port. */
export const splitReference = (reference: string): [name: string, tag: string] => {
  if (isId(reference)) return ['<none>', '<none>']
  const at = reference.indexOf('@')
  if (at >= 0) return [reference.slice(0, at), '<none>']
  const colon = reference.lastIndexOf(':')
  return colon > reference.lastIndexOf('/')
    ? [reference.slice(0, colon), reference.slice(colon + 1)]
    : [reference, 'latest']
}

/** With host and tag: `docker.io/library/redis:latest`. */
export const canonical = (reference: string): string => {
  const parsed = parseReference(reference)
  return formatReference({ ...parsed, name: fullName(parsed) })
}
