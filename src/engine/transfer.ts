/** Images from registries and to them, several at once: they share connections, tokens, and layers that they have in common. */
import { CaissonError } from '../errors.ts'
import type { SharedPulls } from '../image/pull-layers.ts'
import { isHost } from '../image/store.ts'
import type { RegistryClient } from '../image/registry/types.ts'
import { parseReference, repositoryOf } from '../oci/reference.ts'
import { fillingContent, naming } from './content.ts'
import type { Direction } from './events.ts'
import { openRegistry } from './registry.ts'
import { type Session, withSession } from './session.ts'
import type { PullImage, TransferOptions, Transferred } from './image-types.ts'
import type { EngineOptions } from './types.ts'

interface Line {
  readonly engine: EngineOptions
  readonly session: Session
  readonly client: RegistryClient
  readonly signal: AbortSignal | undefined
}

const timed = async <T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly milliseconds: number }> => {
  const start = performance.now()
  const value = await work()
  return { value, milliseconds: Math.round(performance.now() - start) }
}

const failure = (error: unknown): CaissonError => {
  if (error instanceof CaissonError) return error
  throw error
}

/** Tells how it begins and ends; a mistake of the user's or a registry's is an outcome, one of ours is thrown. */
const told = async (
  { engine }: Line,
  direction: Direction,
  image: string,
  transfer: () => Promise<{ readonly digest: string; readonly isUpToDate: boolean }>,
): Promise<Transferred> => {
  engine.emit({ kind: 'image', direction, image, state: 'started' })
  try {
    const { value, milliseconds } = await timed(transfer)
    const state = value.isUpToDate ? 'unchanged' : 'done'
    engine.emit({ kind: 'image', direction, image, state, digest: value.digest, milliseconds })
    const { digest, isUpToDate } = value
    return { image, digest, isUpToDate, error: undefined }
  } catch (caught) {
    const error = failure(caught)
    engine.emit({ kind: 'image', direction, image, state: 'failed', error })
    return { image, digest: '', isUpToDate: false, error }
  }
}

const warnOf = (engine: EngineOptions) => (message: string) =>
  engine.emit({ kind: 'warning', code: 'image/incomplete', message, hint: undefined, path: undefined })

const withLine = <T>(engine: EngineOptions, options: TransferOptions, work: (line: Line) => Promise<T>): Promise<T> =>
  withSession(engine, (session) =>
    fillingContent(session, async () => {
      const client = await openRegistry(engine)
      try {
        return await work({ engine, session, client, signal: options.signal })
      } finally {
        client.close()
      }
    }),
  )

/** The same image for the same platform comes once. */
const distinct = (images: readonly PullImage[]): readonly PullImage[] => [
  ...new Map(images.map((image) => [`${image.reference} ${image.platform ?? ''}`, image])).values(),
]

const pullOne = async (line: Line, { reference, platform }: PullImage, shared: SharedPulls): Promise<Transferred> => {
  const { engine, session, client, signal } = line
  if (isHost(reference)) return { image: reference, digest: '', isUpToDate: true, error: undefined }
  const { pullImage } = await import('../image/pull.ts')
  return told(line, 'pull', reference, () =>
    pullImage(session.roots, {
      ...{ client, repository: repositoryOf(parseReference(reference)), reference, platform, signal },
      onProgress: (progress) => engine.emit({ kind: 'blob', direction: 'pull', image: reference, ...progress }),
      ...{ warn: warnOf(engine), naming: naming(session) },
      shared,
    }),
  )
}

/** One outcome for each image, in their order; those of the same reference and platform are one. */
export const pull = async (
  engine: EngineOptions,
  images: readonly PullImage[],
  options: TransferOptions,
): Promise<readonly Transferred[]> => {
  const { sharedPulls } = await import('../image/pull-layers.ts')
  const shared = sharedPulls()
  return withLine(engine, options, (line) => Promise.all(distinct(images).map((image) => pullOne(line, image, shared))))
}

const pushOne = async (line: Line, reference: string): Promise<Transferred> => {
  const { engine, session, client } = line
  const { pushImage } = await import('../image/push.ts')
  return told(line, 'push', reference, async () => {
    if (isHost(reference)) throw new CaissonError('EIMAGE', `${reference} is built in and is not pushed`)
    const { digest } = await pushImage(session.roots, {
      ...{ client, repository: repositoryOf(parseReference(reference)), reference, naming: naming(session) },
      onProgress: (progress) => engine.emit({ kind: 'blob', direction: 'push', image: reference, ...progress }),
    })
    return { digest, isUpToDate: false }
  })
}

/** One outcome for each reference, in their order. */
export const push = (
  engine: EngineOptions,
  references: readonly string[],
  options: TransferOptions,
): Promise<readonly Transferred[]> =>
  withLine(engine, options, (line) => Promise.all([...new Set(references)].map((each) => pushOne(line, each))))

/** `name:tag` for each tag that the registry has of the name. */
export const taggedOf = async (engine: EngineOptions, reference: string): Promise<readonly string[]> => {
  const client = await openRegistry(engine)
  const parsed = parseReference(reference)
  try {
    return (await client.tags(repositoryOf(parsed))).map((tag) => `${parsed.name}:${tag}`)
  } finally {
    client.close()
  }
}

/** What a registry calls the image now; nothing is kept of it. Throws as the client. */
export const digestOf = async (engine: EngineOptions, reference: string): Promise<string> => {
  const client = await openRegistry(engine)
  const parsed = parseReference(reference)
  const repository = repositoryOf(parsed)
  const wanted = parsed.digest ?? parsed.tag ?? 'latest'
  try {
    return (await client.head(repository, wanted))?.digest ?? (await client.manifest(repository, wanted)).digest
  } finally {
    client.close()
  }
}
