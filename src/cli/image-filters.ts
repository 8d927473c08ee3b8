/** Filters of images. Of several values of one key any will do, but labels all count, as docker has it. */
import type { ImageSummary } from '../index.ts'
import { readInstant } from './instant.ts'
import { namesLike } from '../units/glob.ts'
import { readBoolean } from './grammar.ts'
import { UsageError } from './usage.ts'

export interface ImageFilters {
  readonly dangling: boolean | undefined
  readonly reference: readonly string[]
  /** `KEY` or `KEY=VALUE`. */
  readonly label: readonly string[]
  readonly withoutLabel: readonly string[]
  /** Images: only what was made before or after them. */
  readonly before: readonly string[]
  readonly since: readonly string[]
  /** Milliseconds since the epoch: only what was made before. */
  readonly until: number | undefined
}

export type FilterKey = 'dangling' | 'reference' | 'label' | 'label!' | 'before' | 'since' | 'until'

const readDangling = (values: readonly string[]): boolean | undefined => {
  const last = values.at(-1)
  if (last === undefined) return undefined
  const value = readBoolean(last)
  if (value === undefined) throw new UsageError(`--filter: dangling is true or false, not "${last}"`)
  return value
}

/** Throws UsageError for a key that is not of `keys`. */
export const readImageFilters = (filters: readonly string[], keys: readonly FilterKey[], now: number): ImageFilters => {
  const found = new Map<FilterKey, string[]>()
  for (const filter of filters) {
    const at = filter.indexOf('=')
    const key = keys.find((each) => at > 0 && each === filter.slice(0, at))
    if (key === undefined) throw new UsageError(`--filter takes KEY=VALUE, not "${filter}"`, `keys: ${keys.join(', ')}`)
    found.set(key, [...(found.get(key) ?? []), filter.slice(at + 1)])
  }
  const of = (key: FilterKey): readonly string[] => found.get(key) ?? []
  const until = of('until').map((text) => readInstant(text, now))
  return {
    ...{ dangling: readDangling(of('dangling')), reference: of('reference'), label: of('label') },
    ...{ withoutLabel: of('label!'), before: of('before'), since: of('since') },
    until: until.length === 0 ? undefined : Math.min(...until),
  }
}

export const hasLabel = (labels: Readonly<Record<string, string>>, wanted: string): boolean => {
  const at = wanted.indexOf('=')
  if (at < 0) return Object.hasOwn(labels, wanted)
  const key = wanted.slice(0, at)
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(at + 1)
}

/** `*` keeps within one component of a name. */
const fits = (pattern: string, name: string): boolean => {
  const patterns = pattern.split('/')
  const names = name.split('/')
  return (
    patterns.length === names.length &&
    patterns.every((part, index) => namesLike(part, [names[index] ?? '']).length > 0)
  )
}

/** A pattern is of a name with its tag, or without. */
export const isReferenceLike = (patterns: readonly string[], reference: string): boolean =>
  patterns.length === 0 ||
  patterns.some((pattern) => fits(pattern, reference) || fits(pattern, reference.replace(/(?:@.*|:[^/:]*)$/, '')))

/** `createdOf`: of an image that a filter names. */
export const matchesImage = (
  image: Pick<ImageSummary, 'references' | 'labels' | 'createdAt'>,
  filters: ImageFilters,
  createdOf: (name: string) => number,
): boolean =>
  (filters.dangling === undefined || filters.dangling === (image.references.length === 0)) &&
  (filters.reference.length === 0 || image.references.some((each) => isReferenceLike(filters.reference, each))) &&
  filters.label.every((wanted) => hasLabel(image.labels, wanted)) &&
  !filters.withoutLabel.some((wanted) => hasLabel(image.labels, wanted)) &&
  filters.before.every((name) => image.createdAt < createdOf(name)) &&
  filters.since.every((name) => image.createdAt > createdOf(name)) &&
  (filters.until === undefined || image.createdAt < filters.until)
