/** What the image store takes of the disk: every layer and blob once, however many images share it. */
import { statSync } from 'node:fs'
import { blobOf, type ContentRoot, contentOf, layerBytes, layersOf } from './paths.ts'
import { allRecords, blobsOf, namesIn, type ReferenceRecord } from './store.ts'

export interface StoreUsage {
  /** Layers, unpacked. */
  readonly unpackedBytes: number
  /** Manifests, configurations, and layers as they are stored: what push and save need. */
  readonly storedBytes: number
  /** Of both, what no image under a container needs. */
  readonly reclaimableBytes: number
}

const sizesOfLayers = (content: ContentRoot): ReadonlyMap<string, number> =>
  new Map(
    namesIn(layersOf(content))
      .filter((name) => /^[0-9a-f]{64}$/.test(name))
      .map((chain) => [chain, layerBytes(content, chain)]),
  )

const sizesOfBlobs = (content: ContentRoot): ReadonlyMap<string, number> =>
  new Map(
    namesIn(`${contentOf(content)}/blobs`).flatMap((algorithm) =>
      namesIn(`${contentOf(content)}/blobs/${algorithm}`).map((name) => {
        const digest = `${algorithm}:${name}`
        return [digest, statSync(blobOf(content, digest), { throwIfNoEntry: false })?.size ?? 0] as const
      }),
    ),
  )

const sum = (sizes: Iterable<number>): number => [...sizes].reduce((total, size) => total + size, 0)

const beyond = (sizes: ReadonlyMap<string, number>, needed: ReadonlySet<string>): number =>
  sum([...sizes].flatMap(([name, size]) => (needed.has(name) ? [] : [size])))

/** Of an image whose manifest is damaged nothing but its configuration is known. */
const blobsIn = (content: ContentRoot, record: ReferenceRecord): readonly string[] => {
  try {
    return blobsOf(content, record)
  } catch {
    return [record.id]
  }
}

/** `active`: ids of images that containers were made from. */
export const storeUsage = (content: ContentRoot, active: ReadonlySet<string>): StoreUsage => {
  const records = allRecords(content).filter(({ id }) => active.has(id))
  const layers = sizesOfLayers(content)
  const blobs = sizesOfBlobs(content)
  const neededLayers = new Set(records.flatMap((record) => record.layers))
  const neededBlobs = new Set(records.flatMap((record) => blobsIn(content, record)))
  return {
    unpackedBytes: sum(layers.values()),
    storedBytes: sum(blobs.values()),
    reclaimableBytes: beyond(layers, neededLayers) + beyond(blobs, neededBlobs),
  }
}
