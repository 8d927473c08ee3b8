/**
 * Config hashes decide what is recreated. A value that means the same as its absence is dropped before hashing, so a
 * release that adds a key with a default recreates nothing. test/plan/config-hash.test.ts holds golden hashes.
 */
import { createHash } from 'node:crypto'
import type { Network, Service } from '../compose/project.ts'

/** Keys that say how many, when and which, not what one container is. `others` are keys that nothing honours. */
const NOT_PART_OF_A_CONTAINER: ReadonlySet<string> = new Set([
  ...['name', 'scale', 'profiles', 'dependsOn', 'others', 'attach', 'pullPolicy'],
])
/** Of these the empty list differs from nothing: it clears what the image says. */
const EMPTY_HAS_MEANING: ReadonlySet<string> = new Set(['command', 'entrypoint'])
/** Numbers that mean "no limit" or "as usual". */
const NEUTRAL: Readonly<Record<string, number>> = {
  memLimitBytes: 0,
  cpus: 0,
  pidsLimit: -1,
  priority: 0,
  gwPriority: 0,
}

const isNeutral = (key: string, value: unknown): boolean => {
  if (value === undefined || value === false) return true
  if (typeof value === 'number') return NEUTRAL[key] === value
  if (Array.isArray(value)) return value.length === 0 && !EMPTY_HAS_MEANING.has(key)
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** Members that say where, not what, and a value that must not be guessed from a hash. */
const NOT_HASHED: ReadonlySet<string> = new Set(['path', 'secretValue'])

/** Plain JSON value with sorted keys and without neutral values. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) => !NOT_HASHED.has(key) && !isNeutral(key, member))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, canonical(member)]),
  )
}

const hash = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(canonical(value)))
    .digest('hex')

const partsOf = (service: Service): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(service).filter(([key]) => !NOT_PART_OF_A_CONTAINER.has(key)))

/** Hash of what one container of the service is made from: 64 hex digits. */
export const configHash = (service: Service): string => hash(partsOf(service))

/** Keys whose name in the file is not that of the model in other letters. */
const IN_THE_FILE: Readonly<Record<string, string>> = {
  stopGraceMs: 'stop_grace_period',
  dnsOptions: 'dns_opt',
}

const inTheFile = (key: string): string =>
  IN_THE_FILE[key] ?? key.replace(/Bytes$|Ms$/, '').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Keys of the Compose file in which two definitions of a service differ, as far as a container is made from them. */
export const changedKeys = (before: Service, now: Service): readonly string[] => {
  const [old, fresh] = [before, now].map((service) => canonical(partsOf(service)) as Record<string, unknown>)
  return [...new Set([...Object.keys(old ?? {}), ...Object.keys(fresh ?? {})])]
    .filter((key) => JSON.stringify(old?.[key]) !== JSON.stringify(fresh?.[key]))
    .map(inTheFile)
    .sort()
}

/** Hash of what a network is made from. Its name and key only say which it is. */
export const networkHash = (network: Network): string => {
  const { driver, internal, ipam, mtu, labels } = network
  return hash({ driver: driver === 'bridge' ? undefined : driver, internal, ipam, mtu, labels })
}
