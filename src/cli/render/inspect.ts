/** A container in the fields of `docker inspect`, as far as they mean something here. Contents of secrets are in none of them. */
import type { ContainerDetails } from '../../index.ts'

const NEVER = '0001-01-01T00:00:00Z'

const stateOf = ({ row, status, health }: ContainerDetails) => {
  const { state, pid, exitCode, oomKilled } = row
  return {
    Status: state,
    Running: state === 'running' || state === 'paused' || state === 'restarting',
    Paused: state === 'paused',
    Restarting: state === 'restarting',
    OOMKilled: oomKilled,
    Dead: state === 'dead',
    ...{ Pid: pid, ExitCode: exitCode, Error: '' },
    StartedAt: status?.startedAt || NEVER,
    FinishedAt: status?.finishedAt || NEVER,
    ...(row.health === 'none' && health === undefined ? {} : { Health: healthOf({ row, health }) }),
  }
}

const healthOf = ({ row, health }: Pick<ContainerDetails, 'row' | 'health'>) => ({
  Status: row.health,
  FailingStreak: health?.failingStreak ?? 0,
  Log: (health?.log ?? []).map(({ start, end, exitCode, output }) => ({
    ...{ Start: start, End: end, ExitCode: exitCode, Output: output },
  })),
})

const MILLISECOND = 1_000_000

const testOf = ({ test }: NonNullable<ContainerDetails['record']['definition']['healthcheck']>): readonly string[] => {
  switch (test?.kind) {
    case undefined:
      return []
    case 'none':
      return ['NONE']
    case 'command':
      return ['CMD', ...test.args]
    case 'shell':
      return ['CMD-SHELL', test.line]
    case 'tcp':
      return ['TCP', String(test.port)]
    case 'http':
      return ['HTTP', `:${test.port}${test.path}`]
  }
}

/** Nanoseconds, as docker has them; 0: the default. */
const healthcheckOf = ({ definition: { healthcheck } }: ContainerDetails['record']) =>
  healthcheck === undefined
    ? {}
    : {
        Healthcheck: {
          Test: testOf(healthcheck),
          Interval: (healthcheck.intervalMs ?? 0) * MILLISECOND,
          Timeout: (healthcheck.timeoutMs ?? 0) * MILLISECOND,
          StartPeriod: (healthcheck.startPeriodMs ?? 0) * MILLISECOND,
          StartInterval: (healthcheck.startIntervalMs ?? 0) * MILLISECOND,
          Retries: healthcheck.retries ?? 0,
        },
      }

const configOf = ({ row, record, image, env }: ContainerDetails) => {
  const { definition } = record
  const named = definition.entrypoint !== undefined && definition.entrypoint.length > 0
  return {
    Hostname: definition.hostname ?? (row.hostNetwork ? '' : row.id),
    Domainname: definition.domainname ?? '',
    User: definition.user ?? image?.user ?? '',
    ExposedPorts: Object.fromEntries([...row.exposed, ...(image?.exposedPorts ?? [])].map((port) => [port, {}])),
    ...{ Tty: definition.tty, OpenStdin: definition.stdinOpen, Env: env },
    Cmd: definition.command ?? (named ? null : (image?.cmd ?? null)),
    ...healthcheckOf(record),
    Image: record.image,
    Volumes: Object.fromEntries(Object.keys(record.volumes).map((target) => [target, {}])),
    WorkingDir: definition.workingDir ?? image?.workingDir ?? '',
    Entrypoint: definition.entrypoint ?? image?.entrypoint ?? null,
    Labels: row.labels,
    StopSignal: definition.stopSignal ?? image?.stopSignal ?? 'SIGTERM',
    ...(definition.stopGraceMs === undefined ? {} : { StopTimeout: Math.ceil(definition.stopGraceMs / 1000) }),
  }
}

interface HostPort {
  readonly HostIp: string
  readonly HostPort: string
}

/** `80/tcp` to where it is published; null: nowhere. */
const boundPorts = ({ row }: ContainerDetails): Readonly<Record<string, HostPort[] | null>> => {
  const ports: Record<string, HostPort[] | null> = Object.fromEntries(row.exposed.map((port) => [port, null]))
  for (const { hostIp, hostPort, containerPort, protocol } of row.publishers) {
    const key = `${containerPort}/${protocol}`
    ports[key] = [...(ports[key] ?? []), { HostIp: hostIp, HostPort: String(hostPort) }]
  }
  return ports
}

const askedPorts = ({ record }: ContainerDetails): Readonly<Record<string, HostPort[]>> => {
  const ports: Record<string, HostPort[]> = {}
  for (const { target, protocol, published, hostIp } of record.definition.ports) {
    const range = published === undefined || published.first === published.last ? '' : `-${published.last}`
    const key = `${target}/${protocol}`
    const one = { HostIp: hostIp ?? '', HostPort: published === undefined ? '' : `${published.first}${range}` }
    ports[key] = [...(ports[key] ?? []), one]
  }
  return ports
}

type Definition = ContainerDetails['record']['definition']

const linkText = ({ service, alias }: Definition['links'][number]): string => `${service}:${alias}`

const limitsOf = (resources: Definition['resources']) => ({
  ...{
    CpuShares: resources.cpuShares ?? 0,
    CpuPeriod: resources.cpuPeriodUs ?? 0,
    CpuQuota: resources.cpuQuotaUs ?? 0,
  },
  CpusetCpus: resources.cpuset ?? '',
  ...{ MemoryReservation: resources.memReservationBytes ?? 0, MemorySwap: resources.memswapLimitBytes ?? 0 },
  ...{ MemorySwappiness: resources.memSwappiness ?? null, OomKillDisable: resources.oomKillDisable ?? false },
  ...{ OomScoreAdj: resources.oomScoreAdj ?? 0, BlkioWeight: resources.blkio?.weight ?? 0 },
})

const hostConfigOf = (details: ContainerDetails) => {
  const { definition, networks } = details.record
  const { restart, logging } = definition
  return {
    Binds: definition.volumes.flatMap(({ type, target, readOnly, ...mount }) =>
      type === 'bind' && 'source' in mount ? [`${mount.source}:${target}:${readOnly ? 'ro' : 'rw'}`] : [],
    ),
    NetworkMode: definition.networkMode ?? networks[0]?.name ?? 'none',
    PortBindings: askedPorts(details),
    RestartPolicy: { Name: restart?.policy ?? 'no', MaximumRetryCount: restart?.maximumRetries ?? 0 },
    ...{ AutoRemove: false, CapAdd: definition.capAdd, CapDrop: definition.capDrop },
    ...{ Dns: definition.dns, DnsOptions: definition.dnsOptions, DnsSearch: definition.dnsSearch },
    ExtraHosts: Object.entries(definition.extraHosts).flatMap(([host, all]) => all.map((one) => `${host}:${one}`)),
    ...{ Privileged: definition.privileged, PublishAllPorts: false, ReadonlyRootfs: definition.readOnly },
    SecurityOpt: definition.securityOpt,
    ShmSize: definition.shmSizeBytes ?? 64 << 20,
    Memory: definition.memLimitBytes ?? 0,
    NanoCpus: Math.round((definition.cpus ?? 0) * 1e9),
    PidsLimit: definition.pidsLimit ?? null,
    Ulimits: Object.entries(definition.ulimits).map(([Name, { soft, hard }]) => ({ Name, Hard: hard, Soft: soft })),
    Init: definition.init ?? false,
    ...limitsOf(definition.resources),
    ...{ GroupAdd: definition.groupAdd, Sysctls: definition.sysctls, Annotations: definition.annotations },
    ...{ DeviceCgroupRules: definition.deviceCgroupRules, Links: definition.links.map(linkText) },
    Devices: definition.devices.map(({ source, target, permissions }) => ({
      ...{ PathOnHost: source, PathInContainer: target, CgroupPermissions: permissions },
    })),
    LogConfig: { Type: logging?.driver ?? 'json-file', Config: logging?.options ?? {} },
  }
}

const networksOf = ({ record, run, networks }: ContainerDetails) =>
  Object.fromEntries(
    record.networks.map(({ id, name, aliases }) => {
      const own = run?.addresses.find((address) => address.network === id || address.name === name)
      return [
        name,
        {
          Aliases: aliases,
          ...{ MacAddress: own?.mac ?? '', NetworkID: id, EndpointID: '' },
          Gateway: own?.gateway ?? '',
          ...{ IPAddress: own?.address ?? '', IPPrefixLen: own?.prefixLength ?? 0, IPv6Gateway: '' },
          ...{ GlobalIPv6Address: '', GlobalIPv6PrefixLen: 0 },
          DNSNames: [...new Set([record.name, ...aliases, record.id])],
          Subnet: networks.find((network) => network.id === id)?.subnet ?? '',
        },
      ]
    }),
  )

/** Where secrets and configs are found; what is in them is nobody's to see here. */
const filesOf = ({ definition }: ContainerDetails['record']) =>
  definition.files.map(({ kind, key, target }) => ({
    ...{ Type: kind, Name: key, Source: '', Destination: target, Mode: '', RW: false, Propagation: '' },
  }))

const mountsOf = ({ record, volumes }: ContainerDetails) => [
  ...volumes.map(({ target, name, source }) => ({
    ...{ Type: 'volume', Name: name, Source: source, Destination: target, Driver: 'local', Mode: 'z' },
    RW: !record.definition.volumes.some((mount) => mount.target === target && mount.readOnly),
    Propagation: '',
  })),
  ...record.definition.volumes.flatMap((mount) =>
    mount.type === 'volume'
      ? []
      : [
          {
            ...{ Type: mount.type, Source: mount.type === 'bind' ? mount.source : '', Destination: mount.target },
            ...{ Mode: '', RW: !mount.readOnly },
            Propagation: mount.type === 'bind' ? (mount.propagation ?? 'rprivate') : '',
          },
        ],
  ),
  ...filesOf(record),
]

export const inspectView = (details: ContainerDetails) => {
  const { row, record } = details
  const [path = '', ...args] = record.command
  return {
    ...{ Id: row.id, Created: record.createdAt, Path: path, Args: args },
    State: stateOf(details),
    ...{ Image: record.imageId, LogPath: details.logDirectory, Name: `/${row.name}`, RestartCount: row.restarts },
    ...{ Driver: 'overlay', Platform: 'linux' },
    HostConfig: hostConfigOf(details),
    Mounts: mountsOf(details),
    Config: configOf(details),
    NetworkSettings: { Ports: boundPorts(details), Networks: networksOf(details) },
  }
}
