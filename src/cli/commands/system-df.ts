import type { DiskUsage } from '../../index.ts'
import { defineCommand } from '../command.ts'
import { flag, text } from '../grammar.ts'
import { viewOf } from '../render/container.ts'
import { humanDuration, humanSize } from '../render/human.ts'
import { shortId, splitReference } from '../render/image.ts'
import { formatTable } from '../render/table.ts'
import { formatListing } from '../render/template.ts'
import { openReader, requireRoot } from '../runtime.ts'
import { UsageError } from '../usage.ts'

const COLUMNS = { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' }

const sumOf = (rows: readonly { readonly sizeBytes: number }[]): number =>
  rows.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)

const line = (Type: string, total: number, active: number, size: number, reclaimable: number) => ({
  ...{ Type, TotalCount: String(total), Active: String(active), Size: humanSize(size) },
  Reclaimable: `${humanSize(reclaimable)}${size === 0 ? '' : ` (${Math.floor((reclaimable * 100) / size)}%)`}`,
})

const isStopped = ({ row }: DiskUsage['containers'][number]): boolean =>
  !['running', 'paused', 'restarting'].includes(row.state)

const summary = ({ images, store, containers, volumes }: DiskUsage) => {
  const stopped = containers.filter(isStopped)
  const unused = volumes.filter(({ links }) => links === 0)
  const own = images.filter(({ isBuiltIn }) => !isBuiltIn)
  return [
    line(
      'Images',
      own.length,
      own.filter((image) => image.containers > 0).length,
      store.unpackedBytes + store.storedBytes,
      store.reclaimableBytes,
    ),
    line('Containers', containers.length, containers.length - stopped.length, sumOf(containers), sumOf(stopped)),
    line('Local Volumes', volumes.length, volumes.length - unused.length, sumOf(volumes), sumOf(unused)),
    line('Build Cache', 0, 0, 0, 0),
  ]
}

const imageRows = ({ images }: DiskUsage, now: number): readonly string[][] =>
  images
    .filter(({ isBuiltIn }) => !isBuiltIn)
    .flatMap((image) =>
      (image.references.length === 0 ? [image.id] : image.references).map((reference) => [
        ...splitReference(reference),
        ...[shortId(image.id), `${humanDuration(now - image.createdAt)} ago`, humanSize(image.sizeBytes)],
        ...[humanSize(image.sharedBytes), humanSize(image.sizeBytes - image.sharedBytes), String(image.containers)],
      ]),
    )

const IMAGE_HEADERS = ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE', 'SHARED SIZE', 'UNIQUE SIZE', 'CONTAINERS']
const CONTAINER_HEADERS = ['CONTAINER ID', 'IMAGE', 'COMMAND', 'LOCAL VOLUMES', 'SIZE', 'CREATED', 'STATUS', 'NAMES']

const containerRows = ({ containers }: DiskUsage, now: number): readonly string[][] =>
  containers.map(({ row, sizeBytes }) => {
    const view = viewOf(row, now, false)
    const { ID, Image, Command, LocalVolumes, RunningFor, Status, Names } = view
    return [ID, Image, Command, LocalVolumes, humanSize(sizeBytes), RunningFor, Status, Names]
  })

const whole = (usage: DiskUsage, now: number): string => {
  const { unpackedBytes, storedBytes } = usage.store
  return [
    `Images space usage:\n\n${formatTable(IMAGE_HEADERS, imageRows(usage, now))}`,
    `Layers unpacked: ${humanSize(unpackedBytes)}; as they are stored, for push and save: ${humanSize(storedBytes)}\n`,
    `Containers space usage:\n\n${formatTable(CONTAINER_HEADERS, containerRows(usage, now))}`,
    `Local Volumes space usage:\n\n${formatTable(
      ['VOLUME NAME', 'LINKS', 'SIZE'],
      usage.volumes.map(({ name, links, sizeBytes }) => [name, String(links), humanSize(sizeBytes)]),
    )}`,
    'Build cache usage: 0B\n',
  ].join('\n')
}

export const systemDf = defineCommand({
  usage: '',
  summary: 'Show what images, containers and volumes take of the disk',
  details:
    'Images: layers unpacked and as they are stored, each once. Containers: what they have written. RECLAIMABLE is what no container needs.',
  arity: [0, 0],
  options: {
    format: text('FORMAT', 'table (default), json (one object per line), or a template such as "{{.Type}}: {{.Size}}"'),
    verbose: flag('Every image, container and volume', 'v'),
  },
  run: async (context, { values: { format, verbose } }) => {
    requireRoot()
    if (verbose && format !== undefined) throw new UsageError('--verbose and --format do not go together')
    const usage = await openReader(context).diskUsage()
    context.stdout.write(
      verbose
        ? whole(usage, Date.now())
        : formatListing({ format: format ?? 'table', rows: summary(usage), columns: COLUMNS }),
    )
    return 0
  },
})
