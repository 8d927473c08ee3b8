import { parseEndpoint } from '../../index.ts'
import { defineCommand } from '../command.ts'
import { flag, integer } from '../grammar.ts'
import { openReader, requireRoot } from '../runtime.ts'
import { findTarget } from '../target.ts'
import { UsageError } from '../usage.ts'

const SHOWN = 5

export const cp = defineCommand({
  usage: 'SERVICE:PATH DESTINATION|- or SOURCE|- SERVICE:PATH',
  summary: 'Copy files between this machine and containers of a service',
  details: [
    'Into a service: all its containers; out of it: the first. They need not run. `-` is a tar archive on stdin or stdout.',
    '`DIRECTORY/.` is what is in it. A symlink is copied as one, unless -L is given. Devices, FIFOs and sockets are left out.',
  ].join('\n'),
  arity: [2, 2],
  options: {
    all: flag('Containers of `run` too'),
    archive: flag('Keep owners and set-id bits on this machine', 'a'),
    followLink: flag('Follow the symlink that SOURCE is', 'L'),
    index: integer('N', 'Which container of a service with several', undefined, 1),
  },
  examples: [
    'caisson cp web:/var/log ./logs',
    'caisson cp nginx.conf web:/etc/nginx/',
    'caisson cp web:/data - | tar t',
  ],
  run: async (context, { values, positionals: [source = '', destination = ''] }) => {
    const [from, to] = [parseEndpoint(source), parseEndpoint(destination)]
    if (from.kind === to.kind) {
      throw new UsageError(
        from.kind === 'local'
          ? `neither '${source}' nor '${destination}' names a service: SERVICE:PATH`
          : 'copying between services is not supported: copy to this machine first',
      )
    }
    requireRoot()
    const engine = openReader(context)
    const { name } = await findTarget(context, engine)
    if (values.dryRun) {
      context.stdout.write(`copy ${source} to ${destination}\n`)
      return 0
    }
    const { all, archive, followLink, index } = values
    const { skipped, skippedCount } = await engine.copy(name, { from, to, all, archive, followLink, index })
    if (skippedCount === 0) return 0
    const rest = skippedCount > SHOWN ? ` and ${skippedCount - SHOWN} more` : ''
    context.stderr.write(
      `left out, neither files, directories nor links: ${skipped.slice(0, SHOWN).join(', ')}${rest}\n`,
    )
    return 0
  },
})
