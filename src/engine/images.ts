import { CaissonError } from '../errors.ts'
import { listImages, normalise, removeReference } from '../image/store.ts'
import { readContainers } from '../state/snapshot.ts'
import type { EngineOptions, ImageRow } from './types.ts'

export const images = async (engine: EngineOptions): Promise<readonly ImageRow[]> => listImages(engine)

export const importImage = async (engine: EngineOptions, tar: string, reference: string): Promise<ImageRow> => {
  const { importArchive } = await import('../image/import.ts')
  const { skipped, ...image } = await importArchive(engine, tar, reference)
  if (skipped.length > 0) {
    const some = skipped.slice(0, 5).join(', ')
    const message = `${skipped.length} device nodes and FIFOs of the archive were left out: ${some}${skipped.length > 5 ? ' …' : ''}`
    engine.emit({ kind: 'warning', code: 'image/skipped', message, hint: undefined, path: undefined })
  }
  return image
}

/** Throws EIMAGEUSED while a container stands on it. */
export const removeImage = async (engine: EngineOptions, reference: string): Promise<void> => {
  const name = normalise(reference)
  const { containers } = readContainers(engine, undefined, () => false)
  const user = containers.find(({ record }) => normalise(record.image) === name)?.record
  if (user !== undefined) {
    throw new CaissonError(
      'EIMAGEUSED',
      `image ${reference} is used by container ${user.name} of project ${user.project}`,
    )
  }
  removeReference(engine, reference)
}
