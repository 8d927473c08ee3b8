import { change, toMilliseconds } from '../change.ts'
import { defineCommand } from '../command.ts'
import { integer } from '../grammar.ts'

export const stop = defineCommand({
  usage: '[SERVICE…]',
  summary: 'Stop services; they keep their containers',
  options: { timeout: integer('SECONDS', 'How long to wait before killing', 't') },
  run: (context, { values: { timeout, dryRun }, positionals: services }) =>
    change(context, dryRun, (engine, target) =>
      engine.stop(target, { services, timeoutMs: toMilliseconds(timeout), dryRun }),
    ),
})
