import { resolve } from 'node:path'
import { defineCommand } from '../command.ts'
import { choice, flag, list, text } from '../grammar.ts'
import { humanDuration, humanSize } from '../render/human.ts'
import { isId, shortId, splitReference } from '../render/image.ts'
import { formatTable } from '../render/table.ts'
import { formatTemplate } from '../render/template.ts'
import type { Context } from '../context.ts'
import type { Engine } from '../../index.ts'
import { formatNotice } from '../render/progress.ts'
import { UsageError } from '../usage.ts'
import { openEngine, openReader, requireRoot } from '../runtime.ts'

/** Only what has to be said: warnings, and whom a change waits for. */
const openWriter = (context: Context): Engine =>
  openEngine(context, (event) => {
    const notice = formatNotice(context, event)
    if (notice !== undefined) context.stderr.write(notice)
  })

export const importImage = defineCommand({
  usage: 'TARBALL REFERENCE',
  summary: 'Make an image of a root filesystem tarball (plain or compressed; - reads stdin)',
  arity: [2, 2],
  options: {
    change: list('INSTRUCTION', `Dockerfile instruction to apply, such as 'CMD ["nginx"]'; may be repeated`, 'c'),
    message: text('TEXT', 'Comment to keep with the image', 'm'),
  },
  examples: [
    'caisson image import rootfs.tar.gz shop/base:1',
    `caisson image import -c 'CMD ["redis-server"]' -c 'USER redis' rootfs.tar shop/redis`,
  ],
  run: async (context, { values, positionals: [tar = '', reference = ''] }) => {
    requireRoot()
    const options = { changes: values.change, message: values.message ?? '' }
    const archive = tar === '-' ? '-' : resolve(context.cwd, tar)
    const image = await openWriter(context).importImage(archive, reference, options)
    context.stdout.write(`${image.id}\n`)
    return 0
  },
})

export const loadImages = defineCommand({
  usage: '',
  summary: 'Load images from a `docker save` or OCI archive',
  arity: [0, 0],
  options: {
    input: text('FILE', 'Archive to read instead of stdin; plain, gzip, zstd, xz or bzip2', 'i'),
    quiet: flag('Say nothing of what was loaded', 'q'),
    platform: text('PLATFORM', 'Image to take where the archive has it for several (linux/arm64)'),
    name: text('NAME', 'Name for images of which the archive only says a tag, or nothing'),
  },
  examples: ['caisson image load -i shop.tar.gz', 'docker save shop/web:1 | caisson image load'],
  run: async (context, { values: { input, quiet, platform, name } }) => {
    requireRoot()
    if (input === undefined && process.stdin.isTTY)
      throw new UsageError('image load reads an archive: -i FILE, or | into it')
    const archive = input === undefined || input === '-' ? '-' : resolve(context.cwd, input)
    const images = await openWriter(context).loadImages({ archive, platform, name })
    for (const { reference } of quiet ? [] : images)
      context.stdout.write(isId(reference) ? `Loaded image ID: ${reference}\n` : `Loaded image: ${reference}\n`)
    return 0
  },
})

export const inspectImages = defineCommand({
  usage: 'IMAGE…',
  summary: 'Show everything about images, in the fields of docker image inspect',
  arity: [1, Number.POSITIVE_INFINITY],
  options: { format: text('TEMPLATE', 'Template such as "{{.Id}}" or "{{json .Config}}"', 'f') },
  examples: ['caisson image inspect shop/web:1', "caisson image inspect -f '{{json .Config.Env}}' shop/web:1"],
  run: async (context, { values: { format }, positionals }) => {
    const images = await openReader(context).inspectImages(positionals)
    const isJson = format === undefined || format === 'json'
    const rows = images as unknown as readonly Record<string, unknown>[]
    context.stdout.write(isJson ? `${JSON.stringify(images, null, 4)}\n` : formatTemplate(format, rows, {}))
    return 0
  },
})

export const listImages = defineCommand({
  usage: '',
  summary: 'List the images of this machine',
  arity: [0, 0],
  options: {
    format: choice(['table', 'json'], 'table', 'Form of the output'),
    quiet: flag('Show ids only', 'q'),
  },
  run: async (context, { values }) => {
    const images = await openReader(context).images()
    const now = Date.now()
    const { stdout } = context
    if (values.quiet) stdout.write(images.map((image) => `${image.id}\n`).join(''))
    else if (values.format === 'json') stdout.write(images.map((image) => `${JSON.stringify(image)}\n`).join(''))
    else {
      const rows = images.map((image) => [
        ...splitReference(image.reference),
        shortId(image.id),
        image.createdAt === 0 ? '' : `${humanDuration(now - image.createdAt)} ago`,
        humanSize(image.sizeBytes),
      ])
      stdout.write(formatTable(['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'], rows))
    }
    return 0
  },
})

export const removeImages = defineCommand({
  usage: 'IMAGE…',
  summary: 'Remove images, by name or id',
  arity: [1, Number.POSITIVE_INFINITY],
  options: {},
  run: async (context, { positionals }) => {
    requireRoot()
    const engine = openWriter(context)
    for (const reference of positionals) {
      const removed = await engine.removeImage(reference)
      if (!isId(removed.reference)) context.stdout.write(`Untagged: ${removed.reference}\n`)
      if (removed.deleted !== undefined) context.stdout.write(`Deleted: ${removed.deleted}\n`)
    }
    return 0
  },
})
