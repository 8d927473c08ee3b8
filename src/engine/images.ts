import { CaissonError } from '../errors.ts'
import type { ImportOptions } from '../image/import.ts'
import { type ImageDetails, inspectImage } from '../image/inspect.ts'
import type { Loaded } from '../image/load.ts'
import { HOST_REFERENCE } from '../image/host.ts'
import { findRecord, listImages, type Naming, normalise, referencesTo, removeReference } from '../image/store.ts'
import { readContainers } from '../state/snapshot.ts'
import { fillingContent, naming, sweepContent } from './content.ts'
import { changingContent, type Session, withSession } from './session.ts'
import type { ImageRow, LoadImages, RemovedImage } from './image-types.ts'
import type { EngineOptions } from './types.ts'

export const images = async (engine: EngineOptions): Promise<readonly ImageRow[]> => listImages(engine)

const report = (engine: EngineOptions, { images: rows, warnings }: Loaded): readonly ImageRow[] => {
  for (const message of warnings)
    engine.emit({ kind: 'warning', code: 'image/incomplete', message, hint: undefined, path: undefined })
  return rows
}

const filling = (engine: EngineOptions, fill: (name: Naming) => Promise<Loaded>): Promise<readonly ImageRow[]> =>
  withSession(engine, (session) => fillingContent(session, async () => report(engine, await fill(naming(session)))))

export const importImage = async (
  engine: EngineOptions,
  tar: string,
  reference: string,
  options: ImportOptions,
): Promise<ImageRow> => {
  const { importArchive } = await import('../image/import.ts')
  const [image] = await filling(engine, (name) => importArchive(engine, tar, reference, options, name))
  if (image === undefined) throw new CaissonError('EARCHIVE', 'the archive holds no image')
  return image
}

export const loadImages = async (engine: EngineOptions, load: LoadImages): Promise<readonly ImageRow[]> => {
  const { loadArchive } = await import('../image/load.ts')
  return filling(engine, (name) => loadArchive(engine, load.archive, load, name))
}

export const inspectImages = async (
  engine: EngineOptions,
  names: readonly string[],
): Promise<readonly ImageDetails[]> => names.map((name) => inspectImage(engine, name))

/** A container keeps the name it was made from, and the content. */
const checkUnused = (session: Session, engine: EngineOptions, text: string): void => {
  const { id, reference } = findRecord(engine, text)
  const isLast = referencesTo(engine, id).length === 1
  const { containers } = readContainers(session.roots, undefined, () => false)
  const user = containers.find(
    ({ record }) => normalise(record.image) === reference || (isLast && record.imageId === id),
  )?.record
  if (user !== undefined)
    throw new CaissonError('EIMAGEUSED', `image ${text} is used by container ${user.name} of project ${user.project}`)
}

/** Throws EIMAGEUSED while a container stands on it. */
export const removeImage = async (engine: EngineOptions, text: string): Promise<RemovedImage> =>
  withSession(engine, (session) =>
    changingContent(session, async () => {
      if (normalise(text) !== `${HOST_REFERENCE}:latest`) checkUnused(session, engine, text)
      return removeReference(engine, text)
    }).finally(() => sweepContent(session)),
  )
