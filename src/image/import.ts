/** `image import`: a root filesystem archive becomes an image of one layer. */
import { createReadStream } from 'node:fs'
import { applyChanges, type ConfigurationFields } from './change.ts'
import { forIngest } from './compression.ts'
import { unpackAndKeep } from './keep.ts'
import { incomplete, type Loaded } from './load.ts'
import { makeManifest, OCI_MANIFEST } from './manifest.ts'
import type { ContentRoot } from './paths.ts'
import { thisPlatform } from './platform.ts'
import { atOnce, nameImage, type Naming, normalise, writeBlob } from './store.ts'

export interface ImportOptions {
  /** Dockerfile instructions: `CMD ["/bin/sh"]`. */
  readonly changes: readonly string[]
  readonly message: string
}

const DEFAULTS: ConfigurationFields = {
  Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  Cmd: ['/bin/sh'],
}

/** An OCI configuration that says nothing but what it was told to: equal archives give equal images. */
const configurationOf = (diffId: string, config: ConfigurationFields, message: string): string => {
  const { os, architecture } = thisPlatform()
  return JSON.stringify({
    architecture,
    os,
    config,
    rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
    ...(message === '' ? {} : { history: [{ comment: message }] }),
  })
}

/**
 * `tar`: path, or `-` for stdin. Nobody sweeps meanwhile. Throws EARCHIVE for what is not an honest archive; nothing of it
 * stays then; ECHANGE for an instruction it cannot take.
 */
export const importArchive = async (
  content: ContentRoot,
  tar: string,
  reference: string,
  { changes, message }: ImportOptions = { changes: [], message: '' },
  naming: Naming = atOnce,
): Promise<Loaded> => {
  const name = normalise(reference)
  const config = applyChanges(DEFAULTS, changes)
  const input = tar === '-' ? process.stdin : createReadStream(tar, { highWaterMark: 1 << 20 })
  const { chain, unpacked, digest } = await unpackAndKeep(content, {
    stored: forIngest(input),
    expected: undefined,
    layer: undefined,
    name: tar,
  })
  const id = writeBlob(content, configurationOf(chain, config, message))
  const bytes = makeManifest(content, id, [digest])
  const manifest = { mediaType: OCI_MANIFEST, digest: writeBlob(content, bytes), size: Buffer.byteLength(bytes) }
  const image = { reference: name, id, manifest, layers: [chain], sizeBytes: unpacked.bytes }
  const named = await naming(() => nameImage(content, image))
  return { images: [named], warnings: unpacked.incompleteCount > 0 ? [incomplete(unpacked)] : [] }
}
