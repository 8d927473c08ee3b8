/** A container in the words and fields of `docker compose ps`. */
import { isIPv6 } from '../../units/addresses.ts'
import type { ContainerRow, PublishedPort } from '../../index.ts'
import { goTime, humanDuration, truncate } from './human.ts'

const COMMAND_WIDTH = 20

export const hostAddress = (port: PublishedPort): string =>
  `${isIPv6(port.hostIp) ? `[${port.hostIp}]` : port.hostIp}:${port.hostPort}`

const formatPorts = (row: ContainerRow): string => {
  const published = row.publishers.map((port) => `${hostAddress(port)}->${port.containerPort}/${port.protocol}`)
  const taken = new Set(row.publishers.map((port) => `${port.containerPort}/${port.protocol}`))
  return [...published, ...row.exposed.filter((port) => !taken.has(port))].join(', ')
}

/** As Docker: `(health: starting)`, `(healthy)`. */
const healthSuffix = ({ health }: ContainerRow): string => {
  if (health === 'none') return ''
  return health === 'starting' ? ' (health: starting)' : ` (${health})`
}

export const formatStatus = (row: ContainerRow, now: number): string => {
  switch (row.state) {
    case 'created':
      return 'Created'
    case 'running':
      return `Up ${humanDuration(now - row.startedAt)}${healthSuffix(row)}`
    case 'paused':
      return `Up ${humanDuration(now - row.startedAt)} (Paused)`
    case 'restarting':
      return `Restarting (${row.exitCode}) ${humanDuration(now - row.finishedAt)} ago`
    case 'exited':
      return `Exited (${row.exitCode}) ${humanDuration(now - row.finishedAt)} ago`
    case 'dead':
      return 'Dead'
  }
}

const formatCommand = (row: ContainerRow, whole: boolean): string => {
  const command = row.command.map((word) => (word.includes(' ') ? `'${word}'` : word)).join(' ')
  return `"${whole ? command : truncate(command, COMMAND_WIDTH)}"`
}

export interface ContainerView {
  readonly Command: string
  readonly CreatedAt: string
  readonly ExitCode: number
  readonly Health: string
  readonly ID: string
  readonly Image: string
  readonly Labels: string
  readonly LocalVolumes: string
  readonly Mounts: string
  readonly Name: string
  readonly Names: string
  readonly Networks: string
  readonly Ports: string
  readonly Project: string
  readonly Publishers: readonly { URL: string; TargetPort: number; PublishedPort: number; Protocol: string }[]
  readonly RunningFor: string
  readonly Service: string
  readonly Size: string
  readonly State: string
  readonly Status: string
}

export const viewOf = (row: ContainerRow, now: number, whole: boolean): ContainerView => ({
  Command: formatCommand(row, whole),
  CreatedAt: goTime(row.createdAt),
  ExitCode: row.exitCode,
  Health: row.health === 'none' ? '' : row.health,
  ID: row.id,
  Image: row.image,
  Labels: Object.entries(row.labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(','),
  LocalVolumes: String(row.localVolumes),
  Mounts: row.mounts.map((mount) => (whole ? mount : truncate(mount, 15))).join(','),
  Name: row.name,
  Names: row.name,
  Networks: row.networks.join(','),
  Ports: formatPorts(row),
  Project: row.project,
  Publishers: row.publishers.map((port) => ({
    URL: port.hostIp,
    TargetPort: port.containerPort,
    PublishedPort: port.hostPort,
    Protocol: port.protocol,
  })),
  RunningFor: `${humanDuration(now - row.createdAt)} ago`,
  Service: row.service,
  Size: '0B',
  State: row.state,
  Status: formatStatus(row, now),
})

export const COLUMNS: Readonly<Record<string, string>> = {
  Name: 'NAME',
  Image: 'IMAGE',
  Command: 'COMMAND',
  Service: 'SERVICE',
  RunningFor: 'CREATED',
  Status: 'STATUS',
  Ports: 'PORTS',
}
