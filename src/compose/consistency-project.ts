/** Rules about what lies between services, or beside them: resources, names, cycles. One function for each. */
import { type Consistency, isReported } from './consistency-rule.ts'
import type { Node } from './node.ts'
import { get, textOf } from './node.ts'
import { dependenciesOf } from './select.ts'
import { shown } from './words.ts'

const keysOf = (node: Node | undefined): readonly string[] => (node?.kind === 'map' ? [...node.entries.keys()] : [])

type Section = 'secrets' | 'configs'

/** What is missing, or too much; undefined: there is one source. */
const sourcesProblem = (name: string, keys: readonly string[], present: readonly string[]) => {
  if (present.length === 1) return undefined
  if (present.length > 1)
    return { code: 'conflict', message: `${name} has both ${present.join(' and ')}`, hint: 'keep one of them' } as const
  const hint = 'add one of them, or external: true'
  return { code: 'key-missing', message: `${name} has neither ${keys.join(' nor ')}`, hint } as const
}

const fileObjects =
  (section: Section, keys: readonly string[]) =>
  ({ tree, report }: Consistency): void => {
    const objects = get(tree, section)
    if (objects?.kind !== 'map') return
    for (const [name, { key: origin, value }] of objects.entries) {
      if (value.kind !== 'map' || get(value, 'external') || isReported(value)) continue
      const present = keys.filter((key) => get(value, key))
      const problem = sourcesProblem(`${section}.${name}`, keys, present)
      const place = present.length === 0 ? (origin ?? value.origin) : value.origin
      if (problem) report.add({ ...problem, path: [section, name], origin: place })
    }
  }

const externalVolumes = ({ tree, report }: Consistency): void => {
  const volumes = get(tree, 'volumes')
  if (volumes?.kind !== 'map') return
  for (const [name, { value }] of volumes.entries) {
    if (value.kind !== 'map' || !get(value, 'external')) continue
    for (const [key, entry] of value.entries) {
      if (key === 'name' || key === 'external' || key.startsWith('x-')) continue
      const message = `volumes.${name} is external, so that "${key}" has no effect`
      const hint = `delete "${key}", or external`
      const origin = entry.key ?? entry.value.origin
      report.add({ code: 'conflict', path: ['volumes', name, key], message, hint, origin })
    }
  }
}

const containerNamesDiffer = ({ tree, report }: Consistency): void => {
  const services = get(tree, 'services')
  const owners = new Map<string, { readonly service: string; readonly node: Node }>()
  if (services?.kind !== 'map') return
  for (const [name, { value }] of services.entries) {
    const node = get(value, 'container_name')
    const text = textOf(node)
    if (!node || text === undefined) continue
    const owner = owners.get(text)
    if (owner !== undefined)
      report.add({
        code: 'name-taken',
        path: ['services', name, 'container_name'],
        message: `services.${name} and services.${owner.service} have the same container_name ${shown(node)}`,
        hint: 'give one of them another name, or delete both: containers get names of their own',
        origin: node.origin,
        related: { message: 'the other one is at', origin: owner.node.origin },
      })
    owners.set(text, { service: name, node })
  }
}

const reportCycle = ({ tree, report }: Consistency, cycle: readonly string[]): void => {
  const [name = '', from = name] = [cycle.at(-1), cycle.at(-2)]
  const dependencies = get(get(get(tree, 'services'), from), 'depends_on')
  const entry = dependencies?.kind === 'map' ? dependencies.entries.get(name) : undefined
  report.add({
    code: 'cycle',
    path: ['services', from, 'depends_on', name],
    message:
      cycle.length === 2
        ? `services.${name} depends on itself`
        : `Services depend on each other in a circle: ${cycle.join(' → ')}`,
    hint: cycle.length === 2 ? 'delete it' : 'delete one of these dependencies',
    origin: entry?.key ?? entry?.value.origin,
  })
}

/** Depth first over the dependencies, without recursion: chains may be long. Each cycle is reported once, where it closes. */
const noCycles = (input: Consistency): void => {
  const services = get(input.tree, 'services')
  const done = new Set<string>()
  const open = new Set<string>()
  /** Names still to be seen; below those of a service stands its own, to be closed when they are through. */
  const pending = [...keysOf(services)].reverse()
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const service = get(services, name)
    if (!service || done.has(name)) continue
    if (open.delete(name)) {
      done.add(name)
      continue
    }
    open.add(name)
    pending.push(name)
    for (const dependency of [...dependenciesOf(service)].reverse()) {
      const names = open.has(dependency) ? [...open] : []
      if (names.length > 0) reportCycle(input, [...names.slice(names.indexOf(dependency)), dependency])
      else pending.push(dependency)
    }
  }
}

export const PROJECT_RULES: readonly ((input: Consistency) => void)[] = [
  fileObjects('secrets', ['file', 'environment']),
  fileObjects('configs', ['file', 'environment', 'content']),
  externalVolumes,
  containerNamesDiffer,
  noCycles,
]
