/** What a file leaves unsaid: the default network, names, dependencies that follow from other keys, values of variables. */
import type { Node, MapNode } from './node.ts'
import {
  assumed,
  byVariable,
  get,
  isNull,
  map,
  mapItems,
  mapOf,
  mapValues,
  scalar,
  textOf,
  withEntries,
} from './node.ts'
import { normaliseName } from './project-name.ts'
import { cleanPath } from './short-volume.ts'

type Environment = Readonly<Record<string, string>>

export interface NormaliseContext {
  readonly projectName: string
  readonly environment: Environment
}

const NAMESPACES = ['network_mode', 'ipc', 'pid', 'uts', 'cgroup']

const lookup = (environment: Environment, name: string): string | undefined =>
  Object.hasOwn(environment, name) ? environment[name] : undefined

/** Keys without value → their value in the environment. `keep`: stay where they have none there. */
const resolveVariables = (node: Node | undefined, environment: Environment, keep: boolean): Node | undefined => {
  if (node?.kind === 'map') {
    const resolved = mapValues(node, (value, name) => {
      const found = isNull(value) ? lookup(environment, name) : undefined
      return found === undefined ? value : scalar(found, byVariable(value.origin, name))
    })
    return keep
      ? resolved
      : { ...resolved, entries: new Map([...resolved.entries].filter(([, entry]) => !isNull(entry.value))) }
  }
  if (node?.kind !== 'sequence') return node
  const resolved = mapItems(node, (item) => {
    const name = textOf(item)
    const found = name === undefined || name.includes('=') ? undefined : lookup(environment, name)
    return found === undefined ? item : scalar(`${name}=${found}`, byVariable(item.origin, name ?? ''))
  })
  return keep ? resolved : { ...resolved, items: resolved.items.filter((item) => textOf(item)?.includes('=') ?? true) }
}

interface Implied {
  readonly service: string
  readonly restart: boolean
  readonly cause: Node
}

const impliedDependencies = (service: Node): readonly Implied[] => {
  const implied: Implied[] = []
  const links = get(service, 'links')
  if (links?.kind === 'sequence') {
    for (const link of links.items)
      implied.push({ service: (textOf(link) ?? '').split(':')[0] ?? '', restart: true, cause: link })
  }
  for (const namespace of NAMESPACES) {
    const cause = get(service, namespace)
    const reference = textOf(cause)
    if (cause && reference?.startsWith('service:'))
      implied.push({ service: reference.slice('service:'.length), restart: true, cause })
  }
  const volumesFrom = get(service, 'volumes_from')
  if (volumesFrom?.kind === 'sequence') {
    for (const source of volumesFrom.items) {
      const reference = textOf(source) ?? ''
      if (!reference.startsWith('container:'))
        implied.push({ service: reference.split(':')[0] ?? '', restart: false, cause: source })
    }
  }
  return implied.filter((dependency) => dependency.service !== '')
}

const addDependencies = (service: MapNode): MapNode => {
  const implied = impliedDependencies(service)
  if (implied.length === 0) return service
  const declared = get(service, 'depends_on')
  let dependencies = declared?.kind === 'map' ? declared : mapOf({}, service.origin)
  for (const { service: name, restart, cause } of implied) {
    if (get(dependencies, name)) continue
    const { origin } = cause
    const fields = {
      condition: scalar('service_started', origin),
      restart: scalar(restart, origin),
      required: scalar(true, origin),
    }
    dependencies = withEntries(dependencies, { [name]: mapOf(fields, origin) })
  }
  return withEntries(service, { depends_on: dependencies })
}

const usesDefaultNetwork = (service: Node): boolean => {
  if (get(service, 'provider') || get(service, 'network_mode')) return false
  const networks = get(service, 'networks')
  return networks?.kind !== 'map' || networks.entries.size === 0
}

const normaliseBuild = (build: Node | undefined, environment: Environment): Node | undefined => {
  if (build?.kind !== 'map') return build
  const needsFile = !get(build, 'dockerfile') && !get(build, 'dockerfile_inline')
  const dockerfile = needsFile ? scalar('Dockerfile', assumed(build.origin)) : get(build, 'dockerfile')
  return withEntries(build, { dockerfile, args: resolveVariables(get(build, 'args'), environment, false) })
}

const cleanTargets = (volumes: Node | undefined): Node | undefined => {
  if (volumes?.kind !== 'sequence') return volumes
  return mapItems(volumes, (volume) => {
    const target = get(volume, 'target')
    const path = textOf(target)
    if (volume.kind !== 'map' || !target || path === undefined) return volume
    return cleanPath(path) === path ? volume : withEntries(volume, { target: scalar(cleanPath(path), target.origin) })
  })
}

/** `scale` says the same as `deploy.replicas`. */
const withReplicas = (deploy: Node | undefined, scale: Node | undefined): Node | undefined =>
  deploy?.kind === 'map' && scale && !isNull(scale) && !get(deploy, 'replicas')
    ? withEntries(deploy, { replicas: scale })
    : deploy

const normaliseService = (service: Node, { environment }: NormaliseContext): Node => {
  if (service.kind !== 'map') return service
  const policy = get(service, 'pull_policy')
  const complete = withEntries(service, {
    build: normaliseBuild(get(service, 'build'), environment),
    networks: usesDefaultNetwork(service)
      ? mapOf({ default: scalar(null, assumed(service.origin)) }, assumed(service.origin))
      : get(service, 'networks'),
    deploy: withReplicas(get(service, 'deploy'), get(service, 'scale')),
    pull_policy: policy && textOf(policy) === 'if_not_present' ? scalar('missing', policy.origin) : policy,
    volumes: cleanTargets(get(service, 'volumes')),
  })
  return addDependencies(complete)
}

/** A network nobody declared but somebody uses. */
const addDefaultNetwork = (tree: MapNode): MapNode => {
  const services = get(tree, 'services')
  const networks = get(tree, 'networks')
  if (services?.kind !== 'map' || get(networks, 'default')) return tree
  const users = [...services.entries.values()].filter(({ value }) => get(get(value, 'networks'), 'default'))
  if (users.length === 0) return tree
  const declared = networks?.kind === 'map' ? networks : mapOf({}, services.origin)
  return withEntries(tree, { networks: withEntries(declared, { default: scalar(null, assumed(services.origin)) }) })
}

const nameResource = (node: Node, key: string, projectName: string): Node => {
  const resource = isNull(node) ? map(new Map(), node.origin) : node
  if (resource.kind !== 'map' || get(resource, 'name')) return resource
  const external = get(resource, 'external')
  const isExternal = external?.kind === 'scalar' && String(external.value) === 'true'
  return withEntries(resource, { name: scalar(isExternal ? key : `${projectName}_${key}`, assumed(resource.origin)) })
}

/** Of a secret or config from a variable. */
const fileVariable = (file: Node, environment: Environment): Node => {
  const variable = get(file, 'environment')
  const value = lookup(environment, textOf(variable) ?? '')
  if (file.kind !== 'map' || variable?.kind !== 'scalar' || value === undefined) return file
  return withEntries(file, { environment: { ...variable, secretValue: value } })
}

const serviceVariables = (service: Node, environment: Environment): Node => {
  if (service.kind !== 'map') return service
  const build = get(service, 'build')
  const args = resolveVariables(get(build, 'args'), environment, true)
  return withEntries(service, {
    environment: resolveVariables(get(service, 'environment'), environment, true),
    build: build?.kind === 'map' ? withEntries(build, { args }) : build,
  })
}

const VARIABLES: Readonly<Record<string, (node: Node, environment: Environment) => Node>> = {
  services: serviceVariables,
  configs: fileVariable,
  secrets: fileVariable,
}

/** Of a file with an environment of its own: what takes a value from a variable, as long as that is known. */
export const resolveEnvironment = (tree: MapNode, environment: Environment): MapNode =>
  mapValues(tree, (section, name) => {
    const resolve = VARIABLES[name]
    return resolve && section.kind === 'map' ? mapValues(section, (node) => resolve(node, environment)) : section
  })

/** Variables of services without value → their value in the environment, where they have one there. */
export const resolveVariablesOfServices = (tree: MapNode, environment: Environment): MapNode =>
  mapValues(tree, (section, name) =>
    name === 'services' && section.kind === 'map'
      ? mapValues(section, (service) => {
          const variables = get(service, 'environment')
          const values = resolveVariables(variables, environment, true)
          return service.kind === 'map' && values !== variables
            ? withEntries(service, { environment: values })
            : service
        })
      : section,
  )

export const normalise = (tree: MapNode, context: NormaliseContext): MapNode => {
  const services = (node: Node): Node =>
    node.kind === 'map' ? mapValues(node, (service) => normaliseService(service, context)) : node
  const completed = addDefaultNetwork(mapValues(tree, (value, name) => (name === 'services' ? services(value) : value)))
  const named = mapValues(completed, (value, name) =>
    ['networks', 'volumes', 'configs', 'secrets'].includes(name) && value.kind === 'map'
      ? mapValues(value, (resource, key) => nameResource(resource, key, context.projectName))
      : value,
  )
  const written = get(tree, 'name')
  const isWritten = written !== undefined && normaliseName(textOf(written) ?? '') === context.projectName
  const origin = isWritten ? written.origin : assumed(tree.origin)
  return withEntries(named, { name: scalar(context.projectName, origin) })
}
