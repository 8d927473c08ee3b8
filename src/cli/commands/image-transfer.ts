import { canonical } from '../render/image.ts'
import { defineCommand } from '../command.ts'
import { accepted, flag, text } from '../grammar.ts'
import { throwFailures, transfer } from '../transfer.ts'
import { EXIT } from '../usage.ts'

export const pullImages = defineCommand({
  usage: 'IMAGE…',
  summary: 'Pull images from their registries',
  arity: [1, Number.POSITIVE_INFINITY],
  options: {
    platform: text('PLATFORM', 'Image to take of those that a name stands for (linux/arm64)'),
    quiet: flag('Only the full name of what was pulled', 'q'),
    disableContentTrust: accepted(flag('')),
  },
  examples: ['caisson image pull redis:7', 'caisson image pull --platform linux/arm64 registry.example:5000/shop/web'],
  run: async (context, { values: { platform, quiet }, positionals }) => {
    const images = positionals.map((reference) => ({ reference, platform }))
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
  options: { quiet: flag('Only the full name of what was pushed', 'q'), disableContentTrust: accepted(flag('')) },
  examples: ['caisson image push registry.example:5000/shop/web:1'],
  run: async (context, { values: { quiet }, positionals }) => {
    const outcomes = await transfer(context, { quiet, act: (engine, options) => engine.push(positionals, options) })
    if (outcomes === undefined) return EXIT.interrupted
    for (const { image, digest, error } of outcomes) {
      if (error !== undefined) continue
      context.stdout.write(quiet ? `${canonical(image)}\n` : `${image}: digest: ${digest}\n`)
    }
    throwFailures(outcomes)
    return 0
  },
})
