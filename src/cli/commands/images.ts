import type { ContainerRow, ImageRow } from '../../index.ts'
import { defineCommand } from '../command.ts'
import { choice, flag } from '../grammar.ts'
import { humanDuration, humanSize } from '../render/human.ts'
import { shortId, splitReference } from '../render/image.ts'
import { formatTable, WIDE } from '../render/table.ts'
import { openReader } from '../runtime.ts'
import { findTarget, requireServices } from '../target.ts'

interface UsedImage {
  readonly ID: string
  readonly ContainerName: string
  readonly Repository: string
  readonly Tag: string
  readonly Platform: string
  readonly Size: number
  /** RFC 3339; the year 1 where it is not known, as Go has it. */
  readonly LastTagTime: string
}

const PLATFORM = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`
const NEVER = '0001-01-01T00:00:00Z'

const usedBy = ({ name, image: reference }: ContainerRow, id: string, image: ImageRow | undefined): UsedImage => {
  const [repository, tag] = splitReference(reference)
  const createdAt = image?.createdAt ?? 0
  return {
    ...{ ID: id, ContainerName: name, Repository: repository, Tag: tag, Platform: PLATFORM },
    Size: image?.sizeBytes ?? 0,
    LastTagTime: createdAt === 0 ? NEVER : new Date(createdAt).toISOString(),
  }
}

const cells = (image: UsedImage, now: number): string[] => [
  ...[image.ContainerName, image.Repository, image.Tag, image.Platform, shortId(image.ID), humanSize(image.Size)],
  image.LastTagTime === NEVER ? '' : `${humanDuration(now - Date.parse(image.LastTagTime))} ago`,
]

const HEADERS = ['CONTAINER', 'REPOSITORY', 'TAG', 'PLATFORM', 'IMAGE ID', 'SIZE', 'CREATED']

export const images = defineCommand({
  usage: '[SERVICE…]',
  summary: 'List the images that the containers of a project were made from',
  options: {
    format: choice(['table', 'json'], 'table', 'Form of the output'),
    quiet: flag('Show ids only', 'q'),
  },
  run: async (context, { values, positionals: services }) => {
    const engine = openReader(context)
    const target = await findTarget(context, engine)
    const rows = await engine.ps(target.name)
    await requireServices(context, { target, rows, services })
    const chosen = rows.filter(({ service }) => services.length === 0 || services.includes(service))
    const known = new Map((await engine.images()).map((image) => [image.id, image]))
    const used = (await engine.details(chosen.map(({ id }) => id)))
      .map(({ row, record }) => usedBy(row, record.imageId, known.get(record.imageId)))
      .sort((a, b) => (a.ContainerName < b.ContainerName ? -1 : 1))
    const { stdout } = context
    if (values.quiet) stdout.write([...new Set(used.map(({ ID }) => `${ID.replace(/^sha256:/, '')}\n`))].join(''))
    else if (values.format === 'json') stdout.write(`${JSON.stringify(used)}\n`)
    else {
      const now = Date.now()
      stdout.write(
        formatTable(
          HEADERS,
          used.map((image) => cells(image, now)),
          WIDE,
        ),
      )
    }
    return 0
  },
})
