import { resolve } from 'node:path'
import { CaissonError } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import { accepted, flag, list, text } from '../grammar.ts'
import { reportError } from '../render/error.ts'
import { isId } from '../render/image.ts'
import { formatTemplate } from '../render/template.ts'
import { openWriter } from '../open-writer.ts'
import { refuseDryRun, UsageError } from '../usage.ts'
import { openReader, requireRoot } from '../runtime.ts'

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
    refuseDryRun('image import', values.dryRun)
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
  run: async (context, { values: { input, quiet, platform, name, dryRun } }) => {
    requireRoot()
    refuseDryRun('image load', dryRun)
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

export const tagImage = defineCommand({
  usage: 'SOURCE TARGET',
  summary: 'Give an image another name',
  arity: [2, 2],
  options: {},
  examples: ['caisson image tag shop/web:1 registry.example.com/shop/web:1'],
  run: async (context, { values: { dryRun }, positionals: [source = '', target = ''] }) => {
    requireRoot()
    refuseDryRun('image tag', dryRun)
    await openWriter(context).tagImage(source, target)
    return 0
  },
})

export const removeImages = defineCommand({
  usage: 'IMAGE…',
  summary: 'Remove images, by name, digest or id',
  arity: [1, Number.POSITIVE_INFINITY],
  options: {
    force: flag('From under stopped containers, which keep the content; all names of an id', 'f'),
    noPrune: accepted(flag('Keep untagged parents, of which there are none')),
  },
  run: async (context, { values: { force, dryRun }, positionals }) => {
    requireRoot()
    const engine = openWriter(context)
    let exitCode = 0
    for (const reference of positionals) {
      try {
        const { untagged, deleted } = await engine.removeImage(reference, { force, dryRun })
        for (const name of untagged) context.stdout.write(`Untagged: ${name}\n`)
        for (const digest of deleted) context.stdout.write(`Deleted: ${digest}\n`)
      } catch (error) {
        if (force && error instanceof CaissonError && error.code === 'ENOIMAGE') continue
        exitCode = reportError(context, error)
      }
    }
    return exitCode
  },
})
