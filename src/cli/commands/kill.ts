import type { Outcome } from '../../index.ts'
import { change, removesOrphans } from '../change.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { parseSignal } from '../../units/signals.ts'
import { flag, text } from '../grammar.ts'
import { UsageError } from '../usage.ts'

/** Before anything is looked at: with nothing to signal a slip would pass. */
const checkedSignal = (word: string): string => {
  if (parseSignal(word) === undefined) throw new UsageError(`unknown signal "${word}"`)
  return word
}

/** In Compose's words. */
const sayIfNothing = async (context: Context, killing: Promise<Outcome>): Promise<Outcome> => {
  const outcome = await killing
  if (outcome.plan.nodes.length === 0) context.stderr.write('no container to kill\n')
  return outcome
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
      sayIfNothing(
        context,
        engine.kill(target, {
          services,
          timeoutMs: undefined,
          dryRun: values.dryRun,
          signal: checkedSignal(values.signal ?? 'SIGKILL'),
          removeOrphans: removesOrphans(context, values.removeOrphans),
        }),
      ),
    ),
})
