/**
 * What we make of each Compose key, in one table. honoured: it does what the specification says. meaningless: it has no
 * effect on one Linux machine, one warning says so. later: an error with its place, which `--lenient` makes a warning.
 * Only `up` and `create` ask; `config` never does.
 */
import type { Project, Service, ServiceMount } from '../compose/project.ts'
import type { Diagnostic, TreePath } from '../errors.ts'
import type { PlanFinding } from './codes.ts'

export type Support =
  | { readonly kind: 'honoured' }
  | { readonly kind: 'meaningless'; readonly why: string }
  | { readonly kind: 'later' }

const honoured: Support = { kind: 'honoured' }
const windows: Support = { kind: 'meaningless', why: 'it only means something on Windows' }
const cluster: Support = { kind: 'meaningless', why: 'it places services on the machines of a cluster' }
const later: Support = { kind: 'later' }

/** Keys of a service; nested ones with dots. A nested key without a row has its parent's. */
export const SERVICE_KEYS: Readonly<Record<string, Support>> = {
  annotations: honoured,
  attach: honoured,
  blkio_config: honoured,
  build: later,
  cap_add: honoured,
  cap_drop: honoured,
  cgroup: honoured,
  cgroup_parent: honoured,
  command: honoured,
  configs: honoured,
  container_name: honoured,
  cpu_count: windows,
  cpu_percent: windows,
  cpu_period: honoured,
  cpu_quota: honoured,
  cpu_rt_period: honoured,
  cpu_rt_runtime: honoured,
  cpu_shares: honoured,
  cpus: honoured,
  cpuset: honoured,
  credential_spec: windows,
  depends_on: honoured,
  deploy: later,
  'deploy.endpoint_mode': cluster,
  'deploy.labels': cluster,
  'deploy.mode': cluster,
  'deploy.placement': cluster,
  'deploy.replicas': honoured,
  'deploy.resources': later,
  'deploy.resources.limits': honoured,
  'deploy.resources.limits.devices': later,
  'deploy.resources.reservations': honoured,
  'deploy.resources.reservations.devices': later,
  'deploy.resources.reservations.generic_resources': cluster,
  'deploy.resources.reservations.pids': { kind: 'meaningless', why: 'nothing keeps processes free for anybody' },
  'deploy.restart_policy': honoured,
  'deploy.rollback_config': cluster,
  'deploy.update_config': cluster,
  develop: { kind: 'meaningless', why: 'it only counts for `watch`' },
  device_cgroup_rules: honoured,
  devices: honoured,
  dns: honoured,
  dns_opt: honoured,
  dns_search: honoured,
  domainname: honoured,
  entrypoint: honoured,
  env_file: honoured,
  environment: honoured,
  expose: honoured,
  extends: honoured,
  external_links: honoured,
  extra_hosts: honoured,
  gpus: later,
  group_add: honoured,
  healthcheck: honoured,
  hostname: honoured,
  image: honoured,
  init: honoured,
  ipc: honoured,
  isolation: windows,
  label_file: honoured,
  labels: honoured,
  links: honoured,
  logging: honoured,
  mac_address: honoured,
  mem_limit: honoured,
  mem_reservation: honoured,
  mem_swappiness: honoured,
  memswap_limit: honoured,
  models: later,
  network_mode: honoured,
  networks: honoured,
  'networks.*.driver_opts': later,
  'networks.*.ipv6_address': later,
  'networks.*.link_local_ips': later,
  oom_kill_disable: honoured,
  oom_score_adj: honoured,
  pid: honoured,
  pids_limit: honoured,
  platform: honoured,
  ports: honoured,
  post_start: honoured,
  pre_start: later,
  pre_stop: honoured,
  privileged: honoured,
  profiles: honoured,
  provider: later,
  pull_policy: honoured,
  pull_refresh_after: { kind: 'meaningless', why: 'pull_policy: every_<duration> says it' },
  read_only: honoured,
  restart: honoured,
  runtime: { kind: 'meaningless', why: 'there is one runtime' },
  scale: honoured,
  secrets: honoured,
  security_opt: honoured,
  shm_size: honoured,
  stdin_open: honoured,
  stop_grace_period: honoured,
  stop_signal: honoured,
  storage_opt: later,
  sysctls: honoured,
  tmpfs: honoured,
  tty: honoured,
  ulimits: honoured,
  use_api_socket: later,
  user: honoured,
  userns_mode: honoured,
  uts: honoured,
  volumes: honoured,
  'volumes.volume.labels': { kind: 'meaningless', why: 'no anonymous volume is found by its labels' },
  'volumes.bind.selinux': { kind: 'meaningless', why: 'files keep their SELinux labels' },
  'volumes.type': later,
  volumes_from: honoured,
  working_dir: honoured,
}

export const NETWORK_KEYS: Readonly<Record<string, Support>> = {
  attachable: { kind: 'meaningless', why: 'any container may join a network of this machine' },
  driver: honoured,
  driver_opts: later,
  enable_ipv4: later,
  enable_ipv6: later,
  external: honoured,
  internal: honoured,
  ipam: honoured,
  'ipam.driver': honoured,
  'ipam.options': later,
  labels: honoured,
  name: honoured,
}

/** Keys of secrets and configs. */
const FILE_KEYS: Readonly<Record<string, Support>> = {
  driver: later,
  driver_opts: later,
  template_driver: later,
}

export const VOLUME_KEYS: Readonly<Record<string, Support>> = {
  driver: honoured,
  driver_opts: later,
  external: honoured,
  labels: honoured,
  name: honoured,
}

/** The row of `key`, or of the nearest key above it. */
export const supportOf = (table: Readonly<Record<string, Support>>, key: string): Support => {
  const row = table[key]
  if (row !== undefined) return row
  const dot = key.lastIndexOf('.')
  return dot === -1 ? later : supportOf(table, key.slice(0, dot))
}

interface Other {
  readonly key: string
  readonly path: TreePath
}

const notYet = (path: TreePath, subject: string, what: string, hint?: string): PlanFinding => ({
  ...{ code: 'support/not-yet', severity: 'error', path, message: `${subject}: ${what} is not supported yet` },
  hint: hint ?? '`--lenient` goes on without it',
})

const meaningless = (path: TreePath, subject: string, why: string): PlanFinding => ({
  ...{ code: 'support/meaningless', severity: 'warning', path },
  message: `${subject} has no effect here: ${why}`,
})

const otherKeys = (section: string, name: string, table: Readonly<Record<string, Support>>, others: readonly Other[]) =>
  others.flatMap(({ path }) => {
    const key = path
      // Below `networks` a service has the names of networks.
      .flatMap((step, index) => (index < 2 ? [] : [index === 3 && path[2] === 'networks' ? '*' : step]))
      .filter((step) => typeof step === 'string')
      .join('.')
    const subject = `${section} ${name}`
    const support = supportOf(table, key)
    if (support.kind === 'honoured') return []
    return support.kind === 'later'
      ? [notYet(path, subject, key)]
      : [meaningless(path, `${subject}: ${key}`, support.why)]
  })

const fileKeys = (other: Other): readonly Diagnostic[] => {
  const [section = '', name = ''] = other.path.map(String)
  return otherKeys(section.slice(0, -1), name, FILE_KEYS, [other])
}

const mountValues = (subject: string, mount: ServiceMount): readonly Diagnostic[] => {
  if (mount.type === 'bind' && mount.readOnly && mount.recursive === 'writable')
    return [notYet(mount.path, subject, 'bind.recursive writable')]
  return []
}

/** Options of the log that change something, and drivers that are ours. */
const LOG_OPTIONS: ReadonlySet<string> = new Set(['max-size', 'max-file'])
const LOG_DRIVERS: ReadonlySet<string> = new Set(['json-file', 'local', 'none'])

/** Of one service: findings at places below it. */
interface Findings {
  readonly later: (rest: TreePath, what: string) => Diagnostic
  readonly meaningless: (rest: TreePath, what: string, why: string) => Diagnostic
}

const logValues = ({ logging }: Service, { later, meaningless }: Findings): readonly Diagnostic[] => {
  if (logging === undefined) return []
  const { driver = 'json-file', options } = logging
  if (!LOG_DRIVERS.has(driver)) return [later(['logging', 'driver'], `logging driver ${driver}`)]
  return Object.keys(options)
    .filter((option) => driver === 'none' || !LOG_OPTIONS.has(option))
    .map((option) => {
      const why =
        driver === 'none' ? 'nothing is logged' : 'the log has a format of its own, size and number of files count'
      return meaningless(['logging', 'options', option], `logging option ${option}`, why)
    })
}

/** What spec/security.ts does not judge: it knows which words there are. */
const securityValues = ({ securityOpt }: Service, { later, meaningless }: Findings): readonly Diagnostic[] =>
  securityOpt.flatMap((option, index) => {
    const [name = '', value = ''] = option.split(/[:=](.*)/s)
    const place = ['security_opt', index]
    if (name === 'apparmor' && value !== 'unconfined') return [later(place, `security_opt ${option}`)]
    if (name !== 'label' || value === 'disable') return []
    return [meaningless(place, option, 'files and processes keep their SELinux labels')]
  })

const pullValues = ({ pullPolicy }: Service, { later }: Findings): readonly Diagnostic[] =>
  pullPolicy === 'build' ? [later(['pull_policy'], 'pull_policy build')] : []

const CDI_NAME = /^[\w.-]+\/[\w.-]+=.+$/

const deviceValues = ({ devices }: Service, { later }: Findings): readonly Diagnostic[] =>
  devices.flatMap(({ source }, index) =>
    CDI_NAME.test(source) ? [later(['devices', index], `device ${source} (Container Device Interface)`)] : [],
  )

/** Values of honoured keys that are not there yet. */
const serviceValues = (service: Service): readonly Diagnostic[] => {
  const at = (...rest: TreePath): TreePath => ['services', service.name, ...rest]
  const subject = `service ${service.name}`
  const findings: Findings = {
    later: (rest, what) => notYet(at(...rest), subject, what),
    meaningless: (rest, what, why) => meaningless(at(...rest), `${subject}: ${what}`, why),
  }
  const { networkMode } = service
  const found: Diagnostic[] = []
  const isKnownMode = networkMode === undefined || ['none', 'host', 'bridge'].includes(networkMode)
  if (!isKnownMode && !/^(service|container):/.test(networkMode)) {
    found.push(findings.later(['network_mode'], `network_mode ${networkMode}`))
  }
  for (const { protocol, path } of service.ports) {
    if (protocol === 'sctp') found.push(notYet(path, subject, 'publishing SCTP'))
  }
  const more = [logValues, securityValues, pullValues, deviceValues].flatMap((values) => values(service, findings))
  return [...found, ...more, ...service.volumes.flatMap((mount) => mountValues(subject, mount))]
}

const resourceValues = (project: Project): readonly Diagnostic[] => {
  const networks = Object.values(project.networks).flatMap(({ key, driver, external }) =>
    external || driver === undefined || driver === 'bridge' || driver === 'default'
      ? []
      : [notYet(['networks', key, 'driver'], `network ${key}`, `driver ${driver}`)],
  )
  const volumes = Object.values(project.volumes).flatMap(({ key, driver, driverOptions, external }) => {
    if (external) return []
    if (driver !== undefined && driver !== 'local')
      return [notYet(['volumes', key, 'driver'], `volume ${key}`, `driver ${driver}`)]
    if (Object.keys(driverOptions).length === 0) return []
    return [notYet(['volumes', key, 'driver_opts'], `volume ${key}`, 'driver_opts')]
  })
  return [...networks, ...volumes]
}

const lenientOf = (diagnostic: Diagnostic): Diagnostic => {
  const { code, path, message } = diagnostic
  if (code !== 'support/not-yet') return diagnostic
  return { code, path, severity: 'warning', message: `${message}; it is left out` }
}

/** All that the project asks for and does not get: warnings, and errors unless `lenient`. */
export const unsupported = (project: Project, lenient: boolean): readonly Diagnostic[] => {
  const services = Object.values(project.services)
  const found = [
    ...services.flatMap((service) => otherKeys('service', service.name, SERVICE_KEYS, service.others)),
    ...services.flatMap(serviceValues),
    ...Object.values(project.networks).flatMap(({ key, others }) => otherKeys('network', key, NETWORK_KEYS, others)),
    ...Object.values(project.volumes).flatMap(({ key, others }) => otherKeys('volume', key, VOLUME_KEYS, others)),
    ...project.fileOthers.flatMap(fileKeys),
    ...resourceValues(project),
  ]
  return lenient ? found.map(lenientOf) : found
}
