import { CaissonError } from '../errors.ts'
import type { ImportOptions } from '../image/import.ts'
import { type ImageDetails, inspectImage } from '../image/inspect.ts'
import type { Loaded } from '../image/load.ts'
import { type HistoryRow, imageHistory } from '../image/history.ts'
import { type ImageUser, type RemovedNames, removeImageNames } from '../image/remove.ts'
import { type ImageSummary, summarise } from '../image/summary.ts'
import { tag } from '../image/tag.ts'
import { listImages, type Naming } from '../image/store.ts'
import { readContainers } from '../state/snapshot.ts'
import { fillingContent, naming, sweepContent } from './content.ts'
import { type Session, withSession } from './session.ts'
import type { ImageRow, LoadImages } from './image-types.ts'
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

export const imageSummaries = async (engine: EngineOptions): Promise<readonly ImageSummary[]> => summarise(engine)

export const history = async (engine: EngineOptions, text: string): Promise<readonly HistoryRow[]> =>
  imageHistory(engine, text)

/** Every container, with what it was made from, and with what it mounts. */
export const imageUsers = (session: Session): readonly ImageUser[] =>
  readContainers(session.roots, undefined, session.isAlive).containers.flatMap(({ record, alive }) =>
    [record.imageId, ...Object.values(record.imageMounts ?? {})].map((imageId) => ({
      ...{ name: record.name, project: record.project, imageId },
      isRunning: alive,
    })),
  )

/** Throws ENOIMAGE, EREFERENCE, EIMAGE. */
export const tagImage = async (engine: EngineOptions, source: string, target: string): Promise<void> =>
  withSession(engine, (session) =>
    naming(session)(() => {
      tag(engine, source, target)
    }),
  )

/** Throws EIMAGEUSED while a container stands on it. */
export const removeImage = async (
  engine: EngineOptions,
  text: string,
  options: { readonly force: boolean; readonly dryRun: boolean },
): Promise<RemovedNames> =>
  withSession(engine, async (session) => {
    const remove = () => removeImageNames(engine, text, { ...options, users: imageUsers(session) })
    if (options.dryRun) return remove()
    return naming(session)(remove).finally(() => sweepContent(session))
  })
