/** Names of images as docker shows them. */
const SHORT_ID = 12

export const shortId = (id: string): string => id.replace(/^sha256:/, '').slice(0, SHORT_ID)

/** `shop/web:1` to name and tag; a colon before the last slash belongs to a registry's port. */
export const splitReference = (reference: string): [name: string, tag: string] => {
  const colon = reference.lastIndexOf(':')
  return colon > reference.lastIndexOf('/')
    ? [reference.slice(0, colon), reference.slice(colon + 1)]
    : [reference, 'latest']
}
