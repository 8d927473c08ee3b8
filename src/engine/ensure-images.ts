/** Pulls what services need and this machine has not, before anything of the project is changed. */
import { readFileSync } from 'node:fs'
import type { Project, Service } from '../compose/project.ts'
import { CaissonError, type Diagnostic, ProjectError } from '../errors.ts'
import { parseConfiguration } from '../image/documents.ts'
import { blobOf } from '../image/paths.ts'
import { isPlatform, parsePlatform } from '../image/platform.ts'
import { isHost, lookUp, normalise, type ReferenceRecord } from '../image/store.ts'
import { pullDecision } from '../plan/pull.ts'
import type { Transferred } from './image-types.ts'
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

const isWanted = (engine: EngineOptions, service: Service, asked: string | undefined): boolean => {
  if (service.image === undefined) return false
  const record = recordOf(engine, service.image)
  if (record === 'none of ours') return false
  const isHere = record !== undefined && isForPlatform(engine, record, service.platform)
  const freshAt = record?.pulledAt ?? record?.importedAt
  return pullDecision({ policy: service.pullPolicy, asked, isHere, freshAt, now: Date.now() }) === 'pull'
}

const finding = (service: string, { code, message, hint }: CaissonError): Diagnostic => ({
  ...{ code, severity: 'error', path: ['services', service, 'image'], message: `service ${service}: ${message}` },
  ...(hint === undefined ? {} : { hint }),
})

/** Throws ProjectError with what failed, at the place of each service. */
export const ensureImages = async (
  engine: EngineOptions,
  project: Project,
  names: Iterable<string>,
  { pull: asked, quietPull, signal, dryRun }: Wanted,
): Promise<void> => {
  const services = [...names].flatMap((name) => project.services[name] ?? [])
  const wanted = services.filter((service) => isWanted(engine, service, asked))
  if (wanted.length === 0 || dryRun) return
  const { pull } = await import('./transfer.ts')
  const images = wanted.map(({ image: reference = '', platform }) => ({ reference, platform }))
  const emit: EngineOptions['emit'] = (event) => {
    if (!quietPull || (event.kind !== 'image' && event.kind !== 'blob')) engine.emit(event)
  }
  const outcomes = await pull({ ...engine, emit }, images, { signal })
  const errorOf = (image: string | undefined): Transferred['error'] =>
    outcomes.find((outcome) => outcome.image === image)?.error
  const failed = wanted.flatMap((service) => {
    const error = errorOf(service.image)
    return error === undefined ? [] : [finding(service.name, error)]
  })
  if (signal?.aborted) throw new CaissonError('EABORTED', 'interrupted while images were pulled')
  if (failed.length > 0) throw new ProjectError(failed)
}
