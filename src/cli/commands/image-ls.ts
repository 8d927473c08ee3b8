import { CaissonError } from '../../errors.ts'
import type { ImageSummary } from '../../index.ts'
import { defineCommand } from '../command.ts'
import { accepted, flag, list, text } from '../grammar.ts'
import { isReferenceLike, matchesImage, readImageFilters } from '../image-filters.ts'
import { goTime, humanDuration, humanSize } from '../render/human.ts'
import { shortId, splitReference } from '../render/image.ts'
import { formatListing } from '../render/template.ts'
import { openReader } from '../runtime.ts'

const NONE = '<none>'
const KEYS = ['dangling', 'reference', 'label', 'before', 'since', 'until'] as const

interface Shown {
  readonly repository: string
  readonly tag: string
  readonly digest: string
}

/** One row for each name; with `digests` for each digest that registries of that name have it by. */
const shownOf = ({ references, repoDigests }: ImageSummary, digests: boolean): readonly Shown[] => {
  if (references.length === 0) return [{ repository: NONE, tag: NONE, digest: NONE }]
  return references.flatMap((reference) => {
    const [repository, tag] = splitReference(reference)
    const known = digests ? repoDigests.filter((each) => each.startsWith(`${repository}@`)) : []
    return (known.length === 0 ? [`@${NONE}`] : known).map((each) => ({
      ...{ repository, tag, digest: each.slice(each.indexOf('@') + 1) },
    }))
  })
}

const viewOf = (image: ImageSummary, { repository, tag, digest }: Shown, now: number, whole: boolean) => ({
  ...{ Containers: 'N/A', CreatedAt: goTime(image.createdAt), Digest: digest },
  CreatedSince: image.createdAt === 0 ? '' : `${humanDuration(now - image.createdAt)} ago`,
  ...{ ID: whole ? image.id : shortId(image.id), Repository: repository, Tag: tag },
  ...{ SharedSize: humanSize(image.sharedBytes), Size: humanSize(image.sizeBytes) },
  UniqueSize: humanSize(image.sizeBytes - image.sharedBytes),
  VirtualSize: humanSize(image.sizeBytes),
})

/** By name, or by the beginning of an id. Throws ENOIMAGE. */
const createdOf =
  (images: readonly ImageSummary[]) =>
  (name: string): number => {
    const found = images.find(
      ({ id, references }) =>
        references.includes(name) ||
        references.includes(`${name}:latest`) ||
        (/^[0-9a-f]{4,}$/.test(name.replace('sha256:', '')) && id.startsWith(`sha256:${name.replace('sha256:', '')}`)),
    )
    if (found === undefined) throw new CaissonError('ENOIMAGE', `--filter: image ${name} is not on this machine`)
    return found.createdAt
  }

const columnsOf = (digests: boolean) => ({
  ...{ Repository: 'REPOSITORY', Tag: 'TAG', ...(digests ? { Digest: 'DIGEST' } : {}) },
  ...{ ID: 'IMAGE ID', CreatedSince: 'CREATED', Size: 'SIZE' },
})

const HEADERS = { CreatedAt: 'CREATED AT', SharedSize: 'SHARED SIZE', UniqueSize: 'UNIQUE SIZE', Digest: 'DIGEST' }

export const listImages = defineCommand({
  usage: '[NAME[:TAG]]',
  summary: 'List the images of this machine',
  details: 'SIZE is that of the unpacked layers; layers that images share are on disk once: see caisson system df.',
  arity: [0, 1],
  options: {
    all: accepted(flag('Intermediate images too, of which there are none', 'a')),
    digests: flag('Show the digests that registries have images by'),
    filter: list('KEY=VALUE', `Only what matches: ${KEYS.join(', ')}; may be repeated`, 'f'),
    format: text('FORMAT', 'table (default), json (one object per line), or a template such as "{{.Repository}}"'),
    noTrunc: flag('Do not cut ids'),
    quiet: flag('Show ids only', 'q'),
  },
  examples: ['caisson image ls --filter dangling=true', "caisson image ls --format '{{.ID}} {{.Size}}' 'shop/*'"],
  run: async (context, { values, positionals }) => {
    const now = Date.now()
    const filters = readImageFilters(values.filter, KEYS, now)
    const patterns = [...filters.reference, ...positionals]
    const images = await openReader(context).imageSummaries()
    const rows = images
      .filter((image) => matchesImage(image, { ...filters, reference: patterns }, createdOf(images)))
      .map((image) => ({ ...image, references: image.references.filter((each) => isReferenceLike(patterns, each)) }))
      .sort((a, b) => b.createdAt - a.createdAt)
      .flatMap((image) => shownOf(image, values.digests).map((shown) => viewOf(image, shown, now, values.noTrunc)))
    const format = values.quiet ? '{{.ID}}' : (values.format ?? 'table')
    context.stdout.write(formatListing({ format, rows, columns: columnsOf(values.digests), headers: HEADERS }))
    return 0
  },
})
