/** The only way out of the tree: bound canonical form → the typed, frozen model. */
import { parseBytes } from '../units/bytes.ts'
import { parseDuration } from '../units/duration.ts'
import { parsePortRange } from '../units/ports.ts'
import type { MapNode, Node } from './node.ts'
import { at, get, printScalar, textOf } from './node.ts'
import { createFiles } from './create-files.ts'
import { createHooks } from './create-hooks.ts'
import { createDevices, createLogging, createResources } from './create-resources.ts'
import { joinPath } from './paths.ts'
import { FILE_MODELLED, NETWORK_MODELLED, othersOf, SERVICE_MODELLED, VOLUME_MODELLED } from './others.ts'
import type {
  Dependency,
  Healthcheck,
  HealthTest,
  Network,
  Port,
  Project,
  RestartPolicy,
  Service,
  ServiceMount,
  ServiceNetwork,
  Volume,
} from './project.ts'
import { flag, items, number, record, size, text, textRecord, texts } from './tree-values.ts'

const command = (node: Node | undefined): readonly string[] | undefined =>
  node?.kind === 'sequence' ? texts(node) : undefined

const createPort = (node: Node, service: string, index: number): Port => ({
  target: number(node, 'target') ?? 0,
  published: parsePortRange(text(node, 'published') ?? ''),
  hostIp: text(node, 'host_ip'),
  protocol: (['udp', 'sctp'] as const).find((protocol) => protocol === text(node, 'protocol')?.toLowerCase()) ?? 'tcp',
  path: ['services', service, 'ports', index],
})

const createMount = (node: Node, service: string, index: number): ServiceMount | undefined => {
  const common = {
    target: text(node, 'target') ?? '',
    readOnly: flag(node, 'read_only') ?? false,
    path: ['services', service, 'volumes', index],
  }
  switch (text(node, 'type')) {
    case 'bind':
      return {
        ...common,
        type: 'bind',
        source: text(node, 'source') ?? '',
        createHostPath: flag(node, 'bind', 'create_host_path') ?? true,
        propagation: text(node, 'bind', 'propagation'),
        recursive: text(node, 'bind', 'recursive'),
      }
    case 'volume':
      return {
        ...common,
        type: 'volume',
        source: text(node, 'source'),
        nocopy: flag(node, 'volume', 'nocopy') ?? false,
        subpath: text(node, 'volume', 'subpath') || undefined,
      }
    case 'image':
      // Nobody can write to it, whatever read_only says.
      return {
        ...{ ...common, readOnly: true, type: 'image' },
        ...{ source: text(node, 'source') ?? '', subpath: text(node, 'image', 'subpath') || undefined },
      }
    case 'tmpfs':
      return {
        ...common,
        type: 'tmpfs',
        sizeBytes: size(node, 'tmpfs', 'size'),
        mode: number(node, 'tmpfs', 'mode'),
        options: [],
      }
    default:
      return undefined
  }
}

/** `PATH[:OPTIONS]` of `tmpfs`. */
const createTmpfs = (line: string, service: string, index: number): ServiceMount => {
  const [target = '', optionText = ''] = line.split(/:(.*)/s)
  const options = optionText.split(',').filter((option) => option !== '')
  const value = (name: string): string | undefined =>
    options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1)
  const mode = value('mode')
  return {
    type: 'tmpfs',
    target,
    readOnly: options.includes('ro'),
    sizeBytes: parseBytes(value('size') ?? ''),
    mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
    options: options.filter((option) => !/^(size|mode)=|^(ro|rw)$/.test(option)),
    path: ['services', service, 'tmpfs', index],
  }
}

const createNetworkJoin = (node: Node, key: string): ServiceNetwork => ({
  key,
  aliases: texts(node, 'aliases'),
  ipv4Address: text(node, 'ipv4_address'),
  macAddress: text(node, 'mac_address'),
  priority: number(node, 'priority') ?? 0,
  gwPriority: number(node, 'gw_priority') ?? 0,
  interfaceName: text(node, 'interface_name'),
})

const createDependency = (node: Node): Dependency => ({
  condition:
    (['service_healthy', 'service_completed_successfully'] as const).find(
      (condition) => condition === text(node, 'condition'),
    ) ?? 'service_started',
  required: flag(node, 'required') ?? true,
  restart: flag(node, 'restart') ?? false,
})

const createLimit = (node: Node): { readonly soft: number; readonly hard: number } => {
  const single = number(node)
  return { soft: single ?? number(node, 'soft') ?? 0, hard: single ?? number(node, 'hard') ?? 0 }
}

const createHosts = (node: Node): Readonly<Record<string, readonly string[]>> => {
  const hosts = new Map<string, string[]>()
  for (const line of texts(node, 'extra_hosts')) {
    const cut = line.indexOf('=')
    const host = line.slice(0, cut)
    hosts.set(host, [...(hosts.get(host) ?? []), line.slice(cut + 1)])
  }
  return Object.fromEntries(hosts)
}

const durationMs = (node: Node, key: string): number | undefined => {
  const nanoseconds = parseDuration(text(node, key) ?? '')
  return nanoseconds === undefined ? undefined : nanoseconds / 1e6
}

const mountsOf = (node: Node, name: string): readonly ServiceMount[] => [
  ...items(node, 'volumes').flatMap((mount, index) => createMount(mount, name, index) ?? []),
  ...texts(node, 'tmpfs').map((line, index) => createTmpfs(line, name, index)),
]

/** Mounts of types that the model has not got. */
const otherMounts = (node: Node, name: string): Service['others'] =>
  items(node, 'volumes').flatMap((mount, index) =>
    createMount(mount, name, index) === undefined
      ? [{ key: 'volumes.type', path: ['services', name, 'volumes', index, 'type'] }]
      : [],
  )

/** Alphabetical, so that neither plans nor container addresses depend on the order in a file. */
const networksOf = (node: Node): readonly ServiceNetwork[] =>
  Object.values(record(get(node, 'networks'), createNetworkJoin)).sort((one, other) => (one.key < other.key ? -1 : 1))

const createLinks = (node: Node): Service['links'] =>
  texts(node, 'links').map((link) => {
    const [service = '', alias] = link.split(':')
    return { service, alias: alias || service }
  })

/** What services share. */
type ServiceContext = Pick<ProjectInput, 'tree' | 'environment' | 'workingDirectory' | 'readFile'>

/** Text of the profile that the last `seccomp=` names, unless that is one of ours. */
const createSeccompProfile = (node: Node, { workingDirectory, readFile }: ServiceContext): string | undefined => {
  const option = texts(node, 'security_opt').findLast((text) => /^seccomp[=:]/.test(text))
  const profile = option?.slice('seccomp='.length)
  if (profile === undefined || profile === 'unconfined' || profile === 'builtin') return undefined
  return readFile(joinPath(workingDirectory, profile))
}

/** Keys of one container beside those of what runs in it. */
const createSurroundings = (node: Node, name: string, context: ServiceContext) => ({
  resources: createResources(node),
  devices: createDevices(node),
  deviceCgroupRules: texts(node, 'device_cgroup_rules'),
  groupAdd: texts(node, 'group_add'),
  sysctls: textRecord(get(node, 'sysctls')),
  annotations: textRecord(get(node, 'annotations')),
  files: createFiles(node, name, context),
  logging: createLogging(node),
  links: createLinks(node),
  seccompProfile: createSeccompProfile(node, context),
  macAddress: text(node, 'mac_address'),
  platform: text(node, 'platform'),
  pullPolicy: text(node, 'pull_policy'),
  usernsMode: text(node, 'userns_mode'),
  postStart: createHooks(node, 'post_start'),
  preStop: createHooks(node, 'pre_stop'),
})

/** `CONTAINER[:ALIAS]` */
const createExternalLink = (line: string): Service['externalLinks'][number] => {
  const [container = '', alias = container] = line.split(':')
  return { container, alias }
}

/** `SERVICE[:ro|rw]` or `container:NAME[:ro|rw]` */
const createVolumesFrom = (line: string, service: string, index: number): Service['volumesFrom'][number] => {
  const parts = line.split(':')
  const kind = parts[0] === 'container' && parts.length > 1 ? 'container' : 'service'
  const [name = '', mode] = kind === 'container' ? parts.slice(1) : parts
  const readOnly = mode === undefined ? undefined : mode === 'ro'
  return { kind, name, readOnly, path: ['services', service, 'volumes_from', index] }
}

const createService = (node: Node, name: string, context: ServiceContext): Service => ({
  name,
  ...createSurroundings(node, name, context),
  others: [...othersOf(node, SERVICE_MODELLED, ['services', name]), ...otherMounts(node, name)],
  image: text(node, 'image'),
  command: command(get(node, 'command')),
  entrypoint: command(get(node, 'entrypoint')),
  environment: record(get(node, 'environment'), (value) => textOf(value) ?? null),
  ports: items(node, 'ports').map((port, index) => createPort(port, name, index)),
  expose: texts(node, 'expose').map((port) => (port.includes('/') ? port : `${port}/tcp`)),
  volumes: mountsOf(node, name),
  networks: networksOf(node),
  networkMode: text(node, 'network_mode'),
  externalLinks: texts(node, 'external_links').map(createExternalLink),
  volumesFrom: texts(node, 'volumes_from').map((line, index) => createVolumesFrom(line, name, index)),
  ipc: text(node, 'ipc'),
  pid: text(node, 'pid'),
  uts: text(node, 'uts'),
  cgroup: text(node, 'cgroup'),
  cgroupParent: text(node, 'cgroup_parent'),
  dependsOn: record(get(node, 'depends_on'), createDependency),
  workingDir: text(node, 'working_dir'),
  user: text(node, 'user'),
  hostname: text(node, 'hostname'),
  domainname: text(node, 'domainname'),
  init: flag(node, 'init'),
  tty: flag(node, 'tty') ?? false,
  stdinOpen: flag(node, 'stdin_open') ?? false,
  stopSignal: text(node, 'stop_signal'),
  stopGraceMs: durationMs(node, 'stop_grace_period'),
  capAdd: texts(node, 'cap_add'),
  capDrop: texts(node, 'cap_drop'),
  privileged: flag(node, 'privileged') ?? false,
  readOnly: flag(node, 'read_only') ?? false,
  ulimits: record(get(node, 'ulimits'), createLimit),
  memLimitBytes: size(node, 'mem_limit') ?? size(node, 'deploy', 'resources', 'limits', 'memory'),
  cpus: number(node, 'cpus') ?? number(node, 'deploy', 'resources', 'limits', 'cpus'),
  pidsLimit: number(node, 'pids_limit') ?? number(node, 'deploy', 'resources', 'limits', 'pids'),
  shmSizeBytes: size(node, 'shm_size'),
  labels: textRecord(get(node, 'labels')),
  containerName: text(node, 'container_name'),
  extraHosts: createHosts(node),
  dns: texts(node, 'dns'),
  dnsSearch: texts(node, 'dns_search'),
  dnsOptions: texts(node, 'dns_opt'),
  scale: number(node, 'scale') ?? number(node, 'deploy', 'replicas') ?? 1,
  profiles: texts(node, 'profiles'),
  securityOpt: texts(node, 'security_opt'),
  restart: createRestart(node),
  healthcheck: createHealthcheck(node),
  attach: flag(node, 'attach') ?? true,
})

const RESTART_CONDITIONS: Readonly<Record<string, RestartPolicy['policy']>> = {
  any: 'always',
  'on-failure': 'on-failure',
}

/** An omitted condition means any, as the specification says (deploy.md); Compose 2.40 makes none of it. */
const createDeployRestart = (deploy: Node): RestartPolicy | undefined => {
  const policy = RESTART_CONDITIONS[text(deploy, 'condition') ?? 'any']
  if (policy === undefined) return undefined
  const maximumRetries = number(deploy, 'max_attempts') ?? 0
  return { policy, maximumRetries, delayMs: durationMs(deploy, 'delay'), windowMs: durationMs(deploy, 'window') }
}

const createRestart = (node: Node): RestartPolicy | undefined => {
  const deploy = at(node, ['deploy', 'restart_policy'])
  if (deploy?.kind === 'map') return createDeployRestart(deploy)
  const [word = 'no', retries] = (text(node, 'restart') ?? 'no').split(':')
  const policy = (['always', 'on-failure', 'unless-stopped'] as const).find((known) => known === word)
  if (policy === undefined) return undefined
  return { policy, maximumRetries: Number(retries ?? 0), delayMs: undefined, windowMs: undefined }
}

/** A number, or its text: a variable gives text. */
const wordOf = (node: Node | undefined): string =>
  node?.kind === 'scalar' && node.value !== null ? printScalar(node.value) : ''

/** `http: 8080`, `http: 8080/ready`, or `http: {port: 8080, path: /ready}`. */
const createHttpProbe = (node: Node): HealthTest => {
  const [, port = '0', path = ''] = /^:?(\d+)(\/.*)?$/.exec(wordOf(node)) ?? []
  if (node.kind !== 'map') return { kind: 'http', port: Number(port), path: path || '/' }
  return { kind: 'http', port: Number(wordOf(at(node, ['port']))), path: text(node, 'path') ?? '/' }
}

const createTest = (node: Node): HealthTest | undefined => {
  const tcp = at(node, ['x-caisson-probe', 'tcp'])
  const http = at(node, ['x-caisson-probe', 'http'])
  if (flag(node, 'healthcheck', 'disable')) return { kind: 'none' }
  if (tcp !== undefined) return { kind: 'tcp', port: Number(wordOf(tcp)) }
  if (http !== undefined) return createHttpProbe(http)
  const [kind, ...args] = texts(node, 'healthcheck', 'test')
  switch (kind) {
    case undefined:
      return undefined
    case 'NONE':
      return { kind: 'none' }
    case 'CMD-SHELL':
      return { kind: 'shell', line: args.join(' ') }
    default:
      return { kind: 'command', args }
  }
}

const createHealthcheck = (node: Node): Healthcheck | undefined => {
  const given = get(node, 'healthcheck')
  const test = createTest(node)
  if (given === undefined && test === undefined) return undefined
  const duration = (key: string) => (given === undefined ? undefined : durationMs(given, key))
  return {
    test,
    intervalMs: duration('interval'),
    timeoutMs: duration('timeout'),
    startPeriodMs: duration('start_period'),
    startIntervalMs: duration('start_interval'),
    retries: number(given, 'retries'),
  }
}

/** What a network is here anyway. */
const AS_USUAL: Readonly<Record<string, boolean>> = { enable_ipv4: true, enable_ipv6: false }

const isAsUsual = (node: Node, key: string): boolean => key in AS_USUAL && flag(node, key) === AS_USUAL[key]

const createNetwork = (node: Node, key: string): Network => {
  const mtu = Number(text(node, 'driver_opts', 'com.docker.network.driver.mtu') ?? 0)
  return {
    key,
    name: text(node, 'name') ?? key,
    external: flag(node, 'external') ?? false,
    driver: text(node, 'driver'),
    internal: flag(node, 'internal') ?? false,
    attachable: flag(node, 'attachable') ?? false,
    labels: textRecord(get(node, 'labels')),
    ipam: items(node, 'ipam', 'config').map((pool) => ({
      subnet: text(pool, 'subnet'),
      gateway: text(pool, 'gateway'),
      ipRange: text(pool, 'ip_range'),
      auxAddresses: textRecord(get(pool, 'aux_addresses')),
    })),
    mtu: mtu > 0 ? mtu : undefined,
    others: othersOf(node, NETWORK_MODELLED, ['networks', key]).filter((other) => !isAsUsual(node, other.key)),
  }
}

const createVolume = (node: Node, key: string): Volume => ({
  key,
  name: text(node, 'name') ?? key,
  external: flag(node, 'external') ?? false,
  driver: text(node, 'driver'),
  driverOptions: textRecord(get(node, 'driver_opts')),
  labels: textRecord(get(node, 'labels')),
  others: othersOf(node, VOLUME_MODELLED, ['volumes', key]),
})

const fileOthers = (files: Node | undefined, section: string): Project['fileOthers'] =>
  files?.kind === 'map'
    ? [...files.entries].flatMap(([key, { value }]) => othersOf(value, FILE_MODELLED, [section, key]))
    : []

const freeze = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) freeze(member)
  return Object.freeze(value)
}

export interface ProjectInput {
  readonly tree: MapNode
  readonly disabled: MapNode
  readonly workingDirectory: string
  readonly composeFiles: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** undefined: there is no such file. */
  readonly readFile: (path: string) => string | undefined
}

export const createProject = (input: ProjectInput): Project => {
  const { tree, disabled, workingDirectory, composeFiles } = input
  const service = (node: Node, name: string) => createService(node, name, input)
  return freeze({
    name: text(tree, 'name') ?? '',
    workingDirectory,
    composeFiles,
    services: record(get(tree, 'services'), service),
    disabledServices: record(disabled, service),
    networks: record(get(tree, 'networks'), createNetwork),
    volumes: record(get(tree, 'volumes'), createVolume),
    fileOthers: ['secrets', 'configs'].flatMap((section) => fileOthers(get(tree, section), section)),
  })
}
