/** The content store: `$CAISSON_ROOT/content`. Blobs in OCI's layout, unpacked layers by chain ID, references by name. */
export interface ContentRoot {
  /** $CAISSON_ROOT */
  readonly root: string
}

export const layersOf = ({ root }: ContentRoot) => `${root}/content/layers`
/** `digest`: `sha256:…` */
export const blobOf = ({ root }: ContentRoot, digest: string) => `${root}/content/blobs/${digest.replace(':', '/')}`
export const referencesOf = ({ root }: ContentRoot) => `${root}/content/references`
export const referenceFile = (content: ContentRoot, reference: string) =>
  `${referencesOf(content)}/${encodeURIComponent(reference)}`
