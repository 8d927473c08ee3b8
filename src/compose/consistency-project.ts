/** Rules about what lies between services, or beside them: resources, names, cycles. One function for each. */
import type { Consistency } from './consistency.ts'
import type { Node } from './node.ts'
import { get, textOf } from './node.ts'
import { dependenciesOf } from './select.ts'

const keysOf = (node: Node | undefined): readonly string[] => (node?.kind === 'map' ? [...node.entries.keys()] : [])

const fileObjects =
  (section: 'secrets' | 'configs', keys: readonly string[]) =>
  ({ tree, report }: Consistency): void => {
    const objects = get(tree, section)
    if (objects?.kind !== 'map') return
    for (const [name, { value }] of objects.entries) {
      if (value.kind !== 'map' || get(value, 'external') || get(value, 'driver')) continue
      const present = keys.filter((key) => get(value, key) && !(key === 'content' && get(value, 'environment')))
      if (present.length === 1) continue
      const message =
        present.length === 0
          ? `${section}.${name} says neither ${keys.join(' nor ')}`
          : `${section}.${name} says both ${present.join(' and ')}`
      report.add({
        code: present.length === 0 ? 'key-missing' : 'conflict',
        path: [section, name],
        message,
        origin: value.origin,
      })
    }
  }

const externalVolumes = ({ tree, report }: Consistency): void => {
  const volumes = get(tree, 'volumes')
  if (volumes?.kind !== 'map') return
  for (const [name, { value }] of volumes.entries) {
    if (value.kind !== 'map' || !get(value, 'external')) continue
    for (const [key, entry] of value.entries) {
      if (key === 'name' || key === 'external' || key.startsWith('x-')) continue
      const message = `volumes.${name} is external and cannot have ${key}`
      report.add({ code: 'conflict', path: ['volumes', name, key], message, origin: entry.key ?? entry.value.origin })
    }
  }
}

const containerNamesDiffer = ({ tree, report }: Consistency): void => {
  const services = get(tree, 'services')
  const owners = new Map<string, string>()
  if (services?.kind !== 'map') return
  for (const [name, { value }] of services.entries) {
    const node = get(value, 'container_name')
    const text = textOf(node)
    if (!node || text === undefined) continue
    const owner = owners.get(text)
    const message = `services.${name} and services.${owner} have the same container_name "${text}"`
    if (owner !== undefined)
      report.add({ code: 'name-taken', path: ['services', name, 'container_name'], message, origin: node.origin })
    owners.set(text, name)
  }
}

/** Depth first over the dependencies; each cycle is reported once, where it closes. */
const noCycles = ({ tree, report }: Consistency): void => {
  const services = get(tree, 'services')
  const done = new Set<string>()
  const visit = (name: string, trail: readonly string[]): void => {
    const service = get(services, name)
    if (!service || done.has(name)) return
    const start = trail.indexOf(name)
    if (start >= 0) {
      const cycle = [...trail.slice(start), name]
      const from = cycle.at(-2) ?? name
      const dependencies = get(get(services, from), 'depends_on')
      const entry = dependencies?.kind === 'map' ? dependencies.entries.get(name) : undefined
      const origin = entry?.key ?? entry?.value.origin
      report.add({
        code: 'cycle',
        path: ['services', from, 'depends_on', name],
        message: `Services depend on each other in a circle: ${cycle.join(' → ')}`,
        origin,
      })
      return
    }
    for (const dependency of dependenciesOf(service)) visit(dependency, [...trail, name])
    done.add(name)
  }
  for (const name of keysOf(services)) visit(name, [])
}

export const PROJECT_RULES: readonly ((input: Consistency) => void)[] = [
  fileObjects('secrets', ['file', 'environment']),
  fileObjects('configs', ['file', 'environment', 'content']),
  externalVolumes,
  containerNamesDiffer,
  noCycles,
]
