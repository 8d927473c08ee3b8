import type { Verified } from '../../index.ts'
import { defineCommand } from '../command.ts'
import { flag } from '../grammar.ts'
import { openWriter } from '../open-writer.ts'
import { isId, shortId } from '../render/image.ts'
import { requireRoot } from '../runtime.ts'

const nameOf = ({ reference }: Verified): string => (isId(reference) ? shortId(reference) : reference)

const linesOf = (image: Verified, fix: boolean): readonly string[] => {
  const name = nameOf(image)
  if (image.damages.length === 0)
    return [
      `${name}: ok${image.isKept ? '' : ', but its layers are not kept as they were stored: load or pull it again to save or push it'}`,
    ]
  return image.damages.map(({ part, digest, kind, message }) => {
    const removed = fix && kind === 'damaged' ? '; removed' : ''
    return `${name}: ${part} ${digest} ${message}${removed}`
  })
}

export const verifyImages = defineCommand({
  usage: '[IMAGE…]',
  summary: 'Read all that images are made of again, and say what is missing or damaged',
  details:
    'Exit code 1 where something is. What is missing comes back with the next pull or load of the image. Unpacked layers have to be there; their files are not compared with the blobs they came from.',
  options: { fix: flag('Remove what is damaged, so that the next pull or load brings it again') },
  run: async (context, { values: { fix, dryRun }, positionals }) => {
    requireRoot()
    const verified = await openWriter(context).verifyImages(positionals, fix && !dryRun)
    for (const image of verified) for (const line of linesOf(image, fix && !dryRun)) context.stdout.write(`${line}\n`)
    return verified.some(({ damages }) => damages.length > 0) ? 1 : 0
  },
})
