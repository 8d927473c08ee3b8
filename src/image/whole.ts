/** All that an image is made of, as registries and archives have it: or an error that says what of it is not here. */
import { existsSync, readFileSync } from 'node:fs'
import { CaissonError } from '../errors.ts'
import type { Descriptor } from './archive-file.ts'
import { type Manifest, parseManifest } from './documents.ts'
import { blobOf, type ContentRoot } from './paths.ts'
import type { ReferenceRecord } from './store.ts'

export interface WholeImage extends Manifest {
  readonly record: ReferenceRecord
  readonly manifest: Descriptor
}

/** Layers that may not be given away are fetched by whoever pulls, from where their descriptors say. */
export const isForeign = ({ mediaType }: Descriptor): boolean => /nondistributable|\.foreign\./.test(mediaType)

/** Throws ENOMANIFEST, ENOBLOB. */
export const wholeImage = (content: ContentRoot, record: ReferenceRecord): WholeImage => {
  const { reference, manifest } = record
  if (manifest === undefined)
    throw new CaissonError(
      'ENOMANIFEST',
      `image ${reference} came here before its layers were kept as they are stored`,
      {
        hint: 'load, import or pull it again',
      },
    )
  const check = (digest: string): void => {
    if (existsSync(blobOf(content, digest))) return
    throw new CaissonError('ENOBLOB', `image ${reference} is not whole: ${digest} is not here`, {
      hint: 'pull or load it again',
    })
  }
  check(manifest.digest)
  const { config, layers } = parseManifest(
    readFileSync(blobOf(content, manifest.digest)),
    manifest.mediaType,
    manifest.digest,
  )
  for (const { digest } of [config, ...layers.filter((layer) => !isForeign(layer))]) check(digest)
  return { record, manifest, config, layers }
}
