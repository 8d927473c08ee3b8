/** Pulls what services need and this machine has not, before anything of the project is changed. */
import { readFileSync } from 'node:fs'
import type { Project, Service } from '../compose/project.ts'
import { CaissonError, type Diagnostic, ProjectError, type TreePath } from '../errors.ts'
import { parseConfiguration } from '../image/documents.ts'
import { blobOf } from '../image/paths.ts'
import { isPlatform, parsePlatform } from '../image/platform.ts'
import { isHost, lookUp, normalise, type ReferenceRecord } from '../image/store.ts'
import { decidePull, mayBeOld, type PullDecision, type PullFlag } from '../plan/pull.ts'
import type { Transferred } from './image-types.ts'
import { warn } from './session.ts'
import type { EngineOptions, UpOptions } from './types.ts'

type Wanted = Pick<UpOptions, 'pull' | 'quietPull' | 'signal' | 'dryRun'>

const isForPlatform = (engine: EngineOptions, { id }: ReferenceRecord, platform: string | undefined): boolean =>
  platform === undefined ||
  isPlatform(parseConfiguration(readFileSync(blobOf(engine, id)), id).platform, parsePlatform(platform))

/** undefined: nothing can be said of it, and who uses it will be told why. */
const recordOf = (engine: EngineOptions, reference: string): ReferenceRecord | undefined | 'none of ours' => {
  try {
    return isHost(reference) || reference.startsWith('sha256:') ? 'none of ours' : lookUp(engine, normalise(reference))
  } catch (error) {
    if (error instanceof CaissonError) return 'none of ours'
    throw error
  }
}

const decide = (engine: EngineOptions, service: Service, flag: PullFlag | undefined): PullDecision => {
  const record = service.image === undefined ? 'none of ours' : recordOf(engine, service.image)
  if (record === 'none of ours') return { kind: 'use' }
  const isHere = record !== undefined && isForPlatform(engine, record, service.platform)
  const here = isHere ? { pulledAt: record.pulledAt } : undefined
  return decidePull({ service, flag, otherwise: 'missing', here, now: Date.now() })
}

/** An image that a service needs: its own, and those that it mounts, which are pulled where they are missing. */
interface Need {
  readonly service: Service
  readonly path: TreePath
}

const needsOf = (service: Service): readonly Need[] => [
  { service, path: ['services', service.name, 'image'] },
  ...service.volumes.flatMap((mount) =>
    mount.type === 'image'
      ? [{ service: { ...service, image: mount.source, pullPolicy: undefined }, path: [...mount.path, 'source'] }]
      : [],
  ),
]

const finding = (
  { service: { name: service }, path }: Need,
  { code, message, hint }: CaissonError,
  isSpare: boolean,
): Diagnostic => ({
  ...{ code, severity: isSpare ? 'warning' : 'error', path },
  message: `service ${service}: ${isSpare ? 'the image is used as it is here: ' : ''}${message}`,
  ...(hint === undefined ? {} : { hint }),
})

const NOBODY: ReadonlySet<string> = new Set()

const told = ({ emit }: EngineOptions, services: readonly Service[]): ReadonlySet<string> => {
  for (const image of new Set(services.map((service) => service.image ?? '')))
    emit({ kind: 'image', direction: 'pull', image, state: 'started' })
  return new Set(services.map(({ name }) => name))
}

/**
 * Services whose images would come, of a dry run; of others none. Throws ProjectError with what failed, at the place of each
 * service.
 */
export const ensureImages = async (
  engine: EngineOptions,
  project: Project,
  names: Iterable<string>,
  { pull: flag, quietPull, signal, dryRun }: Wanted,
): Promise<ReadonlySet<string>> => {
  const services = [...names].flatMap((name) => project.services[name] ?? [])
  const decided = services.flatMap(needsOf).map((need) => ({ need, decision: decide(engine, need.service, flag) }))
  const refused = decided.flatMap(({ decision }) => (decision.kind === 'refuse' ? [decision.finding] : []))
  if (refused.length > 0) throw new ProjectError(refused)
  const wanted = decided.flatMap(({ need, decision }) =>
    decision.kind === 'pull' ? [{ need, isSpare: !decision.needed && mayBeOld(need.service, flag) }] : [],
  )
  if (dryRun)
    return told(
      engine,
      wanted.map(({ need }) => need.service),
    )
  if (wanted.length === 0) return NOBODY
  const { pull } = await import('./transfer.ts')
  const images = wanted.map(
    ({
      need: {
        service: { image: reference = '', platform },
      },
    }) => ({ reference, platform }),
  )
  const emit: EngineOptions['emit'] = (event) => {
    if (!quietPull || (event.kind !== 'image' && event.kind !== 'blob')) engine.emit(event)
  }
  const outcomes = await pull({ ...engine, emit }, images, { signal })
  const errorOf = (image: string | undefined): Transferred['error'] =>
    outcomes.find((outcome) => outcome.image === image)?.error
  const failed = wanted.flatMap(({ need, isSpare }) => {
    const error = errorOf(need.service.image)
    return error === undefined ? [] : [finding(need, error, isSpare)]
  })
  if (signal?.aborted) throw new CaissonError('EABORTED', 'interrupted while images were pulled')
  warn(
    engine.emit,
    failed.filter(({ severity }) => severity === 'warning'),
  )
  if (failed.some(({ severity }) => severity === 'error')) throw new ProjectError(failed)
  return NOBODY
}
