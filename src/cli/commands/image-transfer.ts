import { canonical } from '../render/image.ts'
import { defineCommand } from '../command.ts'
import { accepted, flag, text } from '../grammar.ts'
import type { Context } from '../context.ts'
import { openReader } from '../runtime.ts'
import { throwFailures, transfer } from '../transfer.ts'
import { EXIT, UsageError } from '../usage.ts'

/** With --all-tags a name is a name alone. */
const bareName = (reference: string): string => {
  const name = /^(.*?)(?::[^/:]*)?$/.exec(reference)?.[1] ?? reference
  if (name !== reference || reference.includes('@'))
    throw new UsageError(`--all-tags takes names without a tag or digest, not "${reference}"`)
  return name
}

const remoteTags = async (context: Context, names: readonly string[]): Promise<readonly string[]> => {
  const engine = openReader(context)
  return (await Promise.all(names.map((name) => engine.taggedOf(bareName(name))))).flat()
}

const localTags = async (context: Context, names: readonly string[]): Promise<readonly string[]> => {
  const here = (await openReader(context).images()).map(({ reference }) => reference)
  return names.flatMap((name) => {
    const bare = bareName(name)
    const tagged = here.filter(
      (reference) => reference.startsWith(`${bare}:`) && !reference.slice(bare.length + 1).includes('/'),
    )
    if (tagged.length === 0) throw new UsageError(`no image here is called ${name}`)
    return tagged
  })
}

export const pullImages = defineCommand({
  usage: 'IMAGE…',
  summary: 'Pull images from their registries',
  arity: [1, Number.POSITIVE_INFINITY],
  options: {
    allTags: flag('All tags of each name', 'a'),
    platform: text('PLATFORM', 'Image to take of those that a name stands for (linux/arm64)'),
    quiet: flag('Only the full name of what was pulled', 'q'),
    disableContentTrust: accepted(flag('')),
  },
  examples: ['caisson image pull redis:7', 'caisson image pull --platform linux/arm64 registry.example:5000/shop/web'],
  run: async (context, { values: { allTags, platform, quiet }, positionals }) => {
    const references = allTags ? await remoteTags(context, positionals) : positionals
    const images = references.map((reference) => ({ reference, platform }))
    const outcomes = await transfer(context, { quiet, act: (engine, options) => engine.pull(images, options) })
    if (outcomes === undefined) return EXIT.interrupted
    for (const { image, digest, isUpToDate, error } of outcomes) {
      if (error !== undefined) continue
      const status = isUpToDate ? 'Image is up to date for' : 'Downloaded newer image for'
      if (!quiet) context.stdout.write(`Digest: ${digest}\nStatus: ${status} ${image}\n`)
      context.stdout.write(`${canonical(image)}\n`)
    }
    throwFailures(outcomes)
    return 0
  },
})

export const pushImages = defineCommand({
  usage: 'IMAGE…',
  summary: 'Push images to their registries',
  details: 'The name says where to: `caisson image tag` gives an image another one.',
  arity: [1, Number.POSITIVE_INFINITY],
  options: {
    allTags: flag('All tags that each name has here', 'a'),
    quiet: flag('Only the full name of what was pushed', 'q'),
    disableContentTrust: accepted(flag('')),
  },
  examples: ['caisson image push registry.example:5000/shop/web:1'],
  run: async (context, { values: { allTags, quiet }, positionals }) => {
    const references = allTags ? await localTags(context, positionals) : positionals
    const outcomes = await transfer(context, { quiet, act: (engine, options) => engine.push(references, options) })
    if (outcomes === undefined) return EXIT.interrupted
    for (const { image, digest, error } of outcomes) {
      if (error !== undefined) continue
      context.stdout.write(quiet ? `${canonical(image)}\n` : `${image}: digest: ${digest}\n`)
    }
    throwFailures(outcomes)
    return 0
  },
})
