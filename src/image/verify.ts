/** `image verify`: whether all that images are made of is here and is what its digest says. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import type { Descriptor } from './archive-file.ts'
import { parseConfiguration, parseManifest } from './documents.ts'
import { chainOf } from './layer.ts'
import { blobOf, type ContentRoot, hasLayer } from './paths.ts'
import type { ReferenceRecord } from './store.ts'

export type DamageKind = 'missing' | 'damaged' | 'not unpacked' | 'contradiction'

export interface Damage {
  readonly part: 'manifest' | 'index' | 'configuration' | 'layer'
  /** Of the blob, or the chain ID of an unpacked layer. */
  readonly digest: string
  readonly kind: DamageKind
  readonly message: string
}

export interface Verified {
  readonly reference: string
  readonly id: string
  /** Whether its manifest and the blobs of its layers are kept. */
  readonly isKept: boolean
  readonly damages: readonly Damage[]
}

/** undefined: it is what it should be. Of blobs that images share each is read once. */
type Check = (blob: { readonly digest: string; readonly size: number | undefined }) => Promise<string | undefined>

const hashOf = async (path: string, algorithm: string): Promise<string> => {
  const hash = createHash(algorithm)
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return `${algorithm}:${hash.digest('hex')}`
}

const checker = (content: ContentRoot): Check => {
  const known = new Map<string, Promise<string>>()
  return async ({ digest, size }) => {
    const path = blobOf(content, digest)
    if (!existsSync(path)) return 'is not here'
    const there = statSync(path).size
    if (size !== undefined && there !== size) return `has ${there} bytes, not ${size}`
    const hash = known.get(digest) ?? hashOf(path, digest.slice(0, digest.indexOf(':')))
    known.set(digest, hash)
    const found = await hash
    return found === digest ? undefined : `is damaged: its content is ${found}`
  }
}

const blobDamage = async (
  content: ContentRoot,
  check: Check,
  part: Damage['part'],
  blob: { readonly digest: string; readonly size: number | undefined },
): Promise<readonly Damage[]> => {
  const message = await check(blob)
  if (message === undefined) return []
  return [
    { part, digest: blob.digest, kind: existsSync(blobOf(content, blob.digest)) ? 'damaged' : 'missing', message },
  ]
}

/** Documents that are what their digests say may still not belong together. */
const contradiction = (content: ContentRoot, { id, layers, manifest }: ReferenceRecord): readonly Damage[] => {
  try {
    const { diffIds } = parseConfiguration(readFileSync(blobOf(content, id)), id)
    const chains: string[] = []
    for (const diffId of diffIds) chains.unshift(chainOf(chains[0], diffId))
    if (chains.join() === layers.join()) return []
    const message = 'says other layers than the image was unpacked from'
    return [{ part: 'configuration', digest: id, kind: 'contradiction', message }]
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return [{ part: 'configuration', digest: manifest?.digest ?? id, kind: 'contradiction', message }]
  }
}

const partsOf = (
  content: ContentRoot,
  manifest: Descriptor,
): readonly (readonly [part: Damage['part'], blob: Descriptor])[] => {
  const { config, layers } = parseManifest(
    readFileSync(blobOf(content, manifest.digest)),
    manifest.mediaType,
    manifest.digest,
  )
  return [['configuration', config], ...layers.map((layer) => ['layer', layer] as const)]
}

const verifyOne = async (content: ContentRoot, record: ReferenceRecord, check: Check): Promise<readonly Damage[]> => {
  const { id, manifest, indexes, layers } = record
  const damages: Damage[] = []
  const look = async (part: Damage['part'], blob: { readonly digest: string; readonly size: number | undefined }) => {
    damages.push(...(await blobDamage(content, check, part, blob)))
  }
  for (const index of indexes) await look('index', index)
  if (manifest !== undefined) await look('manifest', manifest)
  const isReadable = manifest !== undefined && !damages.some(({ part }) => part === 'manifest')
  const parts = isReadable ? partsOf(content, manifest) : []
  for (const [part, blob] of parts) await look(part, blob)
  if (!parts.some(([, { digest }]) => digest === id)) await look('configuration', { digest: id, size: undefined })
  if (!damages.some(({ part }) => part === 'configuration')) damages.push(...contradiction(content, record))
  const message = 'is not unpacked'
  for (const chain of layers.filter((each) => !hasLayer(content, each)))
    damages.push({ part: 'layer', digest: `sha256:${chain}`, kind: 'not unpacked', message })
  return damages
}

/** Nobody sweeps meanwhile. */
export const verifyImages = async (
  content: ContentRoot,
  records: readonly ReferenceRecord[],
): Promise<readonly Verified[]> => {
  const check = checker(content)
  const verified: Verified[] = []
  for (const record of records) {
    const { reference, id, manifest } = record
    const damages = await verifyOne(content, record, check)
    verified.push({ reference, id, isKept: manifest !== undefined, damages })
  }
  return verified
}

/** Damaged blobs go, so that the next pull or load brings them again. */
export const removeDamaged = (content: ContentRoot, verified: readonly Verified[]): void => {
  for (const { digest, kind } of verified.flatMap(({ damages }) => damages))
    if (kind === 'damaged') rmSync(blobOf(content, digest), { force: true })
}
