/** The content store: `$CAISSON_ROOT/content`. Blobs in OCI's layout, unpacked layers by chain ID, references by name. */
import { readFileSync, statSync } from 'node:fs'

export interface ContentRoot {
  /** $CAISSON_ROOT */
  readonly root: string
}

export const contentOf = ({ root }: ContentRoot) => `${root}/content`
export const layersOf = ({ root }: ContentRoot) => `${root}/content/layers`
/** `chain`: hex. */
export const layerOf = (content: ContentRoot, chain: string) => `${layersOf(content)}/${chain}`
/** Bytes of file content in a layer, as text. */
export const sizeFile = (content: ContentRoot, chain: string) => `${layerOf(content, chain)}.size`
/** `digest`: `sha256:…` */
export const blobOf = ({ root }: ContentRoot, digest: string) => `${root}/content/blobs/${digest.replace(':', '/')}`
/** Blobs of which a part is here. The lock of such a file is held by whoever fetches the rest. */
export const ingestOf = ({ root }: ContentRoot) => `${root}/content/ingest`
export const partialOf = (content: ContentRoot, digest: string) => `${ingestOf(content)}/${digest.replace(':', '-')}`
export const referencesOf = ({ root }: ContentRoot) => `${root}/content/references`
export const referenceFile = (content: ContentRoot, reference: string) =>
  `${referencesOf(content)}/${encodeURIComponent(reference)}`

/** Whether the layer was unpacked before. */
export const hasLayer = (content: ContentRoot, chain: string): boolean =>
  statSync(layerOf(content, chain), { throwIfNoEntry: false })?.isDirectory() ?? false

/** 0: not known. */
export const layerBytes = (content: ContentRoot, chain: string): number => {
  try {
    return Number(readFileSync(sizeFile(content, chain), 'utf8')) || 0
  } catch {
    return 0
  }
}
