import { resolve } from 'node:path'
import { defineCommand } from '../command.ts'
import { choice, flag } from '../grammar.ts'
import { humanDuration, humanSize } from '../render/human.ts'
import { shortId, splitReference } from '../render/image.ts'
import { formatTable } from '../render/table.ts'
import { openReader, requireRoot } from '../runtime.ts'

export const importImage = defineCommand({
  usage: 'TARBALL REFERENCE',
  summary: 'Make an image of a root filesystem tarball (plain or gzip; - reads stdin)',
  arity: [2, 2],
  options: {},
  examples: ['caisson image import rootfs.tar.gz shop/base:1'],
  run: async (context, { positionals: [tar = '', reference = ''] }) => {
    requireRoot()
    const image = await openReader(context).importImage(tar === '-' ? '-' : resolve(context.cwd, tar), reference)
    context.stdout.write(`${image.id}\n`)
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
  usage: 'REFERENCE…',
  summary: 'Remove images',
  arity: [1, Number.POSITIVE_INFINITY],
  options: {},
  run: async (context, { positionals }) => {
    requireRoot()
    const engine = openReader(context)
    for (const reference of positionals) {
      await engine.removeImage(reference)
      context.stdout.write(`Untagged: ${reference}\n`)
    }
    return 0
  },
})
