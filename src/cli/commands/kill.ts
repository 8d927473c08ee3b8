import { change, removesOrphans } from '../change.ts'
import { defineCommand } from '../command.ts'
import { parseSignal } from '../../units/signals.ts'
import { flag, text } from '../grammar.ts'
import { UsageError } from '../usage.ts'

/** Before anything is looked at: with nothing to signal a slip would pass. */
const checkedSignal = (word: string): string => {
  if (parseSignal(word) === undefined) throw new UsageError(`unknown signal "${word}"`)
  return word
}

export const kill = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Send a signal to the running containers of services',
  options: {
    removeOrphans: flag('Containers of services that are no longer in the Compose file too'),
    signal: text('SIGNAL', 'Name or number (default SIGKILL)', 's'),
  },
  examples: ['caisson kill -s HUP web'],
  run: (context, { values, positionals: services }) =>
    change(context, values.dryRun, (engine, target) =>
      engine.kill(target, {
        services,
        timeoutMs: undefined,
        dryRun: values.dryRun,
        signal: checkedSignal(values.signal ?? 'SIGKILL'),
        removeOrphans: removesOrphans(context, values.removeOrphans),
      }),
    ),
})
