/** Rules about single values of a service that have a grammar, or name another service. One function for each. */
import { isAddress } from '../units/addresses.ts'
import { parsePortRange } from '../units/ports.ts'
import { didYouMean } from '../units/suggest.ts'
import { complain, isReported, itemsOf, keysOf, type Rule } from './consistency-rule.ts'
import { at, get, printScalar, textOf } from './node.ts'
import { shown } from './words.ts'

/** Port 0 of the host is any that is free. */
const isPort = (text: string, anyFree: boolean): boolean =>
  parsePortRange(text) !== undefined && (anyFree || text !== '0')

/** Only long forms can be wrong here: a short one was read already. */
const portsComplete: Rule = (context) => {
  for (const [index, port] of itemsOf(get(context.service, 'ports')).entries()) {
    const [target, published, address] = ['target', 'published', 'host_ip'].map((key) => get(port, key))
    if (port.kind === 'map' && !target && !isReported(port)) {
      const hint = 'add target: and the port of the container'
      const message = 'has a port without target'
      complain(context, { code: 'key-missing', path: ['ports', index], message, hint, node: port })
    }
    for (const [key, node] of Object.entries({ target, published })) {
      const text = node?.kind === 'scalar' && node.value !== null ? printScalar(node.value) : undefined
      if (!node || text === undefined || isPort(text, key === 'published')) continue
      const message = `has a port with ${key} ${shown(node)}, but ports are numbers from 1 to 65535`
      complain(context, { code: 'port-invalid', path: ['ports', index, key], message, node })
    }
    if (address && !isAddress(textOf(address) ?? '')) {
      const message = `publishes a port on ${shown(address)}, which is not an IP address`
      const hint = 'write an address of this machine in digits, such as 127.0.0.1'
      complain(context, { code: 'address-invalid', path: ['ports', index, 'host_ip'], message, node: address, hint })
    }
  }
}

const linksNameServices: Rule = (context) => {
  for (const [index, link] of itemsOf(get(context.service, 'links')).entries()) {
    const text = textOf(link) ?? ''
    const parts = text.split(':')
    if (parts[0] !== '' && parts.length <= 2) continue
    const message = `has the link "${text}", which is neither SERVICE nor SERVICE:ALIAS`
    const hint = 'write the name of a service, and behind a colon what it is called here'
    complain(context, { code: 'value-not-allowed', path: ['links', index], message, node: link, hint })
  }
}

const sourcesOfVolumesNamed: Rule = (context) => {
  for (const [index, source] of itemsOf(get(context.service, 'volumes_from')).entries()) {
    const text = textOf(source) ?? ''
    if (text.split(':')[0] !== '') continue
    const message = `takes volumes from "${text}", which names no service`
    const hint = 'write SERVICE, SERVICE:ro or container:NAME'
    complain(context, { code: 'value-not-allowed', path: ['volumes_from', index], message, node: source, hint })
  }
}

/** `service:X` as a further build context is the image of X, which has to be built. */
const contextsAreBuilt: Rule = (context) => {
  const contexts = at(context.service, ['build', 'additional_contexts'])
  if (contexts?.kind !== 'map') return
  const services = get(context.tree, 'services')
  for (const [key, { value }] of contexts.entries) {
    const name = /^service:(.*)$/.exec(textOf(value) ?? '')?.[1]
    if (name === undefined || get(get(services, name), 'build')) continue
    const exists = get(services, name) !== undefined
    complain(context, {
      code: exists ? 'conflict' : 'reference-undefined',
      path: ['build', 'additional_contexts', key],
      message: `builds with the image of "${name}", which ${exists ? 'has no build' : 'is not a service'}`,
      node: value,
      hint: exists ? `write docker-image:// and the image of ${name}` : didYouMean(name, keysOf(services)),
    })
  }
}

const variableFilesReadable: Rule = (context) => {
  for (const [index, file] of itemsOf(get(context.service, 'env_file')).entries()) {
    const format = get(file, 'format')
    if (!format || ['', 'raw'].includes(textOf(format) ?? '')) continue
    const message = `has an env_file of the format "${textOf(format)}", which nobody knows`
    const hint = 'write format: raw, or leave it out'
    complain(context, { code: 'value-not-allowed', path: ['env_file', index, 'format'], message, node: format, hint })
  }
}

const watchedPaths: Rule = (context) => {
  for (const [index, rule] of itemsOf(at(context.service, ['develop', 'watch'])).entries()) {
    if (rule.kind !== 'map' || get(rule, 'path')) continue
    const message = 'has a watch rule without path'
    complain(context, { code: 'key-missing', path: ['develop', 'watch', index], message, node: rule })
  }
}

export const VALUE_RULES: readonly Rule[] = [
  portsComplete,
  linksNameServices,
  sourcesOfVolumesNamed,
  contextsAreBuilt,
  variableFilesReadable,
  watchedPaths,
]
