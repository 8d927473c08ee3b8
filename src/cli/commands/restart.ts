import { change, toMilliseconds } from '../change.ts'
import { defineCommand } from '../command.ts'
import { accepted, flag, integer } from '../grammar.ts'

export const restart = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Stop services and start them again, as they are',
  options: {
    noDeps: accepted(flag('')),
    timeout: integer('SECONDS', 'How long to wait before killing', 't'),
  },
  run: (context, { values: { timeout, dryRun }, positionals: services }) =>
    change(context, dryRun, (engine, target) =>
      engine.restart(target, { services, timeoutMs: toMilliseconds(timeout), dryRun }),
    ),
})
