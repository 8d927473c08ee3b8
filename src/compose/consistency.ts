/** What no schema can say: references that lead nowhere, keys that exclude each other, cycles. One function for each rule. */
import type { TreePath } from '../errors.ts'
import { isAddress } from '../units/addresses.ts'
import type { Code } from './codes.ts'
import { PROJECT_RULES } from './consistency-project.ts'
import type { MapNode, Node, SequenceNode } from './node.ts'
import { get, textOf } from './node.ts'
import type { Report } from './report.ts'
import { profilesOf } from './select.ts'
import { didYouMean } from '../units/suggest.ts'

export interface Consistency {
  /** With the services that are on. */
  readonly tree: MapNode
  readonly disabled: MapNode
  readonly report: Report
}

interface ServiceContext extends Consistency {
  readonly name: string
  readonly service: MapNode
}

type Rule = (context: ServiceContext) => void

interface Complaint {
  readonly code: Code
  /** Below the service. */
  readonly path: TreePath
  readonly message: string
  readonly node: Node
  readonly hint?: string | undefined
}

const complain = ({ report, name }: ServiceContext, { code, path, message, node, hint }: Complaint): void =>
  report.add({
    code,
    path: ['services', name, ...path],
    message: `services.${name} ${message}`,
    hint,
    origin: node.origin,
  })

const keysOf = (node: Node | undefined): readonly string[] => (node?.kind === 'map' ? [...node.entries.keys()] : [])
const itemsOf = (node: Node | undefined): SequenceNode['items'] => (node?.kind === 'sequence' ? node.items : [])
const numberOf = (node: Node | undefined): number | undefined =>
  node?.kind === 'scalar' && typeof node.value === 'number' ? node.value : undefined

const needsImage: Rule = (context) => {
  const { service } = context
  if (get(service, 'image') || get(service, 'build') || get(service, 'provider')) return
  // A key that was reported may have been meant for it.
  if ([...service.entries.values()].some((entry) => entry.value.kind === 'poisoned')) return
  complain(context, {
    code: 'image-missing',
    path: [],
    message: 'has neither an image nor a build',
    node: service,
    hint: 'add image: NAME',
  })
}

const networkModeAlone: Rule = (context) => {
  const mode = get(context.service, 'network_mode')
  const networks = get(context.service, 'networks')
  if (!mode || keysOf(networks).length === 0) return
  complain(context, {
    code: 'conflict',
    path: ['network_mode'],
    message: 'has network_mode and networks',
    node: mode,
    hint: 'keep one of them',
  })
}

/** Whether `key` is declared in a section; else says so. */
const checkReference = (context: ServiceContext, section: string, key: string, path: TreePath, node: Node): void => {
  const declared = get(context.tree, section)
  if (get(declared, key) || key === '') return
  const kind = section.slice(0, -1)
  const hint = didYouMean(key, keysOf(declared)) ?? `declare it below ${section}:`
  complain(context, {
    code: 'reference-undefined',
    path,
    message: `uses the ${kind} "${key}", which is not declared`,
    node,
    hint,
  })
}

const networksExist: Rule = (context) => {
  const networks = get(context.service, 'networks')
  if (networks?.kind !== 'map') return
  for (const [key, entry] of networks.entries) {
    const node = { ...entry.value, origin: entry.key ?? entry.value.origin }
    checkReference(context, 'networks', key, ['networks', key], node)
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
      message: `uses the volume "${name}", which is not declared`,
      node: source,
      hint,
    })
  }
}

const filesExist =
  (key: 'secrets' | 'configs'): Rule =>
  (context) => {
    for (const [index, mount] of itemsOf(get(context.service, key)).entries()) {
      const source = get(mount, 'source')
      if (source) checkReference(context, key, textOf(source) ?? '', [key, index], source)
    }
  }

const buildSecretsExist: Rule = (context) => {
  for (const [index, mount] of itemsOf(get(get(context.service, 'build'), 'secrets')).entries()) {
    const source = get(mount, 'source')
    if (source) checkReference(context, 'secrets', textOf(source) ?? '', ['build', 'secrets', index], source)
  }
}

const modelsExist: Rule = (context) => {
  const models = get(context.service, 'models')
  if (models?.kind !== 'map') return
  for (const [key, entry] of models.entries) {
    const node = { ...entry.value, origin: entry.key ?? entry.value.origin }
    checkReference(context, 'models', key, ['models', key], node)
  }
}

const dependenciesExist: Rule = (context) => {
  const dependencies = get(context.service, 'depends_on')
  if (dependencies?.kind !== 'map') return
  for (const [name, entry] of dependencies.entries) {
    if (get(get(context.tree, 'services'), name)) continue
    const node = { ...entry.value, origin: entry.key ?? entry.value.origin }
    const off = get(context.disabled, name)
    const required = get(entry.value, 'required')
    const path = ['depends_on', name]
    if (!off) {
      const known = [...keysOf(get(context.tree, 'services')), ...keysOf(context.disabled)]
      complain(context, {
        code: 'reference-undefined',
        path,
        message: `depends on "${name}", which is not a service`,
        node,
        hint: didYouMean(name, known),
      })
    } else if (required?.kind !== 'scalar' || required.value !== false) {
      const profiles = profilesOf(off).join(', ')
      const hint = `turn it on with --profile ${profilesOf(off)[0] ?? ''}`
      complain(context, {
        code: 'service-disabled',
        path,
        message: `depends on ${name}, which is off (profiles: ${profiles})`,
        node,
        hint,
      })
    }
  }
}

const healthTestForm: Rule = (context) => {
  const test = get(get(context.service, 'healthcheck'), 'test')
  const first = itemsOf(test)[0]
  if (!first || ['CMD', 'CMD-SHELL', 'NONE'].includes(textOf(first) ?? '')) return
  complain(context, {
    code: 'value-not-allowed',
    path: ['healthcheck', 'test'],
    message: 'has a healthcheck.test that starts with neither CMD, CMD-SHELL nor NONE',
    node: first,
  })
}

const oneProbe: Rule = (context) => {
  const probe = get(context.service, 'x-caisson-probe')
  if (keysOf(probe).length === 1 || probe?.kind !== 'map') return
  complain(context, {
    code: 'conflict',
    path: ['x-caisson-probe'],
    message: 'has an x-caisson-probe that is not one of tcp and http',
    node: probe,
  })
}

const oneDockerfile: Rule = (context) => {
  const build = get(context.service, 'build')
  const inline = get(build, 'dockerfile_inline')
  if (!inline || !get(build, 'dockerfile')) return
  complain(context, {
    code: 'conflict',
    path: ['build', 'dockerfile_inline'],
    message: 'has build.dockerfile and build.dockerfile_inline',
    node: inline,
    hint: 'keep one of them',
  })
}

const buildPlatforms: Rule = (context) => {
  const platform = get(context.service, 'platform')
  const platforms = itemsOf(get(get(context.service, 'build'), 'platforms')).map((item) => textOf(item))
  if (!platform || platforms.length === 0 || platforms.includes(textOf(platform))) return
  complain(context, {
    code: 'conflict',
    path: ['platform'],
    message: `has the platform ${textOf(platform)}, which is not among build.platforms`,
    node: platform,
  })
}

/** Pairs of keys that say the same and must not disagree. */
const SAME: readonly (readonly [TreePath, TreePath])[] = [
  [['scale'], ['deploy', 'replicas']],
  [['cpus'], ['deploy', 'resources', 'limits', 'cpus']],
  [['mem_limit'], ['deploy', 'resources', 'limits', 'memory']],
  [['mem_reservation'], ['deploy', 'resources', 'reservations', 'memory']],
  [['pids_limit'], ['deploy', 'resources', 'limits', 'pids']],
]

const descend = (node: Node, path: TreePath): Node | undefined =>
  path.reduce<Node | undefined>((current, step) => get(current, String(step)), node)

const noDisagreement: Rule = (context) => {
  for (const [short, long] of SAME) {
    const [one, other] = [descend(context.service, short), descend(context.service, long)]
    // A limits map without the value means 0 to the reference, which it does not accept either.
    const limits = long.length > 2 && get(get(get(context.service, 'deploy'), 'resources'), String(long[2]))
    if (one?.kind !== 'scalar' || (!other && !limits)) continue
    if (other?.kind === 'scalar' && String(one.value) === String(other.value)) continue
    complain(context, {
      code: 'conflict',
      path: short,
      message: `has different values for ${short.join('.')} and ${long.join('.')}`,
      node: one,
      hint: 'keep one of them',
    })
  }
}

const scaleNotNegative: Rule = (context) => {
  for (const path of [['scale'], ['deploy', 'replicas']]) {
    const node = descend(context.service, path)
    const value = numberOf(node)
    if (node && value !== undefined && value < 0) {
      complain(context, {
        code: 'value-not-allowed',
        path,
        message: `has ${path.join('.')} ${value}, but it has to be at least 0`,
        node,
      })
    }
  }
}

const containerNameOnce: Rule = (context) => {
  const name = get(context.service, 'container_name')
  const scale = get(context.service, 'scale') ?? descend(context.service, ['deploy', 'replicas'])
  if (!name || (numberOf(scale) ?? 1) <= 1) return
  complain(context, {
    code: 'conflict',
    path: ['container_name'],
    message: 'has a container_name, but more than one container',
    node: name,
    hint: 'drop container_name: each container needs a name of its own',
  })
}

const watchTargets: Rule = (context) => {
  for (const [index, rule] of itemsOf(get(get(context.service, 'develop'), 'watch')).entries()) {
    const action = textOf(get(rule, 'action')) ?? ''
    if (get(rule, 'target') || action === 'rebuild' || action === 'restart') continue
    complain(context, {
      code: 'key-missing',
      path: ['develop', 'watch', index],
      message: `has a watch rule with ${action}, which needs a target`,
      node: rule,
    })
  }
}

const targetsOnce: Rule = (context) => {
  const taken = new Set<string>()
  const check = (path: TreePath, target: string | undefined, node: Node): void => {
    if (target === undefined) return
    if (taken.has(target))
      complain(context, { code: 'target-taken', path, message: `mounts two things at ${target}`, node })
    taken.add(target)
  }
  for (const [index, item] of itemsOf(get(context.service, 'tmpfs')).entries())
    check(['tmpfs', index], textOf(item)?.split(':')[0], item)
  for (const [index, item] of itemsOf(get(context.service, 'volumes')).entries())
    check(['volumes', index], textOf(get(item, 'target')), item)
}

const mountsComplete: Rule = (context) => {
  for (const [index, mount] of itemsOf(get(context.service, 'volumes')).entries()) {
    const type = textOf(get(mount, 'type')) ?? ''
    const missing = !get(mount, 'target') ? 'target' : type === 'bind' && !get(mount, 'source') ? 'source' : undefined
    if (missing === undefined || mount.kind === 'poisoned') continue
    complain(context, {
      code: 'key-missing',
      path: ['volumes', index],
      message: `has a ${type} mount without ${missing}`,
      node: mount,
    })
  }
}

const portsComplete: Rule = (context) => {
  for (const [index, port] of itemsOf(get(context.service, 'ports')).entries()) {
    const address = get(port, 'host_ip')
    if (port.kind === 'map' && !get(port, 'target')) {
      complain(context, {
        code: 'key-missing',
        path: ['ports', index],
        message: 'has a port without target',
        node: port,
      })
    }
    if (address && !isAddress(textOf(address) ?? '')) {
      complain(context, {
        code: 'address-invalid',
        path: ['ports', index, 'host_ip'],
        message: `publishes a port on "${textOf(address)}", which is not an IP address`,
        node: address,
      })
    }
  }
}

const deviceRequests: Rule = (context) => {
  const reserved = descend(context.service, ['deploy', 'resources', 'reservations', 'devices'])
  for (const request of [...itemsOf(get(context.service, 'gpus')), ...itemsOf(reserved)]) {
    if (!get(request, 'count') || !get(request, 'device_ids')) continue
    complain(context, {
      code: 'conflict',
      path: [],
      message: 'asks for devices by count and by device_ids',
      node: request,
      hint: 'keep one of them',
    })
  }
}

const SERVICE_RULES: readonly Rule[] = [
  needsImage,
  networkModeAlone,
  networksExist,
  volumesExist,
  filesExist('secrets'),
  filesExist('configs'),
  buildSecretsExist,
  modelsExist,
  dependenciesExist,
  healthTestForm,
  oneProbe,
  oneDockerfile,
  buildPlatforms,
  noDisagreement,
  scaleNotNegative,
  containerNameOnce,
  watchTargets,
  targetsOnce,
  mountsComplete,
  portsComplete,
  deviceRequests,
]

export const checkConsistency = (input: Consistency): void => {
  const services = get(input.tree, 'services')
  if (services?.kind === 'map') {
    for (const [name, { value }] of services.entries) {
      if (value.kind === 'map') for (const rule of SERVICE_RULES) rule({ ...input, name, service: value })
    }
  }
  for (const rule of PROJECT_RULES) rule(input)
}
