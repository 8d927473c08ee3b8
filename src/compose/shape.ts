/**
 * The canonical form as data: which keys an object has, in the order in which `config` prints them, and what kind of value
 * each takes. Binding, printing and the list of what the model honours all walk this one table.
 */

import type { TreePath } from '../errors.ts'

/** A single value. `?`: also printed where it is false, 0 or empty, because absent means something else. */
export type ScalarKind =
  | 'text'
  | 'text?'
  | 'integer'
  | 'integer?'
  /** Not negative. */
  | 'natural'
  | 'natural?'
  /** A fraction, with the digits that a 32-bit float keeps. */
  | 'number'
  /** Microseconds, also written as a duration. */
  | 'microseconds'
  | 'boolean'
  | 'boolean?'
  /** Bytes as decimal text. */
  | 'size'
  /** `1m30s`. */
  | 'duration'
  | 'duration?'
  /** Permission bits as octal text, `0440`. */
  | 'mode'
  /** Permission bits as a number. */
  | 'bits'
  /** Number of devices; -1 is all. */
  | 'count'

/** A value of several forms that become one. */
export type CompoundKind =
  | 'texts'
  /** Split into words; null is absent. */
  | 'command'
  | 'test'
  /** Text by key; null becomes ''. */
  | 'labels'
  /** Text by key; null stays. */
  | 'variables'
  /** Sorted `host=address`. */
  | 'hosts'
  | 'limit'
  | 'env-file'
  | 'ssh'
  | 'options'
  /** As it stands. */
  | 'any'

export interface ObjectShape {
  readonly fields: Readonly<Record<string, Shape>>
  /** true: left out when nothing is in it (in JSON: printed as {} also when it was never written). */
  readonly optional?: true
}
export interface ListShape {
  readonly list: Shape
}
/** Keys are the user's. */
export interface KeyedShape {
  readonly each: Shape
}
export type Shape = ScalarKind | CompoundKind | ObjectShape | ListShape | KeyedShape

const fields = (shape: Readonly<Record<string, Shape>>): ObjectShape => ({ fields: shape })

const HOOK = {
  command: 'command',
  user: 'text',
  privileged: 'boolean',
  working_dir: 'text',
  environment: 'variables',
} as const
const DEVICES: Shape = {
  list: fields({ capabilities: 'texts', driver: 'text', count: 'count', device_ids: 'texts', options: 'labels' }),
}
const FILE_MOUNTS: Shape = { list: fields({ source: 'text', target: 'text', uid: 'text', gid: 'text', mode: 'mode' }) }
const UPDATE = fields({
  parallelism: 'natural?',
  delay: 'duration',
  failure_action: 'text',
  monitor: 'duration',
  max_failure_ratio: 'number',
  order: 'text',
})
const BLOCK_LIMITS: Shape = { list: fields({ path: 'text', rate: 'size' }) }
const FILE_OBJECT = fields({
  name: 'text',
  file: 'text',
  environment: 'text',
  content: 'text?',
  external: 'boolean',
  labels: 'labels',
  driver: 'text',
  driver_opts: 'options',
  template_driver: 'text',
})

const BUILD = fields({
  context: 'text',
  dockerfile: 'text',
  dockerfile_inline: 'text',
  entitlements: 'texts',
  args: 'variables',
  provenance: 'text',
  sbom: 'text',
  ssh: 'ssh',
  labels: 'labels',
  cache_from: 'texts',
  cache_to: 'texts',
  no_cache: 'boolean',
  no_cache_filter: 'texts',
  additional_contexts: 'labels',
  pull: 'boolean',
  extra_hosts: 'hosts',
  isolation: 'text',
  network: 'text',
  target: 'text',
  secrets: FILE_MOUNTS,
  shm_size: 'size',
  tags: 'texts',
  ulimits: { each: 'limit' },
  platforms: 'texts',
  privileged: 'boolean',
})

const DEPLOY = fields({
  mode: 'text',
  replicas: 'integer?',
  labels: 'labels',
  update_config: UPDATE,
  rollback_config: UPDATE,
  resources: {
    optional: true,
    fields: {
      limits: fields({ cpus: 'number', memory: 'size', pids: 'integer', devices: DEVICES }),
      reservations: fields({
        cpus: 'number',
        memory: 'size',
        pids: 'integer',
        devices: DEVICES,
        generic_resources: { list: fields({ discrete_resource_spec: fields({ kind: 'text', value: 'integer' }) }) },
      }),
    },
  },
  restart_policy: fields({ condition: 'text', delay: 'duration?', max_attempts: 'natural?', window: 'duration?' }),
  placement: {
    optional: true,
    fields: {
      constraints: 'texts',
      preferences: { list: fields({ spread: 'text' }) },
      max_replicas_per_node: 'natural',
    },
  },
  endpoint_mode: 'text',
})

const MOUNT = fields({
  type: 'text',
  source: 'text',
  target: 'text',
  read_only: 'boolean',
  consistency: 'text',
  bind: fields({ selinux: 'text', propagation: 'text', create_host_path: 'boolean?', recursive: 'text' }),
  volume: fields({ labels: 'labels', nocopy: 'boolean', subpath: 'text' }),
  tmpfs: fields({ size: 'size', mode: 'bits' }),
  image: fields({ subpath: 'text' }),
})

const PORT = fields({
  name: 'text',
  mode: 'text',
  host_ip: 'text?',
  target: 'natural?',
  published: 'text',
  protocol: 'text',
  app_protocol: 'text',
})

const SERVICE_NETWORK = fields({
  aliases: 'texts',
  driver_opts: 'options',
  gw_priority: 'integer',
  interface_name: 'text',
  ipv4_address: 'text',
  ipv6_address: 'text',
  link_local_ips: 'texts',
  mac_address: 'text',
  priority: 'integer',
})

export const SERVICE = fields({
  profiles: 'texts',
  annotations: 'labels',
  attach: 'boolean?',
  build: BUILD,
  develop: fields({
    watch: {
      list: fields({
        path: 'text',
        action: 'text',
        target: 'text',
        exec: { fields: HOOK, optional: true },
        include: 'texts',
        ignore: 'texts',
        initial_sync: 'boolean',
      }),
    },
  }),
  blkio_config: fields({
    weight: 'natural',
    weight_device: { list: fields({ path: 'text', weight: 'natural' }) },
    device_read_bps: BLOCK_LIMITS,
    device_read_iops: BLOCK_LIMITS,
    device_write_bps: BLOCK_LIMITS,
    device_write_iops: BLOCK_LIMITS,
  }),
  cap_add: 'texts',
  cap_drop: 'texts',
  cgroup_parent: 'text',
  cgroup: 'text',
  cpu_count: 'integer',
  cpu_percent: 'number',
  cpu_period: 'integer',
  cpu_quota: 'integer',
  cpu_rt_period: 'microseconds',
  cpu_rt_runtime: 'microseconds',
  cpus: 'number',
  cpuset: 'text',
  cpu_shares: 'integer',
  command: 'command',
  configs: FILE_MOUNTS,
  container_name: 'text',
  credential_spec: fields({ config: 'text', file: 'text', registry: 'text' }),
  depends_on: { each: fields({ condition: 'text', restart: 'boolean', required: 'boolean?' }) },
  deploy: DEPLOY,
  device_cgroup_rules: 'texts',
  devices: { list: fields({ source: 'text', target: 'text', permissions: 'text' }) },
  dns: 'texts',
  dns_opt: 'texts',
  dns_search: 'texts',
  domainname: 'text',
  entrypoint: 'command',
  provider: fields({ type: 'text', options: { each: 'texts' } }),
  environment: 'variables',
  env_file: 'env-file',
  expose: 'texts',
  external_links: 'texts',
  extra_hosts: 'hosts',
  group_add: 'texts',
  gpus: DEVICES,
  hostname: 'text',
  healthcheck: fields({
    test: 'test',
    timeout: 'duration?',
    interval: 'duration?',
    retries: 'natural?',
    start_period: 'duration?',
    start_interval: 'duration?',
    disable: 'boolean',
  }),
  image: 'text',
  init: 'boolean?',
  ipc: 'text',
  isolation: 'text',
  labels: 'labels',
  label_file: 'texts',
  links: 'texts',
  logging: fields({ driver: 'text', options: 'options' }),
  mem_limit: 'size',
  mem_reservation: 'size',
  memswap_limit: 'size',
  mem_swappiness: 'size',
  mac_address: 'text',
  models: { each: fields({ endpoint_var: 'text', model_var: 'text' }) },
  network_mode: 'text',
  networks: { each: SERVICE_NETWORK },
  oom_kill_disable: 'boolean',
  oom_score_adj: 'integer',
  pid: 'text',
  pids_limit: 'integer',
  platform: 'text',
  ports: { list: PORT },
  privileged: 'boolean',
  pull_policy: 'text',
  pull_refresh_after: 'text',
  read_only: 'boolean',
  restart: 'text',
  runtime: 'text',
  scale: 'integer?',
  secrets: FILE_MOUNTS,
  security_opt: 'texts',
  shm_size: 'size',
  stdin_open: 'boolean',
  stop_grace_period: 'duration?',
  stop_signal: 'text',
  storage_opt: 'options',
  sysctls: 'labels',
  tmpfs: 'texts',
  tty: 'boolean',
  ulimits: { each: 'limit' },
  use_api_socket: 'boolean',
  user: 'text',
  userns_mode: 'text',
  uts: 'text',
  volumes: { list: MOUNT },
  volumes_from: 'texts',
  working_dir: 'text',
  pre_start: { list: fields({ ...HOOK, image: 'text', per_replica: 'boolean' }) },
  post_start: { list: fields(HOOK) },
  pre_stop: { list: fields(HOOK) },
})

export const NETWORK = fields({
  name: 'text',
  driver: 'text',
  driver_opts: 'options',
  ipam: {
    optional: true,
    fields: {
      driver: 'text',
      config: { list: fields({ subnet: 'text', gateway: 'text', ip_range: 'text', aux_addresses: 'labels' }) },
      options: 'options',
    },
  },
  external: 'boolean',
  internal: 'boolean',
  attachable: 'boolean',
  labels: 'labels',
  enable_ipv4: 'boolean?',
  enable_ipv6: 'boolean?',
})

export const VOLUME = fields({
  name: 'text',
  driver: 'text',
  driver_opts: 'options',
  external: 'boolean',
  labels: 'labels',
})

export const PROJECT = fields({
  name: 'text',
  services: { each: SERVICE },
  networks: { each: NETWORK },
  volumes: { each: VOLUME },
  secrets: { each: FILE_OBJECT },
  configs: { each: FILE_OBJECT },
  models: { each: fields({ name: 'text', model: 'text', context_size: 'integer', runtime_flags: 'texts' }) },
})

const orders = new WeakMap<ObjectShape, readonly string[]>()

const orderOf = (shape: ObjectShape): readonly string[] => {
  const known = orders.get(shape) ?? Object.keys(shape.fields)
  orders.set(shape, known)
  return known
}

/** Keys in the order of the shape; those that it does not know stand last, in the order that they have. */
export const inShapeOrder = (
  keys: ReadonlySet<string> | ReadonlyMap<string, unknown>,
  shape: ObjectShape,
): string[] => {
  // Sorting the keys by their places in the shape takes ten times as long.
  const ordered = orderOf(shape).filter((name) => keys.has(name))
  if (ordered.length < keys.size)
    for (const name of keys.keys()) if (!Object.hasOwn(shape.fields, name)) ordered.push(name)
  return ordered
}

/** The kind of single or compound value that a path of the canonical form takes; undefined: none. */
export const kindAt = (path: TreePath): ScalarKind | CompoundKind | undefined => {
  const found = path.reduce<Shape | undefined>((shape, step) => {
    if (shape === undefined || typeof shape === 'string') return undefined
    if ('fields' in shape) return shape.fields[step]
    return 'list' in shape ? shape.list : shape.each
  }, PROJECT)
  return typeof found === 'string' ? found : undefined
}
