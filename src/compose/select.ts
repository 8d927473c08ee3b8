/** Which services are on: by profiles, by being named, by being needed; and which resources they use. */
import type { Entry, MapNode, Node } from './node.ts'
import { get, map, textOf, withEntries } from './node.ts'
import type { Report } from './report.ts'
import { namesLike } from '../units/glob.ts'
import { didYouMean } from '../units/suggest.ts'
import { enumerate } from './words.ts'

export interface Selection {
  readonly profiles: readonly string[]
  /** Named services, or patterns of names; empty: all. Naming one in full turns its profiles on. */
  readonly services: readonly string[]
  /** false: only the named services, not what they depend on. */
  readonly dependencies: boolean
}

export interface Selected {
  readonly services: MapNode
  /** Switched off, or not selected. */
  readonly disabled: MapNode
}

export const profilesOf = (service: Node): readonly string[] => {
  const profiles = get(service, 'profiles')
  return profiles?.kind === 'sequence' ? profiles.items.map((item) => textOf(item) ?? '') : []
}

const isOn = (service: Node, profiles: readonly string[]): boolean => {
  const own = profilesOf(service)
  return own.length === 0 || profiles.includes('*') || own.some((profile) => profiles.includes(profile))
}

export const dependenciesOf = (service: Node): readonly string[] => {
  const dependencies = get(service, 'depends_on')
  return dependencies?.kind === 'map' ? [...dependencies.entries.keys()] : []
}

const closure = (services: MapNode, names: readonly string[]): ReadonlySet<string> => {
  const wanted = new Set<string>()
  const pending = [...names]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const service = get(services, name)
    if (wanted.has(name) || !service) continue
    wanted.add(name)
    pending.push(...dependenciesOf(service))
  }
  return wanted
}

const partition = (
  services: MapNode,
  keep: (name: string, service: Node) => boolean,
): [MapNode, Map<string, Entry>] => {
  const kept = new Map<string, Entry>()
  const left = new Map<string, Entry>()
  for (const [name, entry] of services.entries) (keep(name, entry.value) ? kept : left).set(name, entry)
  return [map(kept, services.origin), left]
}

const keysOf = (services: MapNode): readonly string[] => [...services.entries.keys()]

/** Patterns fit services that are on; what is named in full is turned on. */
const resolveNames = (
  { all, on }: { readonly all: MapNode; readonly on: MapNode },
  names: readonly string[],
  report: Report,
): readonly string[] =>
  names.flatMap((name) => {
    const found = get(all, name) ? [name] : namesLike(name, keysOf(on))
    if (found.length === 0)
      report.add({
        code: 'service-unknown',
        path: [],
        message: `There is no service "${name}"`,
        hint: hintOf(name, all),
      })
    return found
  })

const hintOf = (name: string, all: MapNode): string => {
  const known = keysOf(all)
  const off = namesLike(name, known)
  if (off.length > 0)
    return `${enumerate(off.slice(0, 8), 'and')}: off by ${off.length === 1 ? 'its' : 'their'} profiles`
  return didYouMean(name, known) ?? `the services are ${enumerate(known.slice(0, 8), 'and')}`
}

/** A profile that nobody has is no mistake, unless it was one of typing. */
const checkProfiles = (services: MapNode, wanted: readonly string[], report: Report): void => {
  const known = new Set([...services.entries.values()].flatMap(({ value }) => profilesOf(value)))
  for (const profile of wanted) {
    const hint = profile === '*' || known.has(profile) ? undefined : didYouMean(profile, [...known])
    if (hint === undefined) continue
    const message = `No service has the profile "${profile}"`
    report.add({ code: 'profile-unknown', severity: 'warning', path: [], message, hint })
  }
}

/** Dependencies on services that were left out by name are forgotten: nobody waits for them. */
const forget = (service: Node, services: MapNode): Node => {
  const dependencies = get(service, 'depends_on')
  if (service.kind !== 'map' || dependencies?.kind !== 'map') return service
  const kept = [...dependencies.entries].filter(([name]) => get(services, name))
  if (kept.length === dependencies.entries.size) return service
  return withEntries(service, { depends_on: kept.length > 0 ? { ...dependencies, entries: new Map(kept) } : undefined })
}

export const selectServices = (services: MapNode, selection: Selection, report: Report): Selected => {
  checkProfiles(services, selection.profiles, report)
  const named = selection.services.map((name) => get(services, name)).filter((service) => service !== undefined)
  const profiles = [
    ...selection.profiles,
    ...named.filter((service) => !isOn(service, selection.profiles)).flatMap(profilesOf),
  ]
  const [on, off] = partition(services, (_, service) => isOn(service, profiles))
  if (selection.services.length === 0) return { services: on, disabled: map(off, services.origin) }
  const names = resolveNames({ all: services, on }, selection.services, report)
  const wanted = selection.dependencies ? closure(on, names) : new Set(names)
  const [kept, left] = partition(on, (name) => wanted.has(name))
  const disabled = map(new Map([...off, ...left]), services.origin)
  if (selection.dependencies) return { services: kept, disabled }
  const entries = [...kept.entries].map(
    ([name, entry]) => [name, { ...entry, value: forget(entry.value, kept) }] as const,
  )
  return { services: { ...kept, entries: new Map(entries) }, disabled }
}

const sourcesOf = (service: Node, key: string): readonly string[] => {
  const items = get(service, key)
  return items?.kind === 'sequence' ? items.items.map((item) => textOf(get(item, 'source')) ?? '') : []
}

/** Other mounts have a source too: a directory, an image. */
const volumesOf = (service: Node): readonly string[] => {
  const mounts = get(service, 'volumes')
  const named = mounts?.kind === 'sequence' ? mounts.items.filter((item) => textOf(get(item, 'type')) === 'volume') : []
  return named.map((item) => textOf(get(item, 'source')) ?? '')
}

const namesOf = (service: Node, key: string): readonly string[] => {
  const entries = get(service, key)
  return entries?.kind === 'map' ? [...entries.entries.keys()] : []
}

const USES: Readonly<Record<string, (service: Node) => readonly string[]>> = {
  networks: (service) => namesOf(service, 'networks'),
  volumes: volumesOf,
  secrets: (service) => [...sourcesOf(service, 'secrets'), ...sourcesOf(get(service, 'build') ?? service, 'secrets')],
  configs: (service) => sourcesOf(service, 'configs'),
  models: (service) => namesOf(service, 'models'),
}

/** The tree without networks, volumes … that no service of it uses. */
export const dropUnused = (tree: MapNode): MapNode => {
  const services = get(tree, 'services')
  const all = services?.kind === 'map' ? [...services.entries.values()].map((entry) => entry.value) : []
  let result = tree
  for (const [section, uses] of Object.entries(USES)) {
    const resources = get(tree, section)
    if (resources?.kind !== 'map') continue
    const used = new Set(all.flatMap(uses))
    const [kept, left] = partition(resources, (name) => used.has(name))
    if (left.size > 0) result = withEntries(result, { [section]: kept.entries.size > 0 ? kept : undefined })
  }
  return result
}
