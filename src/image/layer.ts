/** Unpacked layers: `content/layers/<chain ID>`, whole or not there. */
import { createHash } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { CaissonError } from '../errors.ts'
import type { UnpackedArchive } from '../native/binding.ts'
import { type FileRange, ingestBlob } from './ingest.ts'
import { type ContentRoot, hasLayer, layerOf, layersOf, sizeFile } from './paths.ts'

/** Identity of a stack of layers (image-spec config.md): of one layer its diff ID. Hex, without `sha256:`. */
export const chainOf = (below: string | undefined, diffId: string): string =>
  below === undefined ? diffId : createHash('sha256').update(`sha256:${below} sha256:${diffId}`).digest('hex')

export interface LayerRequest {
  /** As stored: compressed or not. */
  readonly stored: AsyncIterable<Buffer> | FileRange
  /** Of the stored bytes; undefined: not said. */
  readonly expected: { readonly digest: string; readonly size: number | undefined } | undefined
  /** undefined: a root filesystem, in which whiteouts mean nothing. */
  readonly layer: { readonly diffId: string; readonly below: readonly string[] } | undefined
  /** File to keep the stored bytes in. */
  readonly keep?: string | undefined
  /** For messages. */
  readonly name: string
}

/** What a killed command left: nobody else unpacks meanwhile, which is what the content lock is for. */
export const UNFINISHED = 'unfinished'

export interface UnpackedLayer {
  readonly chain: string
  readonly unpacked: UnpackedArchive
  /** Of the stored bytes. */
  readonly digest: string
  readonly size: number
}

/** Names a directory that holds what `chain` stands for; where another command was faster, its own is as good. */
export const nameLayer = (content: ContentRoot, directory: string, chain: string, bytes: number): void => {
  if (hasLayer(content, chain)) return
  writeFileSync(sizeFile(content, chain), `${bytes}\n`)
  try {
    renameSync(directory, layerOf(content, chain))
  } catch (error) {
    if (!hasLayer(content, chain)) throw error
  }
}

export const wrongContent = (name: string, diffId: string): CaissonError =>
  new CaissonError('EDIGEST', `${name} is not what the image says: its content is sha256:${diffId}`)

/**
 * Unpacks beside, verifies, and renames. Throws EARCHIVE for what is not an honest archive, EDIGEST for one that is not the
 * one that was named; nothing of it stays then. The content lock is held.
 */
export const unpackLayer = async (content: ContentRoot, request: LayerRequest): Promise<UnpackedLayer> => {
  const { layer, stored, expected, keep, name } = request
  const unfinished = `${layersOf(content)}/${UNFINISHED}.${process.pid}`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(layersOf(content), { recursive: true, mode: 0o700 })
  mkdirSync(unfinished)
  try {
    const lower = (layer?.below ?? []).map((chain) => layerOf(content, chain))
    const ingested = await ingestBlob({
      ...{ source: stored, expected, name, unpack: { root: unfinished, layer: layer !== undefined, lower } },
      keep: keep === undefined ? undefined : { path: keep, prefix: 0 },
    })
    const { diffId, unpacked } = ingested.content ?? refuseNothing()
    if (layer !== undefined && layer.diffId !== diffId) throw wrongContent(name, diffId)
    if (layer === undefined && unpacked.entries === 0) refuseNothing()
    const chain = chainOf(layer?.below[0], diffId)
    nameLayer(content, unfinished, chain, unpacked.bytes)
    return { chain, unpacked, digest: ingested.digest, size: ingested.size }
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}

const refuseNothing = (): never => {
  throw new CaissonError('EARCHIVE', 'the archive holds nothing')
}
