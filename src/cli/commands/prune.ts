/** `image prune` and `system prune`, in docker's words. */
import type { ImageSummary, PrunedProjects } from '../../index.ts'
import { defineCommand } from '../command.ts'
import { confirm } from '../confirm.ts'
import type { Context } from '../context.ts'
import { flag, list } from '../grammar.ts'
import { type ImageFilters, matchesImage, readImageFilters } from '../image-filters.ts'
import { openWriter } from '../open-writer.ts'
import { humanSize } from '../render/human.ts'
import { requireRoot } from '../runtime.ts'

const KEYS = ['until', 'label', 'label!'] as const

const filterOption = list('KEY=VALUE', 'Only what matches: until, label, label!; may be repeated')

/** Whether the filters let a thing go that has no name of an image. */
const wantedBy = (filters: ImageFilters) => (thing: Pick<ImageSummary, 'labels' | 'createdAt'>) =>
  matchesImage({ ...thing, references: [] }, filters, () => 0)

const imagesBy = (filters: ImageFilters, all: boolean) => (image: ImageSummary) =>
  (all || image.references.length === 0) && wantedBy(filters)(image)

const mayGoOn = async (
  command: string,
  what: readonly string[],
  { force, dryRun }: { force: boolean; dryRun: boolean },
) => {
  if (force || dryRun) return true
  const question = `WARNING! This will remove:\n${what.map((line) => `  - ${line}\n`).join('')}\nAre you sure you want to continue? [y/N] `
  return confirm(command, question)
}

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `${title}:\n${lines.map((line) => `${line}\n`).join('')}\n`

const total = (bytes: number, dryRun: boolean): string =>
  `${dryRun ? 'Reclaimable' : 'Total reclaimed'} space: ${humanSize(bytes)}\n`

const imagesKind = (all: boolean): string =>
  all ? 'all images without at least one container' : 'images that have lost their name and have no container'

const pruneImagesOf = async (context: Context, isWanted: (image: ImageSummary) => boolean, dryRun: boolean) => {
  const { untagged, deleted, reclaimedBytes } = await openWriter(context).pruneImages(isWanted, dryRun)
  const lines = [...untagged.map((name) => `untagged: ${name}`), ...deleted.map((digest) => `deleted: ${digest}`)]
  return { lines, reclaimedBytes }
}

export const pruneImages = defineCommand({
  usage: '',
  summary: 'Remove images that have lost their name, or with -a all that no container stands on',
  arity: [0, 0],
  options: {
    all: flag('All images without a container', 'a'),
    filter: filterOption,
    force: flag('Do not ask', 'f'),
  },
  examples: ['caisson image prune -f', 'caisson image prune -a --filter until=240h'],
  run: async (context, { values }) => {
    requireRoot()
    const filters = readImageFilters(values.filter, KEYS, Date.now())
    if (!(await mayGoOn('image prune', [imagesKind(values.all)], values))) return 1
    const { lines, reclaimedBytes } = await pruneImagesOf(context, imagesBy(filters, values.all), values.dryRun)
    context.stdout.write(`${section('Deleted Images', lines)}${total(reclaimedBytes, values.dryRun)}`)
    return 0
  },
})

export const pruneSystem = defineCommand({
  usage: '',
  summary: 'Remove stopped containers, networks without containers, and images without name and container',
  arity: [0, 0],
  options: {
    all: flag('All images without a container', 'a'),
    filter: filterOption,
    force: flag('Do not ask', 'f'),
    volumes: flag('Anonymous volumes without containers too'),
  },
  run: async (context, { values }) => {
    requireRoot()
    const filters = readImageFilters(values.filter, KEYS, Date.now())
    const kinds = ['all stopped containers', 'all networks without at least one container', imagesKind(values.all)]
    const volumes = values.volumes ? ['all anonymous volumes without at least one container'] : []
    if (!(await mayGoOn('system prune', [...kinds, ...volumes], values))) return 1
    const wish = { volumes: values.volumes, isWanted: wantedBy(filters), dryRun: values.dryRun }
    const removed: PrunedProjects[] = []
    for await (const each of openWriter(context).pruneProjects(wish)) removed.push(each)
    const images = await pruneImagesOf(context, imagesBy(filters, values.all), values.dryRun)
    context.stdout.write(
      [
        section(
          'Deleted Containers',
          removed.flatMap(({ containers }) => containers.map(({ id }) => id)),
        ),
        section(
          'Deleted Networks',
          removed.flatMap(({ networks }) => networks),
        ),
        section(
          'Deleted Volumes',
          removed.flatMap((each) => each.volumes),
        ),
        section('Deleted Images', images.lines),
        total(
          removed.reduce((sum, each) => sum + each.reclaimedBytes, images.reclaimedBytes),
          values.dryRun,
        ),
      ].join(''),
    )
    return 0
  },
})
