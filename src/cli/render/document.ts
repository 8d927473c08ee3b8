/** The documents of `--json`: one object with `schemaVersion`, in plain values. Shapes: schemas/ps.schema.json. */
import type { ContainerDetails } from '../../index.ts'

/** Grows with every change that a reader could notice; fields may be added without. */
export const SCHEMA_VERSION = 1

const time = (milliseconds: number): string | null => (milliseconds > 0 ? new Date(milliseconds).toISOString() : null)

const healthOf = ({ row, health }: ContainerDetails) =>
  row.health === 'none' && health === undefined
    ? null
    : {
        status: row.health,
        failingStreak: health?.failingStreak ?? 0,
        log: health?.log ?? [],
      }

export const containerDocument = (details: ContainerDetails) => {
  const { row, record, run } = details
  const { id, name, service, number, oneOff, image, command, state, restarts, pid, labels, mounts, oomKilled } = row
  const hasEnded = state === 'exited' || state === 'restarting'
  return {
    ...{ id, name, service, number, oneOff, image, imageId: record.imageId, command, state },
    health: healthOf(details),
    exitCode: hasEnded ? row.exitCode : null,
    signal: hasEnded && row.signal > 0 ? row.signal : null,
    ...{ oomKilled, restarts, pid: pid > 0 ? pid : null },
    ...{ createdAt: time(row.createdAt), startedAt: time(row.startedAt), finishedAt: time(row.finishedAt) },
    ports: row.publishers,
    exposed: row.exposed,
    networks: row.networks.map((network) => ({
      name: network,
      address: run?.addresses.find((address) => address.name === network)?.address ?? null,
    })),
    ...{ mounts, labels },
  }
}

export const psDocument = (project: string, containers: readonly ContainerDetails[]): string =>
  `${JSON.stringify({ schemaVersion: SCHEMA_VERSION, project, containers: containers.map(containerDocument) }, null, 2)}\n`
