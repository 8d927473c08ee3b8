/** What no schema can say: keys that exclude each other, values that cannot be. One function for each rule. */
import type { TreePath } from '../errors.ts'
import { didYouMean } from '../units/suggest.ts'
import { PROJECT_RULES } from './consistency-project.ts'
import { REFERENCE_RULES } from './consistency-references.ts'
import {
  complain,
  type Consistency,
  isReported,
  itemsOf,
  keysOf,
  numberOf,
  type Rule,
  writtenValue,
} from './consistency-rule.ts'
import { VALUE_RULES } from './consistency-values.ts'
import type { Node } from './node.ts'
import { get, textOf } from './node.ts'
import { cleanPath } from './short-volume.ts'
import { shown } from './words.ts'

const needsImage: Rule = (context) => {
  const { service } = context
  if (get(service, 'image') || get(service, 'build') || get(service, 'provider')) return
  // A key that was reported may have been meant for it.
  if ([...service.entries.values()].some((entry) => entry.value.kind === 'poisoned')) return
  complain(context, {
    code: 'image-missing',
    path: [],
    message: 'has neither an image nor a build',
    node: context.key ? { origin: context.key } : service,
    hint: 'add image: NAME below it',
  })
}

const networkModeAlone: Rule = (context) => {
  const mode = get(context.service, 'network_mode')
  const networks = get(context.service, 'networks')
  if (!mode || keysOf(networks).length === 0) return
  complain(context, {
    code: 'conflict',
    path: ['network_mode'],
    message: `has network_mode ${shown(mode)} beside networks`,
    node: mode,
    hint: 'keep one of them: a network mode takes the place of all networks',
    other: networks,
  })
}

const healthTestForm: Rule = (context) => {
  const test = get(get(context.service, 'healthcheck'), 'test')
  const first = itemsOf(test)[0]
  if (!first || ['CMD', 'CMD-SHELL', 'NONE'].includes(textOf(first) ?? '')) return
  const words = itemsOf(test).map((item) => JSON.stringify(textOf(item) ?? ''))
  complain(context, {
    code: 'value-not-allowed',
    path: ['healthcheck', 'test'],
    message: `has a healthcheck.test that starts with ${shown(first)}, but has to start with CMD, CMD-SHELL or NONE`,
    node: first,
    hint: `write ["CMD", ${words.join(', ')}]`,
  })
}

const oneProbe: Rule = (context) => {
  const probe = get(context.service, 'x-caisson-probe')
  if (keysOf(probe).length === 1 || probe?.kind !== 'map') return
  complain(context, {
    code: 'conflict',
    path: ['x-caisson-probe'],
    message: `has an x-caisson-probe with ${keysOf(probe).length === 0 ? 'nothing in it' : 'both tcp and http'}`,
    node: probe,
    hint: 'write one of them, such as {tcp: 5432}',
  })
}

const oneDockerfile: Rule = (context) => {
  const build = get(context.service, 'build')
  const inline = get(build, 'dockerfile_inline')
  if (!inline || !get(build, 'dockerfile')) return
  complain(context, {
    code: 'conflict',
    path: ['build', 'dockerfile_inline'],
    message: 'has both build.dockerfile and build.dockerfile_inline',
    node: inline,
    hint: 'keep one of them',
    other: get(build, 'dockerfile'),
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
    hint: 'add it there, or take another one',
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

const descend = (node: Node, path: TreePath): Node | undefined => {
  let current: Node | undefined = node
  for (let index = 0; current !== undefined && index < path.length; index++) current = get(current, String(path[index]))
  return current
}

const noDisagreement: Rule = (context) => {
  for (const [short, long] of SAME) {
    const one = descend(context.service, short)
    if (one?.kind !== 'scalar') continue
    const other = descend(context.service, long)
    // A limits map without the value means 0 to the reference, which it does not accept either.
    const limits = long.length > 2 && get(get(get(context.service, 'deploy'), 'resources'), String(long[2]))
    if (!other && !limits) continue
    if (other?.kind === 'scalar' && String(one.value) === String(other.value)) continue
    complain(context, {
      code: 'conflict',
      path: short,
      message: `has ${short.join('.')} ${writtenValue(context, one)}, but ${long.join('.')} ${other ? writtenValue(context, other) : 'without a value'}`,
      node: one,
      hint: 'keep one of them: both say the same thing',
      other: other ?? (limits || undefined),
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
    message: `has the container_name ${shown(name)}, but ${numberOf(scale)} containers`,
    node: name,
    hint: 'delete container_name: each container needs a name of its own',
    other: scale,
  })
}

const watchTargets: Rule = (context) => {
  for (const [index, rule] of itemsOf(get(get(context.service, 'develop'), 'watch')).entries()) {
    const action = textOf(get(rule, 'action')) ?? ''
    if (get(rule, 'target') || ['', 'rebuild', 'restart'].includes(action)) continue
    complain(context, {
      code: 'key-missing',
      path: ['develop', 'watch', index],
      message: `has a watch rule with ${action}, which needs a target`,
      node: rule,
      hint: 'add target: and a path in the container',
    })
  }
}

const targetsOnce: Rule = (context) => {
  const taken = new Map<string, Node>()
  const check = (path: TreePath, written: string | undefined, node: Node): void => {
    if (written === undefined) return
    const target = cleanPath(written)
    const other = taken.get(target)
    if (other) {
      const hint = 'give one of them another target'
      complain(context, { code: 'target-taken', path, message: `mounts two things at ${target}`, node, hint, other })
    }
    taken.set(target, node)
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
    if (missing === undefined || isReported(mount)) continue
    complain(context, {
      code: 'key-missing',
      path: ['volumes', index],
      message: `has a ${type} mount without ${missing}`,
      hint: missing === 'target' ? 'add target: and a path in the container' : 'add source: and a path on this machine',
      node: mount,
    })
  }
}

const deviceRequests: Rule = (context) => {
  const reserved = descend(context.service, ['deploy', 'resources', 'reservations', 'devices'])
  for (const request of [...itemsOf(get(context.service, 'gpus')), ...itemsOf(reserved)]) {
    if (!get(request, 'count') || !get(request, 'device_ids')) continue
    complain(context, {
      code: 'conflict',
      path: [],
      message: 'asks for devices both by count and by device_ids',
      node: request,
      hint: 'keep one of them',
    })
  }
}

const RESTARTS = ['no', 'always', 'on-failure', 'unless-stopped']

/** The reference leaves it to the engine to refuse it. */
const restartPolicy: Rule = (context) => {
  const node = get(context.service, 'restart')
  const text = textOf(node)
  if (!node || text === undefined || /^(no|always|unless-stopped|on-failure(:\d+)?)$/.test(text)) return
  const [word = '', count] = text.split(/:(.*)/s)
  const isCount = word === 'on-failure' && count !== undefined
  complain(context, {
    code: 'value-not-allowed',
    path: ['restart'],
    message: isCount
      ? `has restart ${shown(node)}, but behind on-failure: stands how often, a whole number`
      : `has restart ${shown(node)}, but it has to be no, always, unless-stopped, on-failure or on-failure:NUMBER`,
    node,
    part: isCount ? count : undefined,
    hint: isCount ? 'write for example on-failure:3' : (didYouMean(word, RESTARTS) ?? forBoolean(text)),
  })
}

const forBoolean = (text: string): string | undefined =>
  text === 'true' ? 'write always' : text === 'false' ? 'write "no", in quotes' : undefined

const OWN_EXTENSIONS = ['x-caisson-probe']

/** Anybody may write `x-` keys of their own; these are ours. */
const ownExtensions: Rule = (context) => {
  for (const key of context.service.entries.keys()) {
    const entry = key.startsWith('x-caisson-') ? context.service.entries.get(key) : undefined
    if (entry === undefined || OWN_EXTENSIONS.includes(key)) continue
    context.report.add({
      code: 'extension-unknown',
      severity: 'warning',
      path: ['services', context.name, key],
      message: `services.${context.name} has "${key}", which has no effect`,
      hint: didYouMean(key, OWN_EXTENSIONS) ?? `Caisson knows ${OWN_EXTENSIONS.join(', ')}`,
      origin: entry.key ?? entry.value.origin,
    })
  }
}

const SERVICE_RULES: readonly Rule[] = [
  needsImage,
  networkModeAlone,
  ...REFERENCE_RULES,
  restartPolicy,
  ownExtensions,
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
  deviceRequests,
  ...VALUE_RULES,
]

export const checkConsistency = (input: Consistency): void => {
  const services = get(input.tree, 'services')
  if (services?.kind === 'map') {
    for (const [name, { key, value }] of services.entries) {
      if (value.kind !== 'map') continue
      const context = { ...input, name, key, service: value }
      SERVICE_RULES.forEach((rule) => {
        rule(context)
      })
    }
  }
  for (const rule of PROJECT_RULES) rule(input)
}
