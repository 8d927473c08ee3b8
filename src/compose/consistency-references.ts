/** Names that have to lead somewhere: of services, networks, volumes, secrets, configs and models. */
import type { TreePath } from '../errors.ts'
import { didYouMean } from '../units/suggest.ts'
import { complain, isReported, itemsOf, keysOf, named, type Rule, type ServiceContext } from './consistency-rule.ts'
import type { Entry, Node } from './node.ts'
import { get, textOf } from './node.ts'
import { profilesOf } from './select.ts'
import { enumerate } from './words.ts'

/** Whether `key` is declared in a section; else says so. */
const checkReference = (context: ServiceContext, section: string, key: string, path: TreePath, node: Node): void => {
  const declared = get(context.tree, section)
  if (get(declared, key)) return
  const kind = section.slice(0, -1)
  const hint =
    key === '' ? `write the name of a ${kind}` : (didYouMean(key, keysOf(declared)) ?? `declare it below ${section}:`)
  complain(context, {
    code: 'reference-undefined',
    path,
    message: `uses the ${kind} ${named(key, node)}, which is not declared`,
    node,
    hint,
  })
}

/** Keys of a map that name what the section of the same name declares. */
const keysExist =
  (section: 'networks' | 'models'): Rule =>
  (context) => {
    const names = get(context.service, section)
    if (names?.kind !== 'map') return
    for (const [key, entry] of names.entries) {
      const node = { ...entry.value, origin: entry.key ?? entry.value.origin }
      checkReference(context, section, key, [section, key], node)
    }
  }

const volumesExist: Rule = (context) => {
  for (const [index, mount] of itemsOf(get(context.service, 'volumes')).entries()) {
    const source = get(mount, 'source')
    if (textOf(get(mount, 'type')) !== 'volume' || !source) continue
    const name = textOf(source) ?? ''
    if (get(get(context.tree, 'volumes'), name)) continue
    const hint =
      didYouMean(name, keysOf(get(context.tree, 'volumes'))) ??
      `declare it below volumes:, or write ./${name} for a directory`
    complain(context, {
      code: 'reference-undefined',
      path: ['volumes', index],
      message: `uses the volume ${named(name, source)}, which is not declared`,
      node: source,
      part: name,
      hint,
    })
  }
}

const checkFile = (context: ServiceContext, mount: Node, section: 'secrets' | 'configs', path: TreePath): void => {
  const source = get(mount, 'source')
  if (source) checkReference(context, section, textOf(source) ?? '', path, source)
  else if (mount.kind === 'map' && !isReported(mount)) {
    const kind = section.slice(0, -1)
    const hint = `add source: and the name of the ${kind}`
    complain(context, { code: 'key-missing', path, message: `mounts a ${kind} without source`, node: mount, hint })
  }
}

const filesExist =
  (key: 'secrets' | 'configs'): Rule =>
  (context) => {
    for (const [index, mount] of itemsOf(get(context.service, key)).entries()) {
      checkFile(context, mount, key, [key, index])
    }
  }

const buildSecretsExist: Rule = (context) => {
  for (const [index, mount] of itemsOf(get(get(context.service, 'build'), 'secrets')).entries()) {
    checkFile(context, mount, 'secrets', ['build', 'secrets', index])
  }
}

/** Keys that name a service, and the part of their value that does. */
const NAMING: readonly (readonly [string, (value: string) => string | undefined])[] = [
  ['links', (value) => value.split(':')[0]],
  ['volumes_from', (value) => value.split(':')[0]],
  ...['network_mode', 'ipc', 'pid', 'uts', 'cgroup'].map(
    (key) => [key, (value: string) => /^service:(.*)/.exec(value)?.[1]] as const,
  ),
]

/** The key that a dependency nobody wrote follows from. */
const causeOf = (
  { service }: ServiceContext,
  name: string,
): { readonly key: string; readonly node: Node } | undefined => {
  for (const [key, nameIn] of NAMING) {
    const value = get(service, key)
    const values = value?.kind === 'sequence' ? value.items : value ? [value] : []
    const node = values.find((each) => nameIn(textOf(each) ?? '') === name)
    if (node) return { key, node }
  }
  return undefined
}

interface Dependency {
  readonly name: string
  readonly entry: Entry
  /** `depends_on names "db"`. */
  readonly subject: string
  readonly node: Pick<Node, 'origin'>
}

const unknownService = (context: ServiceContext, { name, subject, node }: Dependency): void => {
  const known = [...keysOf(get(context.tree, 'services')), ...keysOf(context.disabled)]
  complain(context, {
    code: 'reference-undefined',
    path: ['depends_on', name],
    message: `${subject}, which is not a service`,
    node,
    part: name,
    hint: didYouMean(name, known) ?? `the services are ${enumerate(known.slice(0, 8), 'and')}`,
  })
}

const disabledService = (context: ServiceContext, { name, subject, node }: Dependency, off: Node): void => {
  const [profile = '', ...others] = profilesOf(off)
  const all = [profile, ...others].join(', ')
  complain(context, {
    code: 'service-disabled',
    path: ['depends_on', name],
    message: `${subject}, which is off: it has the ${others.length > 0 ? 'profiles' : 'profile'} ${all}`,
    node,
    part: name,
    hint: `turn it on with --profile ${profile}`,
  })
}

const dependenciesExist: Rule = (context) => {
  const dependencies = get(context.service, 'depends_on')
  if (dependencies?.kind !== 'map') return
  for (const [name, entry] of dependencies.entries) {
    if (get(get(context.tree, 'services'), name)) continue
    const cause = entry.key ? undefined : causeOf(context, name)
    const subject = cause ? `names "${name}" in ${cause.key}` : `depends on "${name}"`
    const dependency = { name, entry, subject, node: cause?.node ?? { origin: entry.key ?? entry.value.origin } }
    const off = get(context.disabled, name)
    const required = get(entry.value, 'required')
    if (!off) unknownService(context, dependency)
    else if (required?.kind !== 'scalar' || required.value !== false) disabledService(context, dependency, off)
  }
}

export const REFERENCE_RULES: readonly Rule[] = [
  keysExist('networks'),
  volumesExist,
  filesExist('secrets'),
  filesExist('configs'),
  buildSecretsExist,
  keysExist('models'),
  dependenciesExist,
]
