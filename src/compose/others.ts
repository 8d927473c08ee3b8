/** Which keys of the canonical form the typed model has a field for. The rest is handed on with its path, to be judged. */
import type { TreePath } from '../errors.ts'
import type { Node } from './node.ts'
import { isNull } from './node.ts'

/** true: the whole value is modelled. `*`: any key of a map, or any item of a list. */
export type Modelled = true | { readonly [key: string]: Modelled }

export const SERVICE_MODELLED: Modelled = {
  annotations: true,
  attach: true,
  blkio_config: true,
  cap_add: true,
  cap_drop: true,
  cgroup: true,
  cgroup_parent: true,
  command: true,
  configs: true,
  container_name: true,
  cpu_period: true,
  cpu_quota: true,
  cpu_rt_period: true,
  cpu_rt_runtime: true,
  cpu_shares: true,
  cpus: true,
  cpuset: true,
  depends_on: true,
  deploy: {
    replicas: true,
    resources: { limits: { cpus: true, memory: true, pids: true }, reservations: { cpus: true, memory: true } },
    restart_policy: true,
  },
  device_cgroup_rules: true,
  devices: true,
  dns: true,
  dns_opt: true,
  dns_search: true,
  domainname: true,
  entrypoint: true,
  environment: true,
  expose: true,
  external_links: true,
  extra_hosts: true,
  group_add: true,
  healthcheck: true,
  hostname: true,
  image: true,
  init: true,
  ipc: true,
  labels: true,
  links: true,
  logging: true,
  mac_address: true,
  mem_limit: true,
  mem_reservation: true,
  mem_swappiness: true,
  memswap_limit: true,
  network_mode: true,
  networks: {
    '*': {
      aliases: true,
      ipv4_address: true,
      mac_address: true,
      priority: true,
      gw_priority: true,
      interface_name: true,
    },
  },
  oom_kill_disable: true,
  oom_score_adj: true,
  pid: true,
  pids_limit: true,
  platform: true,
  // What a port is called, and how a Swarm publishes it, makes no difference on one machine.
  ports: true,
  post_start: true,
  pre_stop: true,
  privileged: true,
  profiles: true,
  pull_policy: true,
  read_only: true,
  restart: true,
  scale: true,
  secrets: true,
  security_opt: true,
  shm_size: true,
  stdin_open: true,
  stop_grace_period: true,
  stop_signal: true,
  sysctls: true,
  tmpfs: true,
  tty: true,
  ulimits: true,
  user: true,
  userns_mode: true,
  uts: true,
  volumes: {
    '*': {
      type: true,
      source: true,
      target: true,
      read_only: true,
      // Means something on other systems than Linux only.
      consistency: true,
      bind: { propagation: true, create_host_path: true, recursive: true },
      volume: { nocopy: true, subpath: true },
      image: { subpath: true },
      tmpfs: true,
    },
  },
  volumes_from: true,
  working_dir: true,
}

export const NETWORK_MODELLED: Modelled = {
  name: true,
  external: true,
  driver: true,
  driver_opts: { 'com.docker.network.driver.mtu': true },
  internal: true,
  attachable: true,
  labels: true,
  ipam: { driver: true, config: { '*': { subnet: true, gateway: true, ip_range: true, aux_addresses: true } } },
}

export const VOLUME_MODELLED: Modelled = { name: true, external: true, driver: true, driver_opts: true, labels: true }

/** Of secrets and configs. Nothing here is found by its labels. */
export const FILE_MODELLED: Modelled = {
  name: true,
  file: true,
  environment: true,
  content: true,
  external: true,
  labels: true,
}

export interface Other {
  readonly key: string
  readonly path: TreePath
}

/** Below a list its items stand under `*`; below a map a key has its own row, or that of `*`. */
const rowOf = (modelled: Modelled, key: string | number): Modelled | undefined => {
  if (modelled === true) return true
  return typeof key === 'number' ? modelled['*'] : (modelled[key] ?? modelled['*'])
}

const childrenOf = (node: Node): readonly (readonly [string | number, Node])[] => {
  if (node.kind === 'sequence') return [...node.items.entries()]
  if (node.kind !== 'map') return []
  return [...node.entries].filter(([key]) => !key.startsWith('x-')).map(([key, entry]) => [key, entry.value] as const)
}

const isEmpty = (node: Node): boolean => isNull(node) || (node.kind !== 'scalar' && childrenOf(node).length === 0)

/** `base`: path of `node`. Keys are dotted and leave out positions in lists. Extensions (`x-…`) mean nothing to anybody. */
export const othersOf = (node: Node, modelled: Modelled, base: TreePath): readonly Other[] => {
  const found: Other[] = []
  const visit = (value: Node, row: Modelled | undefined, path: TreePath): void => {
    if (row === true || isEmpty(value)) return
    if (row !== undefined && value.kind !== 'scalar') {
      for (const [key, child] of childrenOf(value)) visit(child, rowOf(row, key), [...path, key])
      return
    }
    const keys = path.slice(base.length).filter((step) => typeof step === 'string')
    found.push({ key: keys.join('.'), path })
  }
  visit(node, modelled, base)
  return found
}
