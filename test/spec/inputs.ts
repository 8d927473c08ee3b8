/** Inputs that every spec test starts from: a plain service, a plain image, one host of each cgroup kind. */
import type { Service } from '../../src/compose/project.ts'
import type { CgroupFacts, HostFacts } from '../../src/native/host-facts.ts'
import type { ImageConfig } from '../../src/oci/image-config.ts'
import type { Allocation } from '../../src/spec/allocation.ts'
import type { SpecInput } from '../../src/spec/runtime-spec.ts'

export const service = (change: Partial<Service> = {}): Service => ({
  name: 'web',
  others: [],
  image: 'app',
  command: undefined,
  entrypoint: undefined,
  environment: {},
  ports: [],
  expose: [],
  volumes: [],
  networks: [],
  networkMode: undefined,
  externalLinks: [],
  volumesFrom: [],
  ipc: undefined,
  pid: undefined,
  uts: undefined,
  cgroup: undefined,
  dependsOn: {},
  workingDir: undefined,
  user: undefined,
  hostname: undefined,
  domainname: undefined,
  init: undefined,
  tty: false,
  stdinOpen: false,
  stopSignal: undefined,
  stopGraceMs: undefined,
  capAdd: [],
  capDrop: [],
  privileged: false,
  readOnly: false,
  ulimits: {},
  memLimitBytes: undefined,
  cpus: undefined,
  pidsLimit: undefined,
  shmSizeBytes: undefined,
  labels: {},
  containerName: undefined,
  extraHosts: {},
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  scale: 1,
  profiles: [],
  securityOpt: [],
  restart: undefined,
  healthcheck: undefined,
  attach: true,
  resources: {},
  devices: [],
  deviceCgroupRules: [],
  groupAdd: [],
  sysctls: {},
  annotations: {},
  files: [],
  logging: undefined,
  links: [],
  seccompProfile: undefined,
  macAddress: undefined,
  platform: undefined,
  pullPolicy: undefined,
  usernsMode: undefined,
  postStart: [],
  preStop: [],
  ...change,
})

export const image = (change: Partial<ImageConfig> = {}): ImageConfig => ({
  user: '',
  env: [],
  entrypoint: undefined,
  cmd: ['/bin/app'],
  workingDir: '',
  volumes: [],
  exposedPorts: [],
  healthcheck: undefined,
  stopSignal: undefined,
  labels: {},
  ...change,
})

export const V2: CgroupFacts = {
  mode: 'v2',
  v1: {},
  v2: '/sys/fs/cgroup',
  v2Controllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
  own: { '/sys/fs/cgroup': '/user.slice' },
  swap: true,
  ioWeight: 'cost',
}

const v1Mounts = {
  cpu: '/sys/fs/cgroup/cpu,cpuacct',
  cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
  cpuset: '/sys/fs/cgroup/cpuset',
  memory: '/sys/fs/cgroup/memory',
  devices: '/sys/fs/cgroup/devices',
  pids: '/sys/fs/cgroup/pids',
  freezer: '/sys/fs/cgroup/freezer',
  blkio: '/sys/fs/cgroup/blkio',
  'name=systemd': '/sys/fs/cgroup/systemd',
}

export const V1: CgroupFacts = {
  mode: 'v1',
  v1: v1Mounts,
  v2: undefined,
  v2Controllers: [],
  own: { ...Object.fromEntries(Object.values(v1Mounts).map((mount) => [mount, '/'])), '/sys/fs/cgroup/memory': '/job' },
  swap: true,
  ioWeight: 'bfq',
  realtime: true,
}

export const HYBRID: CgroupFacts = {
  ...V1,
  mode: 'hybrid',
  v2: '/sys/fs/cgroup/unified',
  own: { ...V1.own, '/sys/fs/cgroup/unified': '/' },
}

export const facts = (change: Partial<HostFacts> = {}): HostFacts => ({
  machine: 'x86_64',
  kernel: { release: '6.1.0', major: 6, minor: 1 },
  uid: 0,
  cpus: 2,
  onlineCpus: '0-1',
  memoryBytes: 4 * 1024 ** 3,
  cgroup: V2,
  lastCapability: 40,
  boundingCapabilities: (1n << 41n) - 1n,
  stateOnOverlay: false,
  ipv6: true,
  resolvConf: '',
  ...change,
})

export const allocation = (change: Partial<Allocation> = {}): Allocation => ({
  id: '0123456789ab',
  name: 'shop-web-1',
  project: 'shop',
  journalAttributes: { project: 'shop', service: 'web' },
  cgroupParent: 'caisson',
  paths: {
    journal: '/state/events',
    upper: '/state/containers/0123456789ab/upper',
    work: '/state/containers/0123456789ab/work/1',
    resolvConf: '/run/caisson/containers/0123456789ab/resolv.conf',
    hosts: '/run/caisson/containers/0123456789ab/hosts',
    hostname: '/run/caisson/containers/0123456789ab/hostname',
  },
  layers: ['/state/layers/b', '/state/layers/a'],
  joins: [],
  imageBinds: [],
  volumes: {},
  hostDevices: {},
  files: [],
  accounts: { passwd: 'root:x:0:0:root:/root:/bin/sh\n', group: 'root:x:0:\n' },
  network: {
    mode: 'none',
    endpoints: [],
    firewall: new Uint8Array(),
    hostFirewall: new Uint8Array(),
    conntrackAddress: new Uint8Array(),
    names: [],
    dns: { port: 0, networks: [], aliases: [], forward: false, upstreams: [], seccomp: new Uint8Array() },
    listeners: [],
  },
  ...change,
})

export interface Changes {
  readonly service?: Partial<Service>
  readonly image?: Partial<ImageConfig>
  readonly facts?: Partial<HostFacts>
  readonly allocation?: Partial<Allocation>
}

export const input = (changes: Changes = {}): SpecInput => ({
  service: service(changes.service),
  image: image(changes.image),
  facts: facts(changes.facts),
  allocation: allocation(changes.allocation),
})
