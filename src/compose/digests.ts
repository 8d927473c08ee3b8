/** Images by the digests that their tags have now: `config --resolve-image-digests`, and `--lock-image-digests`. */
import { CaissonError, type Diagnostic } from '../errors.ts'
import { fullName, parseReference } from '../oci/reference.ts'
import type { LoadResult } from './project.ts'

/** The digest of a tag, of a whole reference such as `docker.io/library/redis:7`. undefined: no registry has the image. */
export type ResolveDigest = (reference: string) => Promise<string | undefined>

type Model = LoadResult['canonical']

/** Services by name, each with its image as it is to be printed. */
type Pinned = ReadonlyMap<string, string>

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const servicesOf = ({ services }: Model): readonly (readonly [string, Readonly<Record<string, unknown>>])[] =>
  Object.entries(isRecord(services) ? services : {}).flatMap(([name, service]) =>
    isRecord(service) ? [[name, service] as const] : [],
  )

/** One question for each tag, however many services ask. */
const once = (resolve: ResolveDigest): ResolveDigest => {
  const asked = new Map<string, Promise<string | undefined>>()
  return (reference) => {
    const answer = asked.get(reference) ?? resolve(reference)
    asked.set(reference, answer)
    return answer
  }
}

/** A digest names the content; a tag beside it says nothing more. */
const pin = async (image: string, resolve: ResolveDigest): Promise<string | undefined> => {
  const reference = parseReference(image)
  const name = fullName(reference)
  if (reference.digest !== undefined) return `${name}@${reference.digest}`
  const tagged = `${name}:${reference.tag ?? 'latest'}`
  const digest = await resolve(tagged)
  return digest === undefined ? undefined : `${tagged}@${digest}`
}

const findingOf = (service: string, image: string, error: unknown): Diagnostic => {
  if (!(error instanceof CaissonError)) throw error
  const { code, message, hint } = error
  return {
    ...{ code, severity: 'error', path: ['services', service, 'image'] },
    message: `services.${service}: the digest of ${image} cannot be had: ${message}`,
    ...(hint === undefined ? {} : { hint }),
  }
}

interface Answer {
  readonly pinned?: readonly [string, string]
  readonly finding?: Diagnostic
}

const answerFor = async (service: string, image: unknown, ask: ResolveDigest): Promise<Answer> => {
  if (typeof image !== 'string') return {}
  try {
    const pinned = await pin(image, ask)
    return pinned === undefined ? {} : { pinned: [service, pinned] }
  } catch (error) {
    return { finding: findingOf(service, image, error) }
  }
}

/** Of every service that has an image; all are asked for at once, and all that cannot be had are told. */
export const pinImages = async (
  model: Model,
  resolve: ResolveDigest,
): Promise<{ readonly pinned: Pinned; readonly diagnostics: readonly Diagnostic[] }> => {
  const ask = once(resolve)
  const answers = await Promise.all(servicesOf(model).map(([name, { image }]) => answerFor(name, image, ask)))
  return {
    pinned: new Map(answers.flatMap(({ pinned }) => (pinned ? [pinned] : []))),
    diagnostics: answers.flatMap(({ finding }) => finding ?? []),
  }
}

export const withPinned = (model: Model, pinned: Pinned): Model => {
  const services = servicesOf(model).map(([name, service]) => {
    const image = pinned.get(name)
    return [name, image === undefined ? service : { ...service, image }] as const
  })
  return services.length === 0 ? model : { ...model, services: Object.fromEntries(services) }
}

/** An override file that says nothing but the images. */
export const lockOf = (pinned: Pinned): Model => ({
  services: Object.fromEntries([...pinned].map(([name, image]) => [name, { image }])),
})
