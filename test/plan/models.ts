/** Small projects and observations for the tests of plan: what is not said has its default. */
import type { Dependency, Network, Project, Service, Volume } from '../../src/compose/project.ts'
import { configHash, networkHash } from '../../src/plan/config-hash.ts'
import type { Observed, ObservedContainer, ObservedNetwork } from '../../src/plan/observed.ts'
import type { UpPlanOptions } from '../../src/plan/making.ts'

export const service = (name: string, values: Partial<Service> = {}): Service => ({
  ...{ name, others: [], image: 'caisson/host', command: undefined, entrypoint: undefined, environment: {}, ports: [] },
  ...{ expose: [], volumes: [], networks: [], networkMode: 'none', dependsOn: {}, workingDir: undefined },
  ...{ externalLinks: [], volumesFrom: [], ipc: undefined, pid: undefined, uts: undefined, cgroup: undefined },
  ...{ user: undefined, hostname: undefined, domainname: undefined, init: undefined, tty: false, stdinOpen: false },
  ...{ stopSignal: undefined, stopGraceMs: undefined, capAdd: [], capDrop: [], privileged: false, readOnly: false },
  ...{ ulimits: {}, memLimitBytes: undefined, cpus: undefined, pidsLimit: undefined, shmSizeBytes: undefined },
  ...{ labels: {}, containerName: undefined, extraHosts: {}, dns: [], dnsSearch: [], dnsOptions: [], scale: 1 },
  ...{ profiles: [], securityOpt: [], restart: undefined, healthcheck: undefined, attach: true },
  ...{ resources: {}, devices: [], deviceCgroupRules: [], groupAdd: [], sysctls: {}, annotations: {}, files: [] },
  ...{ logging: undefined, links: [], seccompProfile: undefined, macAddress: undefined, platform: undefined },
  ...{ pullPolicy: undefined, usernsMode: undefined, postStart: [], preStop: [] },
  ...values,
})

export const joined = (...keys: string[]): Partial<Service> => ({
  networkMode: undefined,
  networks: keys.map((key) => ({
    ...{ key, aliases: [], ipv4Address: undefined, macAddress: undefined, priority: 0, gwPriority: 0 },
    interfaceName: undefined,
  })),
})

export const mounted = (source: string | undefined): Partial<Service> => ({
  volumes: [{ type: 'volume', source, target: '/data', readOnly: false, path: [], nocopy: false, subpath: undefined }],
})

export const needs = (name: string, values: Partial<Dependency> = {}): Record<string, Dependency> => ({
  [name]: { condition: 'service_started', required: true, restart: false, ...values },
})

export const network = (key: string, values: Partial<Network> = {}): Network => ({
  ...{ key, name: `shop_${key}`, external: false, driver: undefined, internal: false, attachable: false, labels: {} },
  ...{ ipam: [], mtu: undefined, others: [] },
  ...values,
})

export const volume = (key: string, values: Partial<Volume> = {}): Volume => ({
  ...{ key, name: `shop_${key}`, external: false, driver: undefined, driverOptions: {}, labels: {}, others: [] },
  ...values,
})

export const project = (
  services: readonly Service[],
  resources: { networks?: readonly Network[]; volumes?: readonly Volume[]; disabled?: readonly Service[] } = {},
): Project => ({
  name: 'shop',
  workingDirectory: '/shop',
  composeFiles: ['/shop/compose.yaml'],
  services: Object.fromEntries(services.map((service) => [service.name, service])),
  disabledServices: Object.fromEntries((resources.disabled ?? []).map((service) => [service.name, service])),
  networks: Object.fromEntries((resources.networks ?? []).map((network) => [network.key, network])),
  volumes: Object.fromEntries((resources.volumes ?? []).map((volume) => [volume.key, volume])),
  fileOthers: [],
})

/** A running container just as `service` asks for. */
export const container = (of: Service, number = 1, values: Partial<ObservedContainer> = {}): ObservedContainer => ({
  ...{ id: `${of.name}${number}`, name: of.containerName ?? `shop-${of.name}-${number}`, service: of.name, number },
  ...{
    oneOff: false,
    configHash: configHash(of),
    imageId: 'host@1',
    imageMounts: {},
    state: 'running',
    exitCode: undefined,
  },
  ...{ health: 'none', stopped: false, createdAt: 1000, startedAt: 2000, definition: of },
  ...{ networks: of.networkMode === undefined ? of.networks.map(({ key }) => `shop_${key}`) : [] },
  volumes: of.volumes.flatMap((mount) => (mount.type === 'volume' ? [`shop_${mount.source ?? 'anonymous'}`] : [])),
  dependsOn: Object.keys(of.dependsOn),
  run: `run-${of.name}${number}`,
  joins: [],
  ...values,
})

export const made = (of: Network, values: Partial<ObservedNetwork> = {}): ObservedNetwork => ({
  ...{ id: `id-${of.key}`, name: of.name, key: of.key, configHash: networkHash(of), present: true, project: 'shop' },
  ...values,
})

export const observed = (values: Partial<Observed> = {}): Observed => ({
  containers: [],
  networks: [],
  volumes: [],
  elsewhere: [],
  ...values,
})

export const upOptions = (of: Project, values: Partial<UpPlanOptions> = {}): UpPlanOptions => ({
  ...{ services: [], noDeps: false, forceRecreate: false, noRecreate: false, alwaysRecreateDeps: false },
  ...{ renewAnonymousVolumes: false, removeOrphans: false, noStart: false, scale: {}, timeoutMs: undefined },
  ...{ imageHealthchecks: new Set<string>(), imageMounts: {}, wait: false, rerun: [], attached: false },
  images: Object.fromEntries(Object.keys(of.services).map((name) => [name, 'host@1'])),
  ...values,
})
