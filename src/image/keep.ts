/** A blob whose digest is only known at its end is written beside and renamed then; what a killed command left, a sweep takes. */
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { type LayerRequest, type UnpackedLayer, unpackLayer } from './layer.ts'
import { blobOf, type ContentRoot, ingestOf } from './paths.ts'

let count = 0

const newFile = (content: ContentRoot): string => {
  mkdirSync(ingestOf(content), { recursive: true, mode: 0o700 })
  return `${ingestOf(content)}/${process.pid}.${++count}`
}

/** Unpacks a layer and keeps its blob as it is stored. Throws as unpackLayer; nothing stays then. */
export const unpackAndKeep = async (
  content: ContentRoot,
  request: Omit<LayerRequest, 'keep'>,
): Promise<UnpackedLayer> => {
  const keep = newFile(content)
  try {
    const layer = await unpackLayer(content, { ...request, keep })
    const blob = blobOf(content, layer.digest)
    mkdirSync(dirname(blob), { recursive: true, mode: 0o700 })
    renameSync(keep, blob)
    return layer
  } finally {
    rmSync(keep, { force: true })
  }
}
